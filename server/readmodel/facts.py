"""What one record says to the components: a small dict that depends on nothing but the record, so that units
are counted again
without reading answers again.

`{component: millionths | {part: millionths} | code | moment | […]}`, `{"!" + cross rule: text | moment |
number | […]}`, and under `KEPT` the answers that summaries need. A record also says something of those whom
it mentions: facts of the same shape for each.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from schemas.expressions import Environment, TooMuch, to_boolean, to_number, to_string
from schemas.expressions.values import from_answer
from server.readmodel import codec
from server.readmodel.cross_rules import CrossRule
from server.readmodel.declaration import Component, Declaration, Mentioned, UnitKind
from server.readmodel.expressions import REMEMBERED_MAX, Expression, choices_in, compiled, frame
from server.readmodel.identities import Identities
from server.readmodel.moments import claimed_moment, true_moment
from server.readmodel.tables import MILLIONTHS

KEPT = "~"
VALUE_MAX = 1_000_000_000
PART_MAX = 60  # characters

Facts = dict[str, Any]
Answers = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Mention:
    """What a record says of one unit that it mentions; `place` tells the mentions of one record apart."""

    kind: str
    unit_key: str
    place: int
    facts: Facts


@dataclass(frozen=True, slots=True)
class Said:
    facts: Facts
    mentions: Sequence[Mention]


class FactMaker:
    """The declaration's expressions, compiled once. `person_key` is the secret under which persons are
    recognized."""

    def __init__(self, declaration: Declaration, person_key: bytes) -> None:
        self._declaration = declaration
        self._identities = Identities(person_key)
        self._readers = cache(lambda unit, form_id: _sorted_out(_readers_of(declaration, unit, form_id)))

    def read(
        self,
        record: Mapping[str, Any],
        unit_key: str,
        received_at: str,
        rules: Sequence[str] = (),
    ) -> Said:
        """What a checked record says; nothing for a form that feeds nothing. `unit_key` is its own unit's,
        `rules` are those that it broke by itself."""
        form_id = str(record.get("form_id"))
        unit = self._declaration.unit_of_form(form_id)
        if unit is None:
            return Said({}, ())
        answers = record.get("answers")
        source = Source(record, answers if isinstance(answers, dict) else {}, received_at, rules)
        facts = self._facts(unit.name, form_id, source) | {KEPT: _kept(unit, source)}
        return Said(facts, list(self._mentions(form_id, source, unit_key)))

    def _facts(self, unit: str, form_id: str, source: Source) -> Facts:
        by_choices, others = self._readers(unit, form_id)
        found = dict(by_choices.read(source))
        for reader in others:
            value = reader.read(source)
            if value is not None:
                found[reader.name] = value
        return found

    def _mentions(self, form_id: str, source: Source, unit_key: str) -> Iterator[Mention]:
        for mentioned in self._declaration.mentioned.values():
            if mentioned.form != form_id:
                continue
            for place, instance in enumerate(source.instances_of(mentioned.each)):
                key = self._identities.of(mentioned.identity, instance.frame, unit_key)
                if key:
                    facts = self._facts(mentioned.name, form_id, instance)
                    if self._stays(mentioned, instance):
                        facts[STAYS] = 1
                    yield Mention(mentioned.name, key, place, facts)

    def _stays(self, mentioned: Mentioned, source: Source) -> bool:
        unless = mentioned.stays_unless
        return unless is None or not source.holds(compiled(unless))


STAYS = "@"  # this mention says where the unit is


def _readers_of(declaration: Declaration, unit: str, form_id: str) -> Iterator[_Reader]:
    """Of what records of one form say to a unit, or of it."""
    for component in declaration.of_unit(unit):
        if component.said != component.name or component.kind in UNSAID:
            continue
        if component.form in (None, form_id):
            yield (_ThenReader if component.kind in THEN else _ComponentReader)(component)
    for rule in declaration.rules_of(unit):
        if rule.kind in RULE_READERS and rule.form in (None, form_id):
            yield _RuleReader(rule)


UNSAID = ("register", "flagged")  # what no single record says


def _sorted_out(readers: Iterator[_Reader]) -> tuple[_ByChoices, list[_Reader]]:
    found = list(readers)
    together = [reader for reader in found if reader.reads is not None]
    return _ByChoices(together), [reader for reader in found if reader.reads is None]


class _ByChoices:
    """Readers of whom all that they read is choices: what they say together is remembered by those."""

    def __init__(self, readers: Sequence[_Reader]) -> None:
        self._readers = readers
        self._reads = sorted(set().union(*(reader.reads or () for reader in readers)))
        self._remembered: dict[tuple[Any, ...], Facts] = {}

    def read(self, source: Source) -> Facts:
        """Not to be changed."""
        frame, answers = source.frame, source.answers
        key = tuple([(frame.get(name), answers.get(name)) for name in self._reads])
        # Text only: a number and a boolean may be equal, and yet not mean the same.
        if not all((a is None or type(a) is str) and (b is None or type(b) is str) for a, b in key):
            return self._say(source)
        found = self._remembered.get(key)
        if found is None:
            if len(self._remembered) >= REMEMBERED_MAX:
                self._remembered.clear()
            found = self._remembered[key] = self._say(source)
        return found

    def _say(self, source: Source) -> Facts:
        said = ((reader.name, reader.read(source)) for reader in self._readers)
        return {name: value for name, value in said if value is not None}


def _kept(unit: UnitKind, source: Source) -> dict[str, Any]:
    return {
        name: source.answers[name]
        for name in unit.keep
        if isinstance(source.answers.get(name), str | int | float)
    }


class Source:
    """A record as expressions see it: an answer hides the envelope's field of the same name."""

    def __init__(
        self, record: Mapping[str, Any], answers: Answers, received_at: str, rules: Sequence[str] = ()
    ) -> None:
        self.answers, self.received_at, self.skew_s = answers, received_at, record.get("clock_skew_s")
        self.rules, self.gps = rules, record.get("gps")
        self.frame = frame({**record, "answers": None, "received_at": received_at, **answers})
        self.environment = Environment(self.frame)
        self._values: dict[Expression, Any] = {}

    def value(self, expression: Expression) -> Any:
        """What several readers ask is worked out once. Raises TooMuch."""
        if expression not in self._values:
            self._values[expression] = expression(self.environment)
        return self._values[expression]

    def holds(self, expression: Expression | None) -> bool:
        return expression is None or to_boolean(self.value(expression))

    def instances(self, repeat: str | None) -> Iterator[Environment]:
        return (source.environment for source in self.instances_of(repeat))

    def instances_of(self, repeat: str | None) -> Iterator[Source]:
        """Each instance as if it were a record; its answers hide the record's."""
        if repeat is None:
            yield self
            return
        rows = self.answers.get(repeat)
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, dict):
                yield self._instance(row)

    def _instance(self, row: Answers) -> Source:
        instance = object.__new__(Source)
        instance.__dict__ = {**self.__dict__, "answers": row, "frame": {**self.frame, **frame(row)}}
        instance.environment, instance._values = Environment(instance.frame), {}
        return instance


