"""Pairs of records that may say the same thing twice, one function for each kind of `forms/cross_rules.json`
that can `suspect`. Like the flags they follow from the effective records of a unit alone: when one of a pair
is voided, withdrawn or corrected, the pair is gone."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from server.readmodel.contributions import Entry, Unit, order
from server.readmodel.cross_rules import CrossRule
from server.readmodel.declaration import Declaration
from server.readmodel.flagging import MINUTES_MAX, beginnings, handed_out_over, said_by

# However many records a unit has on a day, each is paired with so many that come after it.
PARTNERS_MAX = 5

Settings = Mapping[str, Any]
Two = tuple[Entry, Entry]


@dataclass(frozen=True, slots=True)
class Pair:
    """`first` was made before `second`."""

    rule: CrossRule
    first: Entry
    second: Entry

    @property
    def key(self) -> str:
        return pair_key(self.first.root_id, self.second.root_id)


def pair_key(one_root: str, other_root: str) -> str:
    """Names two chains, so that a correction of either leaves what was decided about them."""
    both = "\n".join(sorted((one_root, other_root)))
    return hashlib.sha256(both.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def pairs(unit: Unit, history: Sequence[Entry], declaration: Declaration, settings: Settings) -> list[Pair]:
    """Each pair once, by the rule declared first."""
    found: dict[str, Pair] = {}
    for rule in declaration.rules_of(unit.kind):
        if rule.suspects:
            for one, other in PAIRS[rule.kind](rule, unit, history, settings):
                pair = Pair(rule, *sorted((one, other), key=order))
                found.setdefault(pair.key, pair)
    return list(found.values())


def _each_with_the_next(entries: Sequence[Entry]) -> Iterator[Two]:
    for at, one in enumerate(entries):
        yield from ((one, other) for other in entries[at + 1 : at + 1 + PARTNERS_MAX])


def _repeated_on_a_day(
    rule: CrossRule, unit: Unit, history: Sequence[Entry], settings: Settings
) -> Iterator[Two]:
    """Records of a day that say the same."""
    alike: dict[tuple[str, Any], list[Entry]] = defaultdict(list)
    for entry, value in said_by(rule, history):
        alike[entry.work_date, value].append(entry)
    for entries in alike.values():
        yield from _each_with_the_next(entries)


def _crowded(rule: CrossRule, unit: Unit, history: Sequence[Entry], settings: Settings) -> Iterator[Two]:
    """Records that begin within `within_min` of each other; with `differ`, from two devices."""
    minutes = rule.bound("within_min", settings)
    if minutes is None or not 0 <= minutes < MINUTES_MAX:
        return
    begun = beginnings(rule, history)
    moments = {entry.record_id: moment for moment, entry in begun}
    for one, other in _each_with_the_next([entry for _, entry in begun]):
        apart = rule.differ is None or getattr(one, rule.differ) != getattr(other, rule.differ)
        if apart and moments[other.record_id] - moments[one.record_id] <= timedelta(minutes=minutes):
            yield one, other


def _over_entitlement(
    rule: CrossRule, unit: Unit, history: Sequence[Entry], settings: Settings
) -> Iterator[Two]:
    """Records that both have an item of which the entry got more than is due."""
    over = {entry.record_id: items for entry, items in handed_out_over(rule, unit, history) if items}
    for one, other in _each_with_the_next([entry for entry in history if entry.record_id in over]):
        if over[one.record_id] & over[other.record_id]:
            yield one, other


PAIRS: Mapping[str, Callable[[CrossRule, Unit, Sequence[Entry], Settings], Iterator[Two]]] = {
    "repeated_on_a_day": _repeated_on_a_day,
    "crowded": _crowded,
    "over_entitlement": _over_entitlement,
}
