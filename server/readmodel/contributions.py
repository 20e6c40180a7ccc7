"""What one unit adds to the cells, from its effective records: a pure function, so that order and repetition
cannot matter.

Day kinds add to the day on which something happened. Level kinds hold from a day on: they are written as
steps (+1 on the day on which a
household was first reached), so that the sum of all days up to D is the value at D. A level counts only while
its unit is active.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from itertools import groupby
from typing import Any

from schemas.expressions import Environment, to_string
from server.readmodel import codec
from server.readmodel.declaration import Component, Declaration
from server.readmodel.expressions import compiled, frame
from server.readmodel.facts import Facts
from server.readmodel.moments import BEIJING, next_day, parse, stamp
from server.readmodel.quantities import convert, millionths
from server.readmodel.tables import MILLIONTHS, NEVER

ONE = MILLIONTHS
FIRST_DAY = "0001-01-01"
INTERVAL_H_MAX = 24 * 400

Contributions = dict[str, dict[str, int]]  # "component" or "component|part" -> day -> millionths
Steps = list[tuple[str, int]]  # from this day on, this value


@dataclass(frozen=True, slots=True)
class Entry:
    """An effective record as its unit sees it. A history is sorted by (work_date, happened_at, record_id).
    Of a record that mentions the unit, `about` is the unit that it is about. `root_id` is the chain of a
    record about the unit."""

    record_id: str
    work_date: str
    happened_at: str
    device_id: str
    facts: Facts
    village_code: str = ""
    about: str = ""
    root_id: str = ""


@dataclass(frozen=True)
class Unit:
    """`listed`: the register has it, or it joined. `entry` is the register's document. `twins` are roster
    entries of the same household
    and campaign."""

    kind: str
    key: str
    unit_id: str
    village_code: str
    listed: bool
    active_from: str = ""
    active_to: str = NEVER
    entry: Mapping[str, Any] = field(default_factory=dict)
    twins: tuple[str, ...] = ()

    @cached_property
    def entitlement(self) -> dict[str, tuple[int, str]]:
        """{item: (millionths, unit)}"""
        rows = self.entry.get("entitlement")
        found: dict[str, tuple[int, str]] = {}
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, dict) and isinstance(row.get("item_code"), str):
                quantity, unit = millionths(row.get("qty", "")) or 0, row.get("unit")
                found[row["item_code"]] = (quantity, unit if isinstance(unit, str) else "")
        return found


def order(entry: Entry) -> tuple[str, str, str]:
    return (entry.work_date, entry.happened_at, entry.record_id)


def contributions(
    unit: Unit,
    history: Sequence[Entry],
    declaration: Declaration,
    settings: Mapping[str, Any],
    flags: Sequence[tuple[str, Mapping[str, Any]]] = (),
) -> Contributions:
    """`flags` are (record id, problem) of the history's records."""
    result: Contributions = {}
    said = set().union(*(entry.facts for entry in history))
    for component in declaration.of_unit(unit.kind):
        if component.kind in BY_FACTS and component.said not in said:
            continue
        found = (
            _flagged(component, history, flags)
            if component.kind == "flagged"
            else KINDS[component.kind](component, unit, history, settings)
        )
        of = of_entry(component, unit)
        for part, days in found.items():
            kept = {day: value for day, value in days.items() if value}
            whole = f"{of} {part}".strip()
            if kept:
                result[f"{component.name}|{whole}" if whole else component.name] = kept
    return result


def of_entry(component: Component, unit: Unit) -> str:
    """What of the register's entry divides the component; "" where nothing does."""
    if component.of is None or not isinstance(unit.entry, Mapping):
        return ""
    return codec.key(to_string(compiled(component.of)(Environment(frame(unit.entry)))))


def settled_on(unit: Unit, history: Sequence[Entry], declaration: Declaration) -> str:
    """The first day on which the unit's `settles` component holds; NEVER before."""
    for component in declaration.of_unit(unit.kind):
        if component.settles:
            steps = STEPS[component.kind](component, unit, history)
            return next((day for day, value in steps.get("", []) if value), NEVER)
    return NEVER


