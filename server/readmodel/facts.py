"""What one record says to the components: a small dict that depends on nothing but the record, so that units
are counted again
without reading answers again.

`{component: millionths | {part: millionths} | code | moment}`, and under `KEPT` the answers that flags and
summaries need.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from schemas.expressions import (
    Environment,
    Names,
    TooMuch,
    compile_closure,
    compile_expression,
    to_boolean,
    to_number,
    to_string,
)
from schemas.expressions.names import Name
from schemas.expressions.values import from_answer
from server.readmodel.declaration import Component, Declaration, UnitKind
from server.readmodel.moments import true_moment
from server.readmodel.tables import MILLIONTHS

KEPT = "~"
VALUE_MAX = 1_000_000_000
PART_MAX = 60  # characters
REFERENCE = re.compile(r"\$\{\s*([A-Za-z_][\w.-]*)\s*\}")

Facts = dict[str, Any]
Answers = Mapping[str, Any]
Expression = Callable[[Environment], Any]


def compile_text(text: str) -> Expression:
    """An expression over one frame of answers; whatever it names exists."""
    names = Names(entries={name: Name(name, "any") for name in REFERENCE.findall(text)})
    return compile_closure(compile_expression(text, names).ast)


def frame(answers: Answers) -> dict[str, Any]:
    return {name: from_answer(value) for name, value in answers.items() if isinstance(name, str)}


class FactMaker:
    """The declaration's expressions, compiled once."""

    def __init__(self, declaration: Declaration) -> None:
        self._declaration = declaration
        self._by_form: dict[str, list[_Reader]] = {}
        for component in declaration.components.values():
            if component.form:
                self._by_form.setdefault(component.form, []).append(_Reader(component))

    def facts(self, record: Mapping[str, Any], received_at: str) -> Facts:
        """The facts of a checked record; {} for a form that feeds nothing."""
        form_id = str(record.get("form_id"))
        unit = self._declaration.unit_of_form(form_id)
        if unit is None:
            return {}
        answers = record.get("answers")
        source = Source(record, answers if isinstance(answers, dict) else {}, received_at)
        result: Facts = {}
        for reader in self._by_form.get(form_id, ()):
            value = reader.read(source)
            if value is not None:
                result[reader.component.name] = value
        return result | {KEPT: _kept(unit, source)}


def _kept(unit: UnitKind, source: Source) -> dict[str, Any]:
    return {
        name: source.answers[name]
        for name in unit.keep
        if isinstance(source.answers.get(name), str | int | float)
    }


class Source:
    """A record as expressions see it: an answer hides the envelope's field of the same name."""

    def __init__(self, record: Mapping[str, Any], answers: Answers, received_at: str) -> None:
        self.answers, self.received_at, self.skew_s = answers, received_at, record.get("clock_skew_s")
        self.frame = frame(
            {**{name: value for name, value in record.items() if name != "answers"}, **answers}
        )
        self.environment = Environment(self.frame)

    def instances(self, repeat: str | None) -> Iterator[Environment]:
        if repeat is None:
            yield self.environment
            return
        rows = self.answers.get(repeat)
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, dict):
                yield Environment({**self.frame, **frame(row)})


class _Reader:
    def __init__(self, component: Component) -> None:
        self.component = component
        self._where, self._value, self._by = (
            compile_text(text) if text else None for text in (component.where, component.value, component.by)
        )
        self._read = READERS[component.kind]

    def read(self, source: Source) -> Any:
        """None says nothing. An expression that runs out of bounds says nothing either."""
        try:
            if self._where and not to_boolean(self._where(source.environment)):
                return None
            return self._read(self, source)
        except TooMuch:
            return None

    def holds(self, source: Source) -> int:
        return 1

    def code(self, source: Source) -> str | None:
        value = source.answers.get(self.component.answer or "")
        return value if isinstance(value, str) and value in self.component.ranks else None

    def amount(self, source: Source) -> int | None:
        return millionths(self._value(source.environment)) if self._value else None

    def amounts(self, source: Source) -> dict[str, int] | None:
        """By part; a plain sum has the one part ""."""
        result: dict[str, int] = {}
        for environment in source.instances(self.component.each):
            value = millionths(self._value(environment)) if self._value else None
            part = to_string(self._by(environment))[:PART_MAX] if self._by else ""
            if value is not None and (part or not self._by):
                result[part] = result.get(part, 0) + value
        return result or None

    def items(self, source: Source) -> list[list[Any]] | None:
        """[[part, millionths, unit]] of each instance, for what has to be converted to another unit."""
        rows = source.answers.get(self.component.each or ITEMS)
        found = [_item(row) for row in (rows if isinstance(rows, list) else ()) if isinstance(row, dict)]
        return [item for item in found if item is not None] or None

    def moment(self, source: Source) -> str | None:
        value = self._value(source.environment) if self._value else ""
        return (
            true_moment(value, source.skew_s, source.received_at)
            if isinstance(value, str) and value
            else None
        )


ITEMS = "rep_item"


def _item(row: Answers) -> list[Any] | None:
    code, quantity, unit = row.get("item_code"), millionths(from_answer(row.get("qty"))), row.get("unit")
    if not isinstance(code, str) or not code or quantity is None:
        return None
    return [code[:PART_MAX], quantity, unit if isinstance(unit, str) else ""]


def millionths(value: Any) -> int | None:
    number = to_number(value) if value != "" else math.nan
    return round(number * MILLIONTHS) if abs(number) <= VALUE_MAX else None


READERS: dict[str, Callable[[_Reader, Source], Any]] = {
    "count_records": _Reader.holds,
    "count_units_day": _Reader.holds,
    "first_day": _Reader.holds,
    "sum": _Reader.amounts,
    "max_per_day": _Reader.amount,
    "latest": _Reader.amount,
    "best_rank": _Reader.code,
    "best_rank_day": _Reader.code,
    "within_interval": _Reader.moment,
    "fulfilled": _Reader.items,
    "handed_out": _Reader.items,
}
