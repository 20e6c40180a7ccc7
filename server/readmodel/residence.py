"""Where those count whom several villages mention: each day at the place where they were last found by then.

So a person who was registered in two villages counts once, and the parts still sum to the whole.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence

from server.readmodel.contributions import Contributions, Entry
from server.readmodel.declaration import LEVEL_KINDS, Declaration
from server.readmodel.facts import STAYS

Residence = list[tuple[str, str]]  # from this day on, this village; in order of day
Located = dict[str, Contributions]  # village -> what is counted in it


def residence(history: Sequence[Entry]) -> Residence:
    """Of a day the last mention holds; those that do not say where somebody is matter only when there is no
    other."""
    said = [entry for entry in history if STAYS in entry.facts] or list(history)
    by_day = {entry.work_date: entry.village_code for entry in said}
    return list(by_day.items())


def located(contributions: Contributions, places: Residence, declaration: Declaration) -> Located:
    result: Located = defaultdict(dict)
    for name, days in contributions.items():
        level = declaration.components[name.partition("|")[0]].kind in LEVEL_KINDS
        for village, day, value in _moving(days, places) if level else _daily(days, places):
            there = result[village].setdefault(name, {})
            there[day] = there.get(day, 0) + value
    return {village: _without_zeros(found) for village, found in result.items()}


def _without_zeros(contributions: Contributions) -> Contributions:
    return {
        name: {day: value for day, value in days.items() if value} for name, days in contributions.items()
    }


def _at(places: Residence, day: str) -> str:
    """Before the first place is known, it is the first."""
    return places[max(bisect_right(places, (day, "\U0010ffff")) - 1, 0)][1]


def _daily(days: dict[str, int], places: Residence) -> list[tuple[str, str, int]]:
    return [(_at(places, day), day, value) for day, value in days.items()]


def _moving(days: dict[str, int], places: Residence) -> list[tuple[str, str, int]]:
    """A level is taken along: its value leaves the old village and enters the new one."""
    steps: list[tuple[str, str, int]] = []
    held, village = 0, ""
    for day in sorted({*days, *(day for day, _ in places)}):
        value, there = held + days.get(day, 0), _at(places, day)
        steps += [(village, day, -held), (there, day, value)] if held else [(there, day, value)]
        held, village = value, there
    return [step for step in steps if step[2]]
