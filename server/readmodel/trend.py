"""An indicator day by day, from the cells of one area."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from server.readmodel.declaration import Indicator
from server.readmodel.figures import WEEK_DAYS, Sums, add_to, days_before, figure, scopes_of, week_start

DAYS_MAX = 366


def days_between(from_day: str, to_day: str) -> list[str]:
    """Raises ValueError for days that are none, in the wrong order, or more than DAYS_MAX apart."""
    first, last = date.fromisoformat(from_day), date.fromisoformat(to_day)
    length = (last - first).days + 1
    if not 1 <= length <= DAYS_MAX:
        raise ValueError(f"a trend spans 1 to {DAYS_MAX} days")
    return [(first + timedelta(days=offset)).isoformat() for offset in range(length)]


def values_by_day(
    indicator: Indicator, rows: Sequence[tuple[Any, ...]], days: Sequence[str]
) -> list[dict[str, Any]]:
    """[{day, value, seven_days?}]; `rows` are (component, part, day, millionths), none later than the last
    day."""
    by_day: dict[str, list[tuple[str, str, int]]] = {}
    sums: Sums = {}
    first, week = days[0], week_start(days[0])
    for component, part, day, value in rows:
        if day >= week:
            by_day.setdefault(day, []).append((component, part, value))
        if day < first:
            for scope in scopes_of(day, first, week):
                add_to(sums, scope, component, part, value)
    result = []
    for day in days:
        leaving = [] if day == first else by_day.get(days_before(day, WEEK_DAYS), [])
        _step(sums, by_day.get(day, []), leaving)
        found = figure(indicator, sums)
        point = {"day": day, "value": found["value"]}
        if "seven_days" in found:
            point["seven_days"] = found["seven_days"]["value"]
        result.append(point)
    return result


def _step(sums: Sums, changes: list[tuple[str, str, int]], leaving: list[tuple[str, str, int]]) -> None:
    """`leaving` is what is no longer within seven days."""
    for key in [key for key in sums if key[0] == "day"]:
        del sums[key]
    for component, part, value in leaving:
        add_to(sums, "week", component, part, -value)
    for component, part, value in changes:
        for scope in ("day", "week", "so_far"):
            add_to(sums, scope, component, part, value)
