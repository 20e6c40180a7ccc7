"""Reads the outline of a form — rows, lists, names — before any expression is looked at."""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from schemas.errors import FormError
from schemas.expressions.names import Chain, Name, Names
from schemas.metadata import STRUCTURE, missing_rows
from schemas.registers import COLUMNS as REGISTER_COLUMNS
from schemas.registers import KEY_COLUMNS
from schemas.types import (
    CHOICES_MAX,
    COLUMNS,
    CONTAINERS,
    DEPTH_MAX,
    FROM_FILE,
    KINDS,
    LANGUAGES,
    METADATA,
    ROWS_MAX,
    WITH_LIST,
)

NAME = re.compile(r"(?!__)[a-z_][a-z0-9_]*", re.IGNORECASE)
CODE = re.compile(r"[^\s]+")
NAME_MAX = 64


@dataclass
class Row:
    """One row of the survey, with what is known of it from the outline."""

    source: dict[str, Any]
    name: str
    type: str
    list_name: str
    chain: Chain
    place: str
    parent: "Row | None"
    in_envelope: bool
    children: list["Row"] = field(default_factory=list)

    @property
    def kind(self) -> str:
        return KINDS.get(self.type, "any")


@dataclass
class Outline:
    survey: list[Row]
    envelope: list[Row]
    choices: dict[str, list[dict[str, Any]]]
    names: Names
    errors: list[FormError]

    def rows(self) -> Iterator[Row]:
        """Every row, in the order of the pages; the envelope first."""
        todo = [*reversed(self.survey), *reversed(self.envelope)]
        while todo:
            row = todo.pop()
            yield row
            todo.extend(reversed(row.children))


def read_outline(
    source: dict[str, Any], envelope: dict[str, Any], settings: dict[str, Any] | None
) -> Outline:
    errors: list[FormError] = []
    choices = {**_choices(envelope, errors), **_choices(source, errors)}
    reader = _Reader(errors, choices)
    questions = envelope.get("survey", [])
    declared = {
        row.get("name", "") for row in questions if isinstance(row, dict) and isinstance(row.get("name"), str)
    }
    envelope_rows = reader.rows([*missing_rows(declared), *_list(questions)], None, "envelope", (), True, 0)
    survey = reader.rows(source.get("survey"), None, "survey", (), False, 0)
    if not survey:
        errors.append(FormError("survey", "the form has no questions", "Add rows to “survey”."))
    envelope_rows = [row for row in envelope_rows if row.name not in reader.shadowed]
    return Outline(survey, envelope_rows, choices, _names(reader.found, choices, settings), errors)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _names(
    found: dict[str, Row], choices: dict[str, list[dict[str, Any]]], settings: dict[str, Any] | None
) -> Names:
    entries = {
        name: Name(name, "any" if row.kind in ("register", "none") else row.kind, row.chain, row.list_name)
        for name, row in found.items()
    }
    codes = {name: frozenset(choice["name"] for choice in rows) for name, rows in choices.items()}
    known = None if settings is None else frozenset(settings)
    return Names(entries, codes, known, KEY_COLUMNS, REGISTER_COLUMNS)


