"""How the lists of one kind are laid out: which headings mean what, and which columns the answer fills.

A template is a JSON file of `<forms>/lists/`; docs/lists.md has its reference.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from server.lists.outcomes import OUTCOMES
from server.register.cells import seen

FOLDER = "lists"
COLUMNS = ("name", "id_number", "phone", "town", "village", "address")
WHO = ("name", "id_number")  # without one of them nobody can be found
RESULTS = ("outcome", "decided_at", "decided_by", "remark")
FIELDS = ("number", "title", "columns", "results", "outcomes")
ALIASES_MAX = 60


@dataclass(frozen=True, slots=True)
class Result:
    """A column of the answer; `title` heads it where the list has no column of such a heading."""

    value: str
    title: str
    aliases: Sequence[str]


@dataclass(frozen=True, slots=True)
class Template:
    name: str
    number: str
    title: Mapping[str, str]
    columns: Mapping[str, Sequence[str]]
    results: Sequence[Result]
    outcomes: Mapping[str, str]

    def field(self, heading: str) -> str | None:
        """The column that a heading means."""
        wanted = plain(heading)
        return next((name for name, aliases in self.columns.items() if wanted in map(plain, aliases)), None)

    def result(self, heading: str) -> str | None:
        wanted = plain(heading)
        return next(
            (each.value for each in self.results if wanted in map(plain, (each.title, *each.aliases))), None
        )


def plain(heading: str) -> str:
    """A heading without what offices vary: width, case, blanks, remarks in brackets, stars and colons."""
    text = unicodedata.normalize("NFKC", seen(heading)).casefold()
    return re.sub(r"[\s*:]", "", text) if len(text) < 4 else re.sub(r"\([^()]*\)|[\s*:]", "", text) or text


def templates(forms: Path) -> tuple[dict[str, Template], list[str]]:
    """Every template, and what is wrong with those that cannot be used."""
    found: dict[str, Template] = {}
    complaints: list[str] = []
    for path in sorted((forms / FOLDER).glob("*.json")):
        try:
            given = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            complaints.append(f"{path.name}: this is no JSON ({error}). Correct it there.")
            continue
        wrong = list(_complaints(given))
        complaints += [f"{path.name}: {each}" for each in wrong]
        if not wrong:
            found[path.stem] = _template(path.stem, given)
    return found, complaints


def _template(name: str, given: Mapping[str, Any]) -> Template:
    results = [Result(each["value"], each["title"], each.get("aliases", [])) for each in given["results"]]
    return Template(
        name, given.get("number", ""), given["title"], given["columns"], results, given.get("outcomes", {})
    )


def _complaints(given: Any) -> list[str]:
    if not isinstance(given, dict):
        return ["a template is an object {…}."]
    found = [
        f"{name}: no such field. Fields are {', '.join(FIELDS)}; a note begins with _."
        for name in given
        if name not in FIELDS and not name.startswith("_")
    ]
    title = given.get("title")
    if not (
        isinstance(title, dict)
        and all(isinstance(title.get(each), str) and title[each] for each in ("zh", "en"))
    ):
        found.append('title: write {"zh": …, "en": …}.')
    if not isinstance(given.get("number", ""), str):
        found.append("number: write a text, such as ⑤.")
    return found + _of_columns(given.get("columns")) + _of_results(given.get("results")) + _of_words(given)


def _of_columns(columns: Any) -> list[str]:
    if not isinstance(columns, dict) or not any(columns.get(each) for each in WHO):
        return [f"columns: write the headings of {' or '.join(WHO)} at least."]
    found = [f"columns.{name}: there are {', '.join(COLUMNS)}." for name in columns if name not in COLUMNS]
    found += [
        f"columns.{name}: write a list of headings." for name, each in columns.items() if not _texts(each)
    ]
    if found:
        return found
    every = [plain(heading) for headings in columns.values() for heading in set(map(plain, headings))]
    return [
        f"columns: {each} stands for two columns."
        for each in sorted({e for e in every if every.count(e) > 1})
    ]


def _of_results(results: Any) -> list[str]:
    if not isinstance(results, list) or not all(isinstance(each, dict) for each in results):
        return ["results: write a list of {value, title, aliases}."]
    found = []
    for at, each in enumerate(results):
        if each.get("value") not in RESULTS:
            found.append(f"results[{at}].value: there are {', '.join(RESULTS)}.")
        if not isinstance(each.get("title"), str) or not each["title"].strip():
            found.append(f"results[{at}].title: write the heading.")
        if not _texts(each.get("aliases", [])):
            found.append(f"results[{at}].aliases: write a list of headings.")
    values = [each.get("value") for each in results]
    if "outcome" not in values or len(values) != len(set(map(str, values))):
        found.append("results: each value once, and outcome among them.")
    return found


def _of_words(given: Mapping[str, Any]) -> list[str]:
    own = given.get("outcomes", {})
    if not isinstance(own, dict) or not all(isinstance(each, str) and each for each in own.values()):
        return ["outcomes: write {outcome: words}."]
    return [f"outcomes.{name}: there are {', '.join(OUTCOMES)}." for name in own if name not in OUTCOMES]


def _texts(given: Any) -> bool:
    return (
        isinstance(given, list)
        and len(given) <= ALIASES_MAX
        and all(isinstance(each, str) and each.strip() for each in given)
    )