def _said(component: Component, history: Sequence[Entry]) -> list[tuple[Entry, Any]]:
    name = component.said
    return [(entry, entry.facts[name]) for entry in history if name in entry.facts]


# Day kinds


Days = dict[str, dict[str, int]]  # part -> day -> millionths


def _count_records(component: Component, unit: Unit, history: Sequence[Entry], settings: Any) -> Days:
    days: dict[str, int] = {}
    for entry, _ in _said(component, history):
        days[entry.work_date] = days.get(entry.work_date, 0) + ONE
    return {"": days}


def _count_units_day(component: Component, unit: Unit, history: Sequence[Entry], settings: Any) -> Days:
    return {"": {entry.work_date: ONE for entry, _ in _said(component, history)}}


def _sum(component: Component, unit: Unit, history: Sequence[Entry], settings: Any) -> Days:
    result: Days = {}
    for entry, amounts in _said(component, history):
        for part, amount in amounts.items():
            days = result.setdefault(part, {})
            days[entry.work_date] = days.get(entry.work_date, 0) + amount
    return result


def _flagged(
    component: Component, history: Sequence[Entry], flags: Sequence[tuple[str, Mapping[str, Any]]]
) -> Days:
    """By rule, and in all: a record counts once for each."""
    result: Days = {}
    day_of = {entry.record_id: entry.work_date for entry in history} if flags else {}
    for record_id, problem in flags:
        if problem["rule"] in component.rules:
            for part in ("", problem["rule"]):
                days = result.setdefault(part, {})
                days[day_of[record_id]] = days.get(day_of[record_id], 0) + ONE
    return result


def _new_units(component: Component, unit: Unit, history: Sequence[Entry], settings: Any) -> Days:
    said = _said(component, history)
    return {"": {said[0][0].work_date: ONE}} if said else {}


def _new_without(
    component: Component, unit: Unit, history: Sequence[Entry], settings: Mapping[str, Any]
) -> Days:
    """On its first day, unless what is to follow is said in time, by that record or a later one."""
    said = _said(component, history)
    start = next((place for place, (_, (holds, _)) in enumerate(said) if holds), None)
    if start is None:
        return {}
    first = said[start][0]
    until = _hours_after(first.happened_at, settings.get(component.within_h or ""))
    followed = any(then and entry.happened_at <= until for entry, (_, then) in said[start:])
    return {} if followed else {"": {first.work_date: ONE}}


def _hours_after(moment: str, hours: Any) -> str:
    start = parse(moment)
    if start is None or isinstance(hours, bool) or not isinstance(hours, int | float):
        return moment
    return stamp(start + timedelta(hours=min(max(hours, 0), INTERVAL_H_MAX)))


def _new_from_area(
    component: Component, unit: Unit, history: Sequence[Entry], settings: Mapping[str, Any]
) -> Days:
    found = _first_stay(component, history, settings)
    return {part: {found[0].work_date: ONE} for part in ("", found[1])} if found else {}


def _first_stay(
    component: Component, history: Sequence[Entry], settings: Mapping[str, Any]
) -> tuple[Entry, str] | None:
    """The first record of a stay in a key area, and that area's code."""
    for entry, (holds, _, codes, day) in _said(component, history):
        area = key_area(codes, day or entry.work_date, settings) if holds else None
        if area:
            return entry, area
    return None


def key_area(codes: Sequence[str], day: str, settings: Mapping[str, Any]) -> str | None:
    """The first code that the settings name as a key area on that day. "other" is always one: somebody said
    that it was a key area, and named none of the list."""
    rows = settings.get("key_areas")
    areas = [row for row in (rows if isinstance(rows, list) else ()) if isinstance(row, dict)]
    for code in codes:
        spans = [
            (str(row.get("valid_from") or ""), str(row.get("valid_to") or NEVER))
            for row in areas
            if row.get("code") == code
        ]
        if code == "other" or any(start <= day <= end for start, end in spans):
            return code
    return None


def _max_per_day(component: Component, unit: Unit, history: Sequence[Entry], settings: Any) -> Days:
    days: dict[str, int] = {}
    for entry, amount in _said(component, history):
        days[entry.work_date] = max(days.get(entry.work_date, 0), amount)
    return {"": days}