class _Reader:
    """What a record says under one name; None says nothing, and so does an expression that runs out of
    bounds."""

    def __init__(self, name: str, read: Callable[..., Any], where: str | None) -> None:
        self.name, self._read, self._where = name, read, _compiled(where)
        # The answers from which all follows that it says; None when there is more to it than choices.
        self.reads: frozenset[str] | None = None

    def read(self, source: Source) -> Any:
        try:
            return self._read(self, source) if source.holds(self._where) else None
        except TooMuch:
            return None


def _compiled(text: str | None) -> Expression | None:
    return compiled(text) if text else None


class _ComponentReader(_Reader):
    def __init__(self, component: Component) -> None:
        super().__init__(component.name, READERS[component.kind], component.where)
        self.component = component
        self._value, self._by, self._then, self._on = map(
            _compiled, (component.value, component.by, component.then, component.on)
        )
        self._counts = _compiled(component.counts)
        if component.kind in BY_CHOICES:
            self.reads = choices_in(component.where, component.then)
        if self.reads is not None and component.answer:
            self.reads |= {component.answer}

    def holds(self, source: Source) -> int:
        return 1

    def code(self, source: Source) -> str | None:
        value = source.answers.get(self.component.answer or "")
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

    def read(self, source: Source) -> Any:
        try:
            holds, then = source.holds(self._where), self._then is not None and source.holds(self._then)
            return self._read(self, source, holds, then) if holds or then else None
        except TooMuch:
            return None

    def followed(self, source: Source, holds: bool, then: bool) -> list[int]:
        return [int(holds), int(then)]

    def stay(self, source: Source, holds: bool, then: bool) -> list[Any]:
        """[whether, whether what follows holds, codes from the narrowest, the day that decides]"""
        codes = to_string(source.value(self._value)).split() if self._value else []
        day = to_string(source.value(self._on)) if self._on else ""
        return [int(holds), int(then), [code[:PART_MAX] for code in codes], day[:10]]


class _RuleReader(_Reader):
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


def millionths(value: Any) -> int | None:
    number = to_number(value) if value != "" else math.nan
    return round(number * MILLIONTHS) if abs(number) <= VALUE_MAX else None


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
