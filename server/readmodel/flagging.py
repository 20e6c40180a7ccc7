"""Flags that only several records together show, one function for each kind of `forms/cross_rules.json`.
They follow from the effective records of a unit alone: a correction takes them back, and the order of
arrival cannot matter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from statistics import median_low
from typing import Any

from server.readmodel.contributions import Entry, Unit, add_items, items_over
from server.readmodel.cross_rules import CrossRule
from server.readmodel.declaration import Declaration
from server.readmodel.distances import box_m
from server.readmodel.moments import parse
from server.readmodel.readers import RULE
from server.readmodel.tables import MILLIONTHS

Problem = dict[str, Any]
Flag = tuple[str, Problem]  # record id, problem
Settings = Mapping[str, Any]
Said = list[tuple[Entry, Any]]  # in order of the history


def flags(unit: Unit, history: Sequence[Entry], declaration: Declaration, settings: Settings) -> list[Flag]:
    """At most one flag of a rule for a record: that of the clause declared first."""
    found: dict[tuple[str, str], Flag] = {}
    for rule in declaration.rules_of(unit.kind):
        for entry in KINDS[rule.kind](rule, unit, history, settings) if rule.kind in KINDS else ():
            found.setdefault((entry.record_id, rule.rule), (entry.record_id, rule.problem()))
    return list(found.values())


def said_by(rule: CrossRule, history: Sequence[Entry]) -> Said:
    name = RULE + rule.name
    return [(entry, entry.facts[name]) for entry in history if name in entry.facts]


def _differ_on_a_day(
    rule: CrossRule, unit: Unit, history: Sequence[Entry], settings: Settings
) -> Iterator[Entry]:
    """Records of a day that do not all say the same."""
    for _, of_day in groupby(said_by(rule, history), key=lambda said: said[0].work_date):
        said = list(of_day)
        if len({value for _, value in said}) > 1:
            yield from (entry for entry, _ in said)


def _crowded(rule: CrossRule, unit: Unit, history: Sequence[Entry], settings: Settings) -> Iterable[Entry]:
    """Records of which more than `more_than` begin within `within_min`; with `differ`, not all from one
    device."""
    most, minutes = rule.bound("more_than", settings), rule.bound("within_min", settings)
    if most is None or minutes is None or not 0 <= minutes < MINUTES_MAX:
        return []
    begun = beginnings(rule, history)
    found: dict[str, Entry] = {}
    for window in _windows(begun, timedelta(minutes=minutes)):
        apart = rule.differ is None or len({getattr(entry, rule.differ) for entry in window}) > 1
        if len(window) > most and apart:
            found |= {entry.record_id: entry for entry in window}
    return found.values()


MINUTES_MAX = 100_000


def beginnings(rule: CrossRule, history: Sequence[Entry]) -> list[tuple[datetime, Entry]]:
    return sorted(_moments(said_by(rule, history)), key=lambda item: (item[0], item[1].record_id))


def _moments(said: Said) -> Iterator[tuple[datetime, Entry]]:
    return ((moment, entry) for entry, text in said if (moment := parse(text)) is not None)


def _windows(begun: Sequence[tuple[datetime, Entry]], length: timedelta) -> Iterator[list[Entry]]:
    """The entries from each beginning to `length` after it, as far as they hold more than the window
    before."""
    end = 0
    for start, (moment, _) in enumerate(begun):
        before = end
        while end < len(begun) and begun[end][0] - moment <= length:
            end += 1
        if end > before:
            yield [entry for _, entry in begun[start:end]]


def _over_entitlement(
    rule: CrossRule, unit: Unit, history: Sequence[Entry], settings: Settings
) -> Iterator[Entry]:
    """Records with an item of which the entry got more than is due."""
    yield from (entry for entry, over in handed_out_over(rule, unit, history) if over)


def handed_out_over(
    rule: CrossRule, unit: Unit, history: Sequence[Entry]
) -> Iterator[tuple[Entry, set[str]]]:
    """Each record with those of its items of which the entry got more than is due."""
    if not unit.listed:
        return
    got: dict[str, int] = {}
    items: list[Sequence[Sequence[Any]]] = [entry.facts.get(rule.items or "", ()) for entry in history]
    for handed in items:
        add_items(got, handed, unit)
    over = items_over(got, unit)
    for entry, handed in zip(history, items, strict=True):
        yield entry, over & {item[0] for item in handed}


def _listed_twice(
    rule: CrossRule, unit: Unit, history: Sequence[Entry], settings: Settings
) -> Sequence[Entry]:
    return history if unit.twins else ()


def _balance_below(
    rule: CrossRule, unit: Unit, history: Sequence[Entry], settings: Settings
) -> Iterator[Entry]:
    least = rule.bound("least", settings)
    for entry, _, after, counts in _balances(rule, history):
        if least is not None and after < least * MILLIONTHS and not counts:
            yield entry


def _count_differs(
    rule: CrossRule, unit: Unit, history: Sequence[Entry], settings: Settings
) -> Iterator[Entry]:
    """Where nothing was recorded before, there are no books to differ from."""
    share = rule.bound("more_than", settings)
    for entry, before, after, counts in _balances(rule, history):
        if share is not None and counts and before is not None and abs(after - before) > share * abs(before):
            yield entry


def _balances(rule: CrossRule, history: Sequence[Entry]) -> Iterator[tuple[Entry, int | None, int, bool]]:
    """(entry, balance before, balance after, whether it counts) of each part that each entry moves."""
    held: dict[str, int] = {}
    for entry in history:
        for part, amount, counts in entry.facts.get(rule.items or "", ()):
            before = held.get(part)
            held[part] = amount if counts else (before or 0) + amount
            yield entry, before, held[part], bool(counts)


def _median_below(
    rule: CrossRule, unit: Unit, history: Sequence[Entry], settings: Settings
) -> Iterator[Entry]:
    """Records below the bound, when half of enough records are."""
    least, enough = rule.bound("least", settings), rule.bound("of_at_least", settings)
    said = said_by(rule, history)
    if least is None or enough is None or not said or len(said) < enough:
        return
    if median_low([value for _, value in said]) < least * MILLIONTHS:
        yield from (entry for entry, value in said if value < least * MILLIONTHS)


def _alike_in_one_place(
    rule: CrossRule, unit: Unit, history: Sequence[Entry], settings: Settings
) -> Iterable[Entry]:
    """Runs of records, each of another household, with the same answers and positions closer than
    `within_m`."""
    enough, metres = rule.bound("of_at_least", settings), rule.bound("within_m", settings)
    if enough is None or metres is None or enough < 2:
        return []
    said = _last_of_each(said_by(rule, history))
    found: dict[str, Entry] = {}
    for start in range(len(said) - int(enough) + 1):
        run = said[start : start + int(enough)]
        if len({value[0] for _, value in run}) == 1 and box_m([value[1:] for _, value in run]) < metres:
            found |= {entry.record_id: entry for entry, _ in run}
    return found.values()


def _last_of_each(said: Said) -> Said:
    """The last record about each household, in order."""
    last = {entry.about: (entry, value) for entry, value in said}
    return [(entry, value) for entry, value in said if last[entry.about][0] is entry]


KINDS: Mapping[str, Callable[[CrossRule, Unit, Sequence[Entry], Settings], Iterable[Entry]]] = {
    "differ_on_a_day": _differ_on_a_day,
    "crowded": _crowded,
    "over_entitlement": _over_entitlement,
    "listed_twice": _listed_twice,
    "balance_below": _balance_below,
    "count_differs": _count_differs,
    "median_below": _median_below,
    "alike_in_one_place": _alike_in_one_place,
}