def _best_rank_day(component: Component, unit: Unit, history: Sequence[Entry], settings: Any) -> Days:
    by_day = groupby(_said(component, history), key=lambda said: said[0].work_date)
    best = {day: _best(component, [code for _, code in said]) for day, said in by_day}
    return {"": {day: ONE for day, code in best.items() if code == component.wanted}}


def _best(component: Component, codes: Sequence[str]) -> str:
    """Among codes of the highest rank the last."""
    return max(enumerate(codes), key=lambda item: (component.ranks[item[1]], item[0]))[1]


def _within_interval(component: Component, unit: Unit, history: Sequence[Entry], settings: Any) -> Days:
    """The days at whose end the point's last disinfection is no older than its interval."""
    if not unit.listed:
        return {}
    interval = timedelta(hours=interval_h(unit, settings))
    days: dict[str, int] = {}
    for _, moment in _said(component, history):
        for day in _day_ends(moment, interval):
            if unit.active_from <= day <= unit.active_to:
                days[day] = ONE
    return {"": days}


def _day_ends(moment: str, interval: timedelta) -> list[str]:
    ended = parse(moment)
    if ended is None:
        return []
    midnight = ended.astimezone(BEIJING).replace(hour=0, minute=0, second=0, microsecond=0)
    found, end = [], midnight + timedelta(days=1)
    while end <= ended + interval:
        found.append((end - timedelta(days=1)).date().isoformat())
        end += timedelta(days=1)
    return found


def interval_h(unit: Unit, settings: Mapping[str, Any]) -> float:
    for value in (unit.entry.get("interval_h"), settings.get("disinfect_interval_h")):
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= INTERVAL_H_MAX:
            return value
    return 24


# Level kinds


def _first_day(component: Component, unit: Unit, history: Sequence[Entry]) -> dict[str, Steps]:
    said = _said(component, history)
    return {"": [(said[0][0].work_date, ONE)]} if said else {}


def _best_rank(component: Component, unit: Unit, history: Sequence[Entry]) -> dict[str, Steps]:
    steps: Steps = []
    best = None
    for entry, code in _said(component, history):
        best = code if best is None else _best(component, [best, code])
        steps.append((entry.work_date, ONE if best == component.wanted else 0))
    return {"": steps}


def _latest(component: Component, unit: Unit, history: Sequence[Entry]) -> dict[str, Steps]:
    return {"": [(entry.work_date, amount) for entry, amount in _said(component, history)]}


def _fulfilled(component: Component, unit: Unit, history: Sequence[Entry]) -> dict[str, Steps]:
    got: dict[str, int] = {}
    steps: Steps = []
    for entry, items in _said(component, history):
        add_items(got, items, unit)
        steps.append((entry.work_date, ONE if HOLDS[component.wanted or ""](got, unit) else 0))
    return {"": steps}


def _handed_out(component: Component, unit: Unit, history: Sequence[Entry]) -> dict[str, Steps]:
    got: dict[str, int] = {}
    steps: dict[str, Steps] = {}
    for entry, items in _said(component, history):
        add_items(got, items, unit)
        for part in dict.fromkeys(item[0] for item in items):
            steps.setdefault(part, []).append((entry.work_date, got[part]))
    return steps


def _balance(component: Component, unit: Unit, history: Sequence[Entry]) -> dict[str, Steps]:
    held: dict[str, int] = {}
    steps: dict[str, Steps] = {}
    for entry, moves in _said(component, history):
        for part, amount, counts in moves:
            held[part] = amount if counts else held.get(part, 0) + amount
            steps.setdefault(part, []).append((entry.work_date, held[part]))
    return steps


def add_items(got: dict[str, int], items: Sequence[Sequence[Any]], unit: Unit) -> None:
    """Quantities in the entitlement's units."""
    for code, quantity, written in items:
        wanted = unit.entitlement.get(code, (0, written))[1]
        got[code] = got.get(code, 0) + convert(quantity, written, wanted)


def is_done(got: Mapping[str, int], unit: Unit) -> bool:
    due = unit.entitlement
    return bool(due) and all(got.get(code, 0) >= quantity for code, (quantity, _) in due.items())


