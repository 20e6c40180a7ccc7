"""A record laid out as its form: groups with their answers, repeats instance by instance, problems beside
their answer. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from server.api.beijing import local

Row = Mapping[str, Any]
Words = Callable[[Any], str]


@dataclass(frozen=True, slots=True)
class Shown:
    """One answer as the page writes it. `photo` is {href, words} for an image or audio."""

    name: str
    label: str
    text: str
    wide: bool = False
    problem: str = ""
    severity: str = ""
    photo: dict[str, str] | None = None


@dataclass(slots=True)
class Part:
    """A group with its answers, or a repeat with its instances."""

    title: str
    rows: list[Shown] = field(default_factory=list)
    instances: list[list[Shown]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Setting:
    """What the layout needs besides form and record."""

    pick: Words  # {"zh", "en"} or a compiled text -> the reader's words
    yes: str
    no: str
    photo: Callable[[str, Row], dict[str, str]]  # attachment name, question -> {href, words}
    problems: Sequence[Mapping[str, Any]] = ()
    known: Mapping[str, Any] = field(default_factory=dict)  # what labels insert


def plain(text: Any, known: Mapping[str, Any] | None = None) -> str:
    """A compiled text with the inserted answers that are `known`: ["concat", "近", ["$", "days", 0], "天"]
    reads 近14天, or 近…天."""
    if isinstance(text, str):
        return text
    if isinstance(text, list) and text and text[0] == "concat":
        return "".join(part if isinstance(part, str) else _inserted(part, known or {}) for part in text[1:])
    return ""


def _inserted(part: Any, known: Mapping[str, Any]) -> str:
    name = part[1] if isinstance(part, list) and len(part) > 1 and part[0] == "$" else None
    return str(known[name]) if isinstance(name, str) and name in known else "…"


def label_of(row: Row, pick: Words, known: Mapping[str, Any] | None = None) -> str:
    label = row.get("label")
    words = (
        {lang: plain(text, known) for lang, text in label.items()} if isinstance(label, Mapping) else label
    )
    return pick(words) or str(row["name"])


def lay_out(compiled: Row, answers: Mapping[str, Any], setting: Setting) -> list[Part]:
    """The parts that hold answers, in the form's order; answers that no question knows come last, so that
    nothing is hidden."""
    choices, parts, seen = compiled.get("choices", {}), [Part("")], set[str]()
    _walk(compiled.get("survey", []), answers, setting, choices, parts, seen)
    strangers = [
        Shown(name, name, _json(value), wide=True) for name, value in answers.items() if name not in seen
    ]
    if strangers:
        parts.append(Part("?", strangers))
    return [part for part in parts if part.rows or part.instances]


def _walk(
    rows: Sequence[Row],
    answers: Mapping[str, Any],
    setting: Setting,
    choices: Row,
    parts: list[Part],
    seen: set[str],
) -> None:
    for row in rows:
        kind, name = row["type"], str(row["name"])
        if kind == "begin_group":
            parts.append(Part(label_of(row, setting.pick, setting.known)))
            _walk(row.get("children", []), answers, setting, choices, parts, seen)
            parts.append(Part(""))
        elif kind == "begin_repeat":
            seen.add(name)
            parts.append(_repeat(row, answers.get(name), setting, choices))
            parts.append(Part(""))
        elif name in answers:
            seen.add(name)
            if not (kind == "calculate" and _is_text_for_labels(name)):
                parts[-1].rows.append(shown(row, answers[name], name, setting, choices))


def _is_text_for_labels(name: str) -> bool:
    """Settings that the form carries for its own labels say nothing about the record."""
    return name.endswith(("_text", "_zh", "_en"))


def _repeat(row: Row, value: Any, setting: Setting, choices: Row) -> Part:
    part = Part(label_of(row, setting.pick, setting.known))
    for number, instance in enumerate(value if isinstance(value, list) else []):
        inside = [Part("")]
        answers = instance if isinstance(instance, Mapping) else {"?": instance}
        prefix = f"{row['name']}[{number}]"
        numbered = replace(setting, problems=_below(prefix, setting.problems))
        known = set[str]()
        _walk(row.get("children", []), answers, numbered, choices, inside, known)
        rows = [each for piece in inside for each in piece.rows]
        part.instances.append(rows + [Shown(n, n, _json(v)) for n, v in answers.items() if n not in known])
    return part


def _below(prefix: str, problems: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    start = prefix + "."
    return [
        {**problem, "path": problem["path"][len(start) :]}
        for problem in problems
        if problem["path"].startswith(start)
    ]


def shown(row: Row, value: Any, path: str, setting: Setting, choices: Row) -> Shown:
    problem = next((each for each in setting.problems if each["path"] == path), None)
    photo = (
        setting.photo(value, row) if row["type"] in ("image", "audio") and isinstance(value, str) else None
    )
    text = answer_text(row, value, setting, choices)
    return Shown(
        name=str(row["name"]),
        label=label_of(row, setting.pick, setting.known),
        text=text,
        wide=bool(photo) or len(text) > 40,
        problem=setting.pick(problem["message"]) if problem else "",
        severity=str(problem["severity"]) if problem else "",
        photo=photo,
    )


def answer_text(row: Row, value: Any, setting: Setting, choices: Row) -> str:
    """An answer in words: choices by label, moments in Beijing time, a position with its accuracy."""
    kind = row["type"]
    if isinstance(value, bool):
        return setting.yes if value else setting.no
    if kind in ("select_one", "select_multiple") and row.get("list") in choices:
        labels = {choice["name"]: setting.pick(choice["label"]) for choice in choices[row["list"]]}
        codes = value if isinstance(value, list) else [value]
        return "、".join(
            labels.get(code, str(code)) if isinstance(code, str) else _json(code) for code in codes
        )
    if kind == "dateTime" and isinstance(value, str):
        return local(value)
    if kind == "geopoint" and isinstance(value, Mapping):
        accuracy = f" ±{value['accuracy_m']} m" if "accuracy_m" in value else ""
        return f"{value.get('lat')}, {value.get('lon')}{accuracy}"
    if kind == "calculate" and value in ("yes", "no"):
        return setting.yes if value == "yes" else setting.no
    if isinstance(value, str):
        return value
    return (
        "、".join(map(str, value))
        if isinstance(value, list) and all(isinstance(v, str) for v in value)
        else _json(value)
    )


def _json(value: Any) -> str:
    """A value that fits no question, as JSON; what nests without end is only hinted at."""
    try:
        return value if isinstance(value, str) else orjson.dumps(value).decode()
    except TypeError:
        return "…"


def place_words(path: str, compiled: Row, pick: Words) -> str:
    """`rep_person[0].temp_c` as 人员登记 1 · 体温; an unknown path as it is."""
    labels = {
        str(row["name"]): label_of(row, pick)
        for row in _all_rows([*compiled.get("survey", []), *compiled.get("envelope", [])])
    }
    words = []
    for step in path.split(".") if path else []:
        match = re.fullmatch(r"(\w+)(?:\[(\d+)\])?", step)
        if match is None:
            return path
        number = f" {int(match[2]) + 1}" if match[2] else ""
        words.append(labels.get(match[1], match[1]) + number)
    return " · ".join(words)


def _all_rows(rows: Sequence[Row]) -> list[Row]:
    return [each for row in rows for each in (row, *_all_rows(row.get("children", [])))]


def compared(
    shown: Sequence[Sequence[Part]], known: Sequence[Sequence[Part]], absent: str
) -> list[dict[str, Any]]:
    """Rows [{label, cells, changed, hidden}], one for each answer of any laid-out version. `shown` may be
    masked; what changed is told by the same versions as they are `known`, and is `hidden` when the masks
    leave nothing of it to see."""
    flat, in_full = [_flat(parts) for parts in shown], [_flat(parts) for parts in known]
    labels: dict[str, str] = {}
    for version in flat:
        labels |= {path: label for path, (label, _) in version.items()}
    return [
        {"label": label, **_row_of([_cells(path, flat, absent), _cells(path, in_full, absent)])}
        for path, label in labels.items()
    ]


def _cells(path: str, versions: Sequence[Mapping[str, tuple[str, str]]], absent: str) -> list[str]:
    return [version.get(path, ("", absent))[1] for version in versions]


def _row_of(cells: Sequence[list[str]]) -> dict[str, Any]:
    seen, known = cells
    changed = len(set(known)) > 1
    return {"cells": seen, "changed": changed, "hidden": changed and len(set(seen)) == 1}


def _flat(parts: Sequence[Part]) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for part in parts:
        for each in part.rows:
            found[each.name] = (each.label, each.text)
        for number, instance in enumerate(part.instances, start=1):
            for each in instance:
                found[f"{part.title}[{number}].{each.name}"] = (
                    f"{part.title} {number} · {each.label}",
                    each.text,
                )
    return found