class _Reader:
    def __init__(self, errors: list[FormError], choices: dict[str, list[dict[str, Any]]]) -> None:
        self.errors, self.choices = errors, choices
        self.found: dict[str, Row] = {}
        self.shadowed: set[str] = set()
        self.count = 0

    def complain(self, place: str, message: str, remedy: str) -> None:
        self.errors.append(FormError(place, message, remedy))

    def rows(
        self, sources: Any, parent: Row | None, place: str, chain: Chain, in_envelope: bool, depth: int
    ) -> list[Row]:
        if not isinstance(sources, list):
            self.complain(place, "the rows are not a list", "Write a list of rows: [{…}, {…}].")
            return []
        if depth > DEPTH_MAX:
            self.complain(place, f"groups are nested deeper than {DEPTH_MAX}", "Flatten them.")
            return []
        found = [
            self.row(source, parent, f"{place} › {at}", place, chain, in_envelope, depth)
            for at, source in enumerate(sources, 1)
        ]
        return [row for row in found if row is not None]

    def row(
        self,
        source: Any,
        parent: Row | None,
        numbered: str,
        place: str,
        chain: Chain,
        in_envelope: bool,
        depth: int,
    ) -> Row | None:
        self.count += 1
        if self.count > ROWS_MAX:
            if self.count == ROWS_MAX + 1:
                self.complain(
                    place, f"the form has more than {ROWS_MAX} rows", "Split it into several forms."
                )
            return None
        if not isinstance(source, dict):
            self.complain(numbered, "the row is not an object", "Write {“type”: …, “name”: …, “label”: …}.")
            return None
        name = self.name(source, numbered)
        where = f"{place} › {name}" if name else numbered
        kind, list_name = self.type(source, where)
        row = Row(source, name, kind, list_name, chain, where, parent, in_envelope)
        self.columns(row)
        self.remember(row)
        if kind in CONTAINERS:
            inner = (*chain, name) if kind == "begin_repeat" else chain
            row.children = self.rows(source.get("children"), row, where, inner, in_envelope, depth + 1)
        return row

    def name(self, source: dict[str, Any], place: str) -> str:
        name = source.get("name")
        if isinstance(name, str) and NAME.fullmatch(name) and len(name) <= NAME_MAX:
            return name
        self.complain(
            place,
            f"the name {name!r} is not usable",
            "Use letters a–z, digits and _, beginning with a letter.",
        )
        return ""

    def type(self, source: dict[str, Any], place: str) -> tuple[str, str]:
        written = source.get("type")
        kind, _, list_name = written.strip().partition(" ") if isinstance(written, str) else ("", "", "")
        list_name = list_name.strip()
        if kind not in KINDS:
            near = difflib.get_close_matches(kind, KINDS, n=1)
            remedy = f"Did you mean “{near[0]}”?" if near else "The types are listed in forms/README.md."
            self.complain(place, f"there is no question type {written!r}", remedy)
            return "", ""
        if kind in WITH_LIST:
            self.check_list(kind, list_name, place)
        elif list_name:
            self.complain(place, f"the type “{kind}” takes no list", f"Write “{kind}” alone.")
        return kind, list_name

    def check_list(self, kind: str, list_name: str, place: str) -> None:
        known = KEY_COLUMNS if kind in FROM_FILE else self.choices
        if list_name in known:
            return
        near = difflib.get_close_matches(list_name, known, n=1)
        remedy = (
            f"Did you mean “{near[0]}”?" if near else f"The lists are: {', '.join(sorted(known)) or 'none'}."
        )
        self.complain(place, f"there is no choice list “{list_name}”", remedy)

    def columns(self, row: Row) -> None:
        for column in row.source:
            if column not in COLUMNS:
                near = difflib.get_close_matches(str(column), COLUMNS, n=1)
                remedy = (
                    f"Did you mean “{near[0]}”?" if near else "The columns are listed in forms/README.md."
                )
                self.complain(row.place, f"there is no column “{column}”", remedy)

    def remember(self, row: Row) -> None:
        if not row.name:
            return
        if self.shadows(row):
            self.shadowed.add(row.name)
            self.found[row.name] = row
        elif row.name in self.found:
            other = self.found[row.name].place
            self.complain(
                row.place, f"the name “{row.name}” is taken by {other}", "Give each question its own name."
            )
        elif row.name in STRUCTURE and not row.in_envelope:
            self.complain(row.place, f"the name “{row.name}” is reserved", "Choose another name.")
        else:
            self.found[row.name] = row

    def shadows(self, row: Row) -> bool:
        """A form may reuse the name of what the app fills: ${name} is then the form's own question."""
        other = self.found.get(row.name)
        if other is None or row.in_envelope or not other.in_envelope or row.name in self.shadowed:
            return False
        return other.type in METADATA or other.source.get("appearance") == "hidden"


def _choices(source: dict[str, Any], errors: list[FormError]) -> dict[str, list[dict[str, Any]]]:
    lists = source.get("choices", {})
    if not isinstance(lists, dict):
        errors.append(FormError("choices", "the choices are not an object", "Write {“list_name”: [{…}]}."))
        return {}
    return {name: _choice_list(name, rows, errors) for name, rows in lists.items()}


def _choice_list(name: str, rows: Any, errors: list[FormError]) -> list[dict[str, Any]]:
    place = f"choices › {name}"
    if not isinstance(rows, list) or not rows or len(rows) > CHOICES_MAX:
        errors.append(
            FormError(
                place,
                f"the list is empty, longer than {CHOICES_MAX} or no list",
                "Write [{“name”: …, “label”: …}].",
            )
        )
        return []
    kept: dict[str, dict[str, Any]] = {}
    for at, row in enumerate(rows, 1):
        error = _choice_error(row, kept)
        if error:
            errors.append(FormError(f"{place} › {at}", *error))
        else:
            kept[row["name"]] = row
    return list(kept.values())


def _choice_error(row: Any, kept: dict[str, dict[str, Any]]) -> tuple[str, str] | None:
    code = row.get("name") if isinstance(row, dict) else None
    if not isinstance(code, str) or not CODE.fullmatch(code):
        return f"the code {code!r} is not usable", "Codes are texts without spaces."
    if code in kept:
        return f"the code “{code}” stands twice", "Give each choice its own code."
    return label_error(row.get("label"))


def label_error(label: Any) -> tuple[str, str] | None:
    """What is wrong with a text in every language: (message, remedy)."""
    if not isinstance(label, dict):
        return "the text is missing or has no languages", "Write {“zh”: …, “en”: …}."
    missing = [lang for lang in LANGUAGES if not isinstance(label.get(lang), str) or not label[lang].strip()]
    if missing:
        return f"the text is missing in {' and '.join(missing)}", "Write it in every language."
    extra = sorted(set(label) - set(LANGUAGES))
    return (f"the language {extra[0]!r} is unknown", "Write zh and en only.") if extra else None
