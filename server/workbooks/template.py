"""A sheet's template: which rows, which columns. `docs/sheets.md` is the reference; a test holds it to this.

Templates are data that staff copy and change, so all that is wrong with one is told at once, each complaint
with its place and what to write instead.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from schemas.expressions.parse import ExpressionError
from server.api.masking import MASKS
from server.readmodel.expressions import REFERENCE, compile_text

SHEET_FIELDS = {
    "number": "the superiors' number of the sheet, such as ①; may be left out",
    "title": '{"zh": …, "en": …}: the merged line at the top, and the name of the sheet',
    "rows": "where the rows come from",
    "unit": "what the figures are in, for the head of the sheet, such as 户、人、㎡; may be left out",
    "form": "rows of records: the form",
    "repeat": "rows of records: one row for each instance of this repeat; may be left out",
    "where": "rows of records: an expression that a row must meet; may be left out",
    "period": "rows of records: day (that work date, the default) or until (all up to it)",
    "last_of": "rows of a repeat that names persons: components; of each only the last row that says one",
    "register": "rows of a register: which one",
    "totals": "first, last or none (the default): where the row of totals stands",
    "columns": "the columns, in order",
}
COLUMN_FIELDS = {
    "value": "what stands in the column, a name out of the list below; empty for one to fill in by hand",
    "title": '{"zh": …, "en": …}; may be left out for figures, which have names',
    "width": "in characters, 4 to 80; 12 when left out",
    "total": "true adds the column up in the row of totals",
    "choices": "a choice list by whose labels a code is written; answers find theirs by themselves",
    "mask": "a mask that holds even in a full export: " + ", ".join(MASKS),
}
ROWS = {
    "towns": "one row a town, with the figures of the day's bulletin",
    "villages": "one row a village, with the figures of the day's bulletin",
    "records": "records that count, one row each",
    "register": "entries of a register that are active on the day",
    "roster_outstanding": "roster entries that have not got everything, now",
    "points_overdue": "points whose interval has run out, now",
    "not_reached": "households that are not settled by the day",
    "exceptions": "records that wait for a correction, and what was flagged in those of the day",
    "quality": "what to know about the day's figures: who was silent, late changes, definitions",
}
AREA = {
    "area.code": "the village's (or town's) code",
    "area.name": "its name",
    "town.code": "the town's code",
    "town.name": "the town's name",
}
ENTRY = {**AREA, "entry.<field>": "a field of the register's entry"}
LISTED = {
    "state": "open, partial or done",
    "attempts": "how many records",
    "last_result": "of the last record",
    "delivered.<item>": "handed out of an item",
    "entitled.<item>": "due of an item",
}
NAMES: dict[str, dict[str, str]] = {
    "towns": {
        **AREA,
        "state": "已报, 零报告 or 未报",
        "figure.<indicator>": "a figure",
        "figure.<indicator>.numerator": "what a share is of",
        "figure.<indicator>.denominator": "…out of",
        "figure.<indicator>.seven_days": "of the seven days that end with the day",
    },
    "villages": {},
    "records": {
        **ENTRY,
        "record.<column>": "what the server and the envelope know",
        "answer.<question>": "an answer",
        "row.<question>": "an answer of the repeat's instance",
        "filler.<field>": "a field of who filled in",
    },
    "register": {**ENTRY, **LISTED},
    "roster_outstanding": {**ENTRY, **LISTED},
    "points_overdue": {**ENTRY, "last_ended_at": "when it was done last", "next_due": "when it was due"},
    "not_reached": {
        **ENTRY,
        "attempts": "how many visits",
        "first_attempt_date": "the first visit",
        "last_visit_date": "the last visit",
        "last_result": "its result",
    },
    "exceptions": {
        **AREA,
        "record.<column>": "what the server knows",
        "problem.rule": "the rule",
        "problem.severity": "E, W or F",
        "problem.path": "the answer",
        "problem.message": "in words",
    },
    "quality": {
        "item.section": "what it belongs to",
        "item.name": "what it is",
        "item.value": "the figure",
        "item.note": "in words",
    },
}
NAMES["villages"] = NAMES["towns"]
FIGURES = ("towns", "villages")
REGISTERS = ("household", "point", "roster_entry", "station", "supply_point")
TOTALS = ("first", "last", "none")
PERIODS = ("day", "until")
COLUMNS_MAX = 100
WIDTH_MIN, WIDTH_DEFAULT, WIDTH_MAX = 4, 12, 80
TITLE_LENGTH_MAX = 60
FILE_BYTES_MAX = 200_000
NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")

Words = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Column:
    value: str
    title: Words
    width: int = WIDTH_DEFAULT
    total: bool = False
    choices: str | None = None
    mask: str | None = None


@dataclass(frozen=True, slots=True)
class Template:
    name: str
    title: Words
    rows: str
    columns: tuple[Column, ...]
    number: str = ""
    unit: str = ""
    form: str | None = None
    repeat: str | None = None
    where: str | None = None
    period: str = "day"
    last_of: tuple[str, ...] = ()
    register: str | None = None
    totals: str = "none"


class TemplateErrors(Exception):
    """`complaints` holds everything that is wrong, each with file, place and remedy."""

    def __init__(self, complaints: list[str]) -> None:
        super().__init__("\n".join(complaints))
        self.complaints = complaints


@dataclass
class Known:
    """What templates may refer to."""

    indicators: Mapping[str, Any]
    forms: Mapping[str, FormNames]
    choices: frozenset[str] = frozenset()
    columns: frozenset[str] = frozenset()  # what the server and the envelope know of a record
    mentioned: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    """What components count of whom a form's repeat names."""