def is_partial(got: Mapping[str, int], unit: Unit) -> bool:
    return any(quantity > 0 for quantity in got.values()) and not is_done(got, unit)


def items_over(got: Mapping[str, int], unit: Unit) -> set[str]:
    return {code for code, quantity in got.items() if quantity > unit.entitlement.get(code, (0, ""))[0]}


def is_over(got: Mapping[str, int], unit: Unit) -> bool:
    return bool(items_over(got, unit))


HOLDS: Mapping[str, Callable[[Mapping[str, int], Unit], bool]] = {
    "done": is_done,
    "partial": is_partial,
    "over": is_over,
}

STEPS: Mapping[str, Callable[[Component, Unit, Sequence[Entry]], dict[str, Steps]]] = {
    "first_day": _first_day,
    "best_rank": _best_rank,
    "latest": _latest,
    "fulfilled": _fulfilled,
    "handed_out": _handed_out,
    "balance": _balance,
}


def _from_area(
    component: Component, unit: Unit, history: Sequence[Entry], settings: Mapping[str, Any]
) -> Days:
    found = _first_stay(component, history, settings)
    if not found:
        return {}
    day: str | None = found[0].work_date
    if component.kind == "from_area_then":
        later = _said(component, history[history.index(found[0]) :])
        day = next((entry.work_date for entry, (_, then, _, _) in later if then), None)
    return {part: _while_active([(day, ONE)], unit) for part in ("", found[1])} if day else {}


def _register(component: Component, unit: Unit, history: Sequence[Entry], settings: Any) -> Days:
    if not unit.listed:
        return {}
    amounts = _entry_amounts(component, unit) if component.value else {"": ONE}
    return {part: _while_active([(FIRST_DAY, amount)], unit) for part, amount in amounts.items()}


def _entry_amounts(component: Component, unit: Unit) -> dict[str, int]:
    value, by = compiled(component.value or "''"), compiled(component.by or "''")
    rows = unit.entry.get(component.each) if component.each else [unit.entry]
    result: dict[str, int] = {}
    for row in rows if isinstance(rows, list) else ():
        environment = Environment(frame(row)) if isinstance(row, dict) else None
        amount = millionths(value(environment)) if environment else None
        if environment and amount is not None:
            part = to_string(by(environment))
            result[part] = result.get(part, 0) + amount
    return result


def _level(component: Component, unit: Unit, history: Sequence[Entry], settings: Any) -> Days:
    if not unit.listed:
        return {}
    steps = STEPS[component.kind](component, unit, history)
    return {part: _while_active(rows, unit) for part, rows in steps.items()}


def _while_active(steps: Steps, unit: Unit) -> dict[str, int]:
    """Differences from day to day of what holds while the unit is active; `steps` are in order of day, the
    last of a day holds."""
    start = unit.active_from or FIRST_DAY
    values = {day: value for day, value in steps if start < day <= unit.active_to}
    before = [value for day, value in steps if day <= start]
    if before and start <= unit.active_to:
        values = {start: before[-1], **values}
    if unit.active_to < NEVER:
        values[next_day(unit.active_to)] = 0
    result, held = {}, 0
    for day, value in values.items():
        result[day] = value - held
        held = value
    return result


# Kinds to which a unit adds nothing while none of its records says anything about the component.
BY_FACTS = {
    "count_records",
    "count_units_day",
    "sum",
    "rules",
    "spread",
    "max_per_day",
    "best_rank_day",
    "within_interval",
    *STEPS,
}
KINDS: Mapping[str, Callable[[Component, Unit, Sequence[Entry], Mapping[str, Any]], Days]] = {
    "count_records": _count_records,
    "count_units_day": _count_units_day,
    "sum": _sum,
    "rules": _sum,
    "spread": _sum,
    "new_units": _new_units,
    "new_without": _new_without,
    "new_from_area": _new_from_area,
    "from_area": _from_area,
    "from_area_then": _from_area,
    "max_per_day": _max_per_day,
    "best_rank_day": _best_rank_day,
    "within_interval": _within_interval,
    "register": _register,
    **dict.fromkeys(STEPS, _level),
}
