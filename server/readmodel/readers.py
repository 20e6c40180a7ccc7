"""What a record says to a component or a cross rule: one function for each kind of them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import Any

from schemas.expressions import TooMuch, to_string
from schemas.expressions.values import from_answer
from server.readmodel import codec
from server.readmodel.cross_rules import CrossRule
from server.readmodel.declaration import Component, Declaration
from server.readmodel.expressions import Expression, choices_in, compiled
from server.readmodel.moments import claimed_moment, true_moment
from server.readmodel.quantities import millionths
from server.readmodel.source import Answers, Source
from server.readmodel.tables import MILLIONTHS

PART_MAX = 60  # characters


class Reader:
    """What a record says under one name; None says nothing, and so does an expression that runs out of
    bounds."""

    def __init__(self, name: str, say: Callable[..., Any], where: str | None) -> None:
        self.name, self._say, self._where = name, say, _compiled(where)
        # The answers that decide whether it says anything; None when there is more to that than choices.
        self.decided_by = choices_in(where)
        # Whether what it says follows from these and from its `answer`, too.
        self.settled = False
        self.answer = ""

    def may_say(self, source: Source) -> bool:
        return source.holds(self._where)

    def say(self, source: Source) -> Any:
        """Where it may."""
        try:
            return self._say(self, source)
        except TooMuch:
            return None

    def read(self, source: Source) -> Any:
        try:
            return self._say(self, source) if source.holds(self._where) else None
        except TooMuch:
            return None


def _compiled(text: str | None) -> Expression | None:
    return compiled(text) if text else None


class _ComponentReader(Reader):
    def __init__(self, component: Component) -> None:
        super().__init__(component.name, READERS[component.kind], component.where)
        self.component = component
        self._value, self._by, self._then, self._on = map(
            _compiled, (component.value, component.by, component.then, component.on)
        )
        self._counts = _compiled(component.counts)
        self.answer = component.answer or ""
        by_choices = choices_in(component.where, component.then) is not None
        self.settled = by_choices and component.kind in BY_CHOICES

    def holds(self, source: Source) -> int:
        return 1

    def code(self, source: Source) -> str | None:
        value = source.answers.get(self.answer)
        return value if isinstance(value, str) and value in self.component.ranks else None

    def amount(self, source: Source) -> int | None:
        return millionths(source.value(self._value)) if self._value else None

    def range(self, source: Source) -> dict[str, int] | None:
        """The range in which the amount lies, by its upper end; beyond the last, the last."""
        amount = self.amount(source)
        if amount is None:
            return None
        bounds = self.component.bounds
        at = bisect_left(bounds, amount, key=lambda bound: bound * MILLIONTHS)
        return {str(bounds[min(at, len(bounds) - 1)]): MILLIONTHS}

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

    def moves(self, source: Source) -> list[list[Any]] | None:
        """[[part, millionths, whether that is what was counted]] of each instance."""
        found = []
        for instance in source.instances_of(self.component.each):
            amount = self.amount(instance)
            part = to_string(instance.value(self._by))[:PART_MAX] if self._by else ""
            if amount is not None and (part or not self._by):
                counts = self._counts is not None and instance.holds(self._counts)
                found.append([part, amount, int(counts)])
        return found or None

    def moment(self, source: Source) -> str | None:
        value = source.value(self._value) if self._value else ""
        return (
            true_moment(value, source.skew_s, source.received_at)
            if isinstance(value, str) and value
            else None
        )

    def broken(self, source: Source) -> dict[str, int] | None:
        """How many of the rules the record broke, and which."""
        found = {rule: MILLIONTHS for rule in self.component.rules if rule in source.rules}
        return {"": sum(found.values()), **found} if found else None


class _ThenReader(_ComponentReader):
    """Of what the component waits for, or what is to follow it: `where` is one of the facts."""

    def __init__(self, component: Component) -> None:
        super().__init__(component)
        self.decided_by = choices_in(component.where, component.then)

    def may_say(self, source: Source) -> bool:
        return any(self._whether(source))

    def say(self, source: Source) -> Any:
        return self.read(source)

    def read(self, source: Source) -> Any:
        try:
            holds, then = self._whether(source)
            return self._say(self, source, holds, then) if holds or then else None
        except TooMuch:
            return None

    def _whether(self, source: Source) -> tuple[bool, bool]:
        return source.holds(self._where), self._then is not None and source.holds(self._then)

    def followed(self, source: Source, holds: bool, then: bool) -> list[int]:
        return [int(holds), int(then)]

    def stay(self, source: Source, holds: bool, then: bool) -> list[Any]:
        """[whether, whether what follows holds, codes from the narrowest, the day that decides]"""
        codes = to_string(source.value(self._value)).split() if self._value else []
        day = to_string(source.value(self._on)) if self._on else ""
        return [int(holds), int(then), [code[:PART_MAX] for code in codes], day[:10]]


class _RuleReader(Reader):
    """What a record says to a cross rule."""

    def __init__(self, rule: CrossRule) -> None:
        super().__init__(RULE + rule.name, RULE_READERS[rule.kind], rule.where)
        self.rule, self._value = rule, _compiled(rule.value)

    def text(self, source: Source) -> str | None:
        return (to_string(source.value(self._value)) or None) if self._value else None

    def moment(self, source: Source) -> str | None:
        return claimed_moment(self.text(source), source.skew_s)

    def amount(self, source: Source) -> int | None:
        return millionths(source.value(self._value)) if self._value else None

    def likeness(self, source: Source) -> list[Any] | None:
        """[digest of the answers, latitude, longitude] of a record that says where it was made."""
        gps = source.gps if isinstance(source.gps, dict) else {}
        place = [gps.get("lat"), gps.get("lon")]
        if not all(isinstance(each, int | float) and not isinstance(each, bool) for each in place):
            return None
        answers = {name: value for name, value in source.answers.items() if name not in self.rule.apart_from}
        return [codec.digest(answers), *place]


RULE = "!"
RULE_READERS: dict[str, Callable[[_RuleReader, Source], Any]] = {
    "differ_on_a_day": _RuleReader.text,
    "repeated_on_a_day": _RuleReader.text,
    "crowded": _RuleReader.moment,
    "median_below": _RuleReader.amount,
    "alike_in_one_place": _RuleReader.likeness,
}

ITEMS = "rep_item"


def _item(row: Answers) -> list[Any] | None:
    code, quantity, unit = row.get("item_code"), millionths(from_answer(row.get("qty"))), row.get("unit")
    if not isinstance(code, str) or not code or quantity is None:
        return None
    return [code[:PART_MAX], quantity, unit if isinstance(unit, str) else ""]


READERS: dict[str, Callable[..., Any]] = {
    "count_records": _ComponentReader.holds,
    "count_units_day": _ComponentReader.holds,
    "first_day": _ComponentReader.holds,
    "sum": _ComponentReader.amounts,
    "max_per_day": _ComponentReader.amount,
    "latest": _ComponentReader.amount,
    "best_rank": _ComponentReader.code,
    "best_rank_day": _ComponentReader.code,
    "within_interval": _ComponentReader.moment,
    "fulfilled": _ComponentReader.items,
    "handed_out": _ComponentReader.items,
    "balance": _ComponentReader.moves,
    "rules": _ComponentReader.broken,
    "spread": _ComponentReader.range,
    "new_units": _ComponentReader.holds,
    "new_without": _ThenReader.followed,
    "new_from_area": _ThenReader.stay,
    "from_area": _ThenReader.stay,
    "from_area_then": _ThenReader.stay,
}
# Kinds that read what `where`, `then` and the graded answer read, and nothing else.
BY_CHOICES = (
    "count_records",
    "count_units_day",
    "first_day",
    "best_rank",
    "best_rank_day",
    "new_units",
    "new_without",
)
THEN = ("new_without", "new_from_area", "from_area", "from_area_then")
UNSAID = ("register", "flagged")  # what no single record says


def readers_of(declaration: Declaration, unit: str, form_id: str) -> Iterator[Reader]:
    """Of what records of one form say to a unit, or of it."""
    for component in declaration.of_unit(unit):
        if component.said != component.name or component.kind in UNSAID:
            continue
        if component.form in (None, form_id):
            yield (_ThenReader if component.kind in THEN else _ComponentReader)(component)
    for rule in declaration.rules_of(unit):
        if rule.kind in RULE_READERS and rule.form in (None, form_id):
            yield _RuleReader(rule)
