"""Flags that only a unit's whole history shows. They follow from the effective records alone: a correction
takes them back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any

from server.readmodel.contributions import Entry, Unit, add_items, items_over
from server.readmodel.facts import KEPT
from server.readmodel.moments import parse
from server.readmodel.problems import problem
from server.readmodel.states import ITEMS_OF_ENTRY

Problem = dict[str, Any]
Flag = tuple[str, Problem]  # record id, problem
DUPLICATE_MIN = 10


def flags(unit: Unit, history: Sequence[Entry], settings: Mapping[str, Any]) -> list[Flag]:
    """At most one flag of a rule for a record."""
    found = FLAGS[unit.kind](unit, history, settings)
    return list({(record_id, problem["rule"]): (record_id, problem) for record_id, problem in found}.values())


def _household(unit: Unit, history: Sequence[Entry], settings: Mapping[str, Any]) -> list[Flag]:
    found: list[Flag] = []
    for _, day in groupby(history, key=lambda entry: entry.work_date):
        said = [entry for entry in day if _kept(entry, "q_fever") in ("yes", "no")]
        if len({_kept(entry, "q_fever") for entry in said}) > 1:
            found += [(entry.record_id, problem("FEVER_CONFLICT", "q_fever")) for entry in said]
    return found


def _kept(entry: Entry, name: str) -> Any:
    return entry.facts.get(KEPT, {}).get(name)


def _point(unit: Unit, history: Sequence[Entry], settings: Mapping[str, Any]) -> list[Flag]:
    if unit.unit_id.startswith("~"):
        return []
    limit = timedelta(minutes=_minutes(settings))
    started = [
        (moment, entry) for entry in history if (moment := parse(_kept(entry, "started_at"))) is not None
    ]
    started.sort(key=lambda item: (item[0], item[1].record_id))
    found: list[Flag] = []
    for index, (moment, entry) in enumerate(started):
        for later, other in started[index + 1 :]:
            if later - moment > limit:
                break
            if other.device_id != entry.device_id:
                found += [
                    (one.record_id, problem("DUPLICATE_DISINFECTION", "started_at")) for one in (entry, other)
                ]
    return found


def _minutes(settings: Mapping[str, Any]) -> float:
    value = settings.get("duplicate_disinfection_min")
    return value if isinstance(value, int | float) and 0 <= value < 10_000 else DUPLICATE_MIN


def _roster_entry(unit: Unit, history: Sequence[Entry], settings: Mapping[str, Any]) -> list[Flag]:
    got: dict[str, int] = {}
    for entry in history:
        add_items(got, _items(entry), unit)
    over = items_over(got, unit) if unit.listed else set()
    found = [
        (entry.record_id, problem("V031", "rep_item"))
        for entry in history
        if over & {item[0] for item in _items(entry)}
    ]
    if unit.twins:
        found += [(entry.record_id, problem("DOUBLE_ROSTER", "roster_entry_id")) for entry in history]
    return found


def _items(entry: Entry) -> Sequence[Sequence[Any]]:
    items: Sequence[Sequence[Any]] = entry.facts.get(ITEMS_OF_ENTRY, ())
    return items


FLAGS: Mapping[str, Callable[[Unit, Sequence[Entry], Mapping[str, Any]], list[Flag]]] = {
    "household": _household,
    "point": _point,
    "roster_entry": _roster_entry,
}