@dataclass
class FormNames:
    questions: frozenset[str]
    repeats: Mapping[str, frozenset[str]] = field(default_factory=dict)


def read(path: Path, known: Known) -> Template:
    """Raises TemplateErrors."""
    file = path.name
    if not NAME.fullmatch(path.stem):
        raise TemplateErrors(
            [f"{file}: the file's name takes small letters, digits and _, and begins with a letter."]
        )
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise TemplateErrors([f"{file}: larger than {FILE_BYTES_MAX} bytes; a template is a short file."])
        source = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise TemplateErrors([f"{file}: not valid JSON in UTF-8 ({error})."]) from None
    return check(file, path.stem, source, known)


def check(file: str, name: str, source: Any, known: Known) -> Template:
    """Raises TemplateErrors with every complaint."""
    if not isinstance(source, dict):
        raise TemplateErrors([f'{file}: write an object: {{"title": …, "rows": …, "columns": […]}}.'])
    checker = _Checker(file, source, known)
    template = checker.template(name)
    if checker.complaints or template is None:
        raise TemplateErrors(checker.complaints)
    return template


class _Checker:
    """Reads a template field by field and gathers what is wrong."""

    def __init__(self, file: str, source: dict[str, Any], known: Known) -> None:
        self.file, self.source, self.known = file, source, known
        self.complaints: list[str] = []

    def wrong(self, place: str, remedy: str) -> None:
        self.complaints.append(f"{self.file}: {place}: {remedy}")

    def template(self, name: str) -> Template | None:
        self._unknown("", self.source, SHEET_FIELDS)
        rows = self._one_of("", self.source, "rows", ROWS, required=True)
        title = self._words("title", self.source.get("title"))
        totals = self._one_of("", self.source, "totals", TOTALS) or "none"
        period = self._one_of("", self.source, "period", PERIODS) or "day"
        if totals == "first" and rows and rows not in FIGURES:
            self.wrong("totals", 'only towns and villages know their totals before their rows: write "last".')
        about = {
            each: self._text("", self.source, each) for each in ("number", "unit", "form", "repeat", "where")
        }
        register = self._one_of("", self.source, "register", REGISTERS, required=rows == "register")
        names = self._form(rows, about)
        columns = self._columns(rows, names, about["repeat"])
        last_of = self._last_of(about)
        if not rows or not title:
            return None
        form = {each: about[each] or None for each in ("form", "repeat", "where")}
        number, unit = about["number"] or "", about["unit"] or ""
        return Template(
            name, title, rows, tuple(columns), number, unit, **form,
            period=period, last_of=last_of, register=register, totals=totals,
        )  # fmt: skip

    def _last_of(self, about: Mapping[str, str | None]) -> tuple[str, ...]:
        given = self.source.get("last_of")
        if given is None:
            return ()
        there = self.known.mentioned.get((about["form"] or "", about["repeat"] or ""), frozenset())
        if not there:
            self.wrong("last_of", "belongs only to a form and repeat that name persons; leave it out.")
        elif not isinstance(given, list) or not given or not there.issuperset(map(str, given)):
            self.wrong("last_of", f"write a list of some of {', '.join(sorted(there))}.")
        return tuple(map(str, given)) if isinstance(given, list) else ()

    def _unknown(self, place: str, source: Mapping[str, Any], known: Mapping[str, str]) -> None:
        for name in source:
            if name not in known and not name.startswith("_"):
                self.wrong(f"{place}{name}", f"no such field; there are {', '.join(known)}.")

    def _one_of(
        self, place: str, source: Mapping[str, Any], name: str, choices: Any, *, required: bool = False
    ) -> str | None:
        value = source.get(name)
        if value is None and not required:
            return None
        if not isinstance(value, str) or value not in choices:
            self.wrong(f"{place}{name}", f"write one of {', '.join(choices)}.")
            return None
        return value

    def _text(self, place: str, source: Mapping[str, Any], name: str) -> str | None:
        value = source.get(name)
        if value is not None and (not isinstance(value, str) or len(value) > 500):
            self.wrong(f"{place}{name}", "write a text of at most 500 characters, or leave it out.")
            return None
        return value

    def _words(self, place: str, value: Any) -> Words | None:
        if (
            isinstance(value, dict)
            and isinstance(value.get("zh"), str)
            and 0 < len(value["zh"]) <= TITLE_LENGTH_MAX
            and isinstance(value.get("en", ""), str)
        ):
            return {"zh": value["zh"], "en": value.get("en") or value["zh"]}
        self.wrong(place, f'write {{"zh": "…", "en": "…"}}, at most {TITLE_LENGTH_MAX} characters.')
        return None

    def _form(self, rows: str | None, about: Mapping[str, str | None]) -> FormNames | None:
        form, repeat, where = about["form"], about["repeat"], about["where"]
        if rows != "records":
            for name in ("form", "repeat", "where", "period", "last_of"):
                if name in self.source:
                    self.wrong(name, 'belongs only to "rows": "records"; leave it out.')
            return None
        names = self.known.forms.get(form or "")
        if names is None:
            self.wrong(
                "form", f"no form {form!r} is published; there are {', '.join(self.known.forms) or 'none'}."
            )
            return None
        if repeat and repeat not in names.repeats:
            there = ", ".join(names.repeats) or "none"
            self.wrong("repeat", f"{form} has no repeat {repeat!r}; there are {there}.")
        if where:
            self._expression(where, names, repeat)
        return names

    def _expression(self, where: str, names: FormNames, repeat: str | None) -> None:
        try:
            compile_text(where)
        except* ExpressionError as errors:
            for error in errors.exceptions:
                self.wrong("where", f"cannot be read: {error}.")
        known = names.questions | self.known.columns | names.repeats.get(repeat or "", frozenset())
        for name in REFERENCE.findall(where):
            if name not in known:
                self.wrong("where", f"${{{name}}} is no question of the form.")

    def _columns(self, rows: str | None, names: FormNames | None, repeat: str | None) -> list[Column]:
        given = self.source.get("columns")
        if not isinstance(given, list) or not 0 < len(given) <= COLUMNS_MAX:
            self.wrong("columns", f"write a list of 1 to {COLUMNS_MAX} columns.")
            return []
        found = [
            self._column(f"columns[{place}].", each, rows, names, repeat) for place, each in enumerate(given)
        ]
        return [column for column in found if column]

    def _column(
        self, place: str, source: Any, rows: str | None, names: FormNames | None, repeat: str | None
    ) -> Column | None:
        if not isinstance(source, dict):
            self.wrong(place.rstrip("."), 'write an object: {"value": …, "title": …}.')
            return None
        self._unknown(place, source, COLUMN_FIELDS)
        value = self._text(place, source, "value") or ""
        indicator = self.known.indicators.get(value.split(".")[1]) if value.startswith("figure.") else None
        title = source.get("title")
        words = self._words(f"{place}title", title) if title is not None or not indicator else indicator.name
        if value and rows:
            self._value(f"{place}value", value, rows, names, repeat)
        width = source.get("width", WIDTH_DEFAULT)
        if (
            isinstance(width, bool)
            or not isinstance(width, int | float)
            or not WIDTH_MIN <= width <= WIDTH_MAX
        ):
            self.wrong(f"{place}width", f"write a number from {WIDTH_MIN} to {WIDTH_MAX}.")
            width = WIDTH_DEFAULT
        total = source.get("total", False)
        if not isinstance(total, bool):
            self.wrong(f"{place}total", "write true or false.")
        choices = self._one_of(place, source, "choices", sorted(self.known.choices))
        mask = self._one_of(place, source, "mask", MASKS)
        return Column(value, words or {"zh": "", "en": ""}, width, total is True, choices, mask)

    def _width(self, place: str, width: Any) -> int:
        number = isinstance(width, int | float) and not isinstance(width, bool)
        if number and WIDTH_MIN <= width <= WIDTH_MAX:
            return int(width)
        self.wrong(f"{place}width", f"write a number from {WIDTH_MIN} to {WIDTH_MAX}.")
        return WIDTH_DEFAULT

    def _value(self, place: str, value: str, rows: str, names: FormNames | None, repeat: str | None) -> None:
        head, _, rest = value.partition(".")
        if not any(_fits(value, pattern) for pattern in NAMES[rows]):
            self.wrong(place, f"{value!r} is nothing that {rows} have; there are {', '.join(NAMES[rows])}.")
        elif head == "figure" and rest.split(".")[0] not in self.known.indicators:
            self.wrong(place, f"no indicator {rest.split('.')[0]!r}; docs/indicators.md lists them.")
        elif names and head == "answer" and rest not in names.questions:
            self.wrong(place, f"no question {rest!r} outside the repeats of the form.")
        elif names and head == "row" and rest not in names.repeats.get(repeat or "", ()):
            self.wrong(place, f"no question {rest!r} in the repeat {repeat!r}.")
        elif head == "record" and rest not in self.known.columns:
            self.wrong(place, f"no column {rest!r}; there are {', '.join(sorted(self.known.columns))}.")


def _fits(value: str, pattern: str) -> bool:
    expression = re.sub(r"<\w+>", "[^.]+", pattern.replace(".", r"\."))
    return re.fullmatch(expression, value) is not None
