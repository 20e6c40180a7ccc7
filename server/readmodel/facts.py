"""What one record says to the components: a small dict that depends on nothing but the record, so that units
are counted again
without reading answers again.

`{component: millionths | {part: millionths} | code | moment | […]}`, `{"!" + cross rule: text | moment |
number | […]}`, and under `KEPT` the answers that summaries need. A record also says something of those whom
it mentions: facts of the same shape for each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from server.readmodel.declaration import Declaration, Mentioned, UnitKind
from server.readmodel.expressions import REMEMBERED_MAX, compiled
from server.readmodel.identities import Identities
from server.readmodel.readers import Reader, readers_of
from server.readmodel.source import Source

KEPT = "~"
STAYS = "@"  # this mention says where the unit is

Facts = dict[str, Any]


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
        self._readers = cache(lambda unit, form_id: _Readers(readers_of(declaration, unit, form_id)))

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
        settled, others = self._readers(unit, form_id).decide(source)
        found = dict(settled)
        for name, say in others:
            value = say(source)
            if value is not None:
                found[name] = value
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


Asked = list[tuple[str, Callable[[Source], Any]]]
Decided = tuple[Facts, Asked]  # what the choices say, and who has to be asked besides
TEXTS = frozenset({str, type(None)})


class _Readers:
    """Of a form for a unit. What follows from a record's choices alone is remembered by those: what some say,
    and who of the others says anything."""

    def __init__(self, readers: Iterable[Reader]) -> None:
        found = list(readers)
        self._settled = [reader for reader in found if reader.settled]
        self._others = [reader for reader in found if not reader.settled]
        self._in_frame = sorted(set().union(*(reader.decided_by or () for reader in found)))
        self._in_answers = sorted({reader.answer for reader in self._settled if reader.answer})
        self._remembered: dict[tuple[Any, ...], Decided] = {}

    def decide(self, source: Source) -> Decided:
        """Not to be changed."""
        key = (*map(source.frame.get, self._in_frame), *map(source.answers.get, self._in_answers))
        # Text only: a number and a boolean may be equal, and yet not mean the same.
        if not TEXTS.issuperset(map(type, key)):
            return self._decide(source)
        found = self._remembered.get(key)
        if found is None:
            if len(self._remembered) >= REMEMBERED_MAX:
                self._remembered.clear()
            found = self._remembered[key] = self._decide(source)
        return found

    def _decide(self, source: Source) -> Decided:
        said = ((reader.name, reader.read(source)) for reader in self._settled)
        asked: Asked = [
            (each.name, each.read if each.decided_by is None else each.say)
            for each in self._others
            if each.decided_by is None or each.may_say(source)
        ]
        return {name: value for name, value in said if value is not None}, asked


def _kept(unit: UnitKind, source: Source) -> dict[str, Any]:
    return {
        name: source.answers[name]
        for name in unit.keep
        if isinstance(source.answers.get(name), str | int | float)
    }
