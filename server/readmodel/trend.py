"""An indicator day by day, from the cells of one area."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from server.readmodel.declaration import Indicator
from server.readmodel.figures import Sums, figure

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
    """`rows` are (component, part, day, millionths), none later than the last day."""
    by_day: dict[str, list[tuple[str, str, int]]] = {}
    sums: Sums = {}
    for component, part, day, value in rows:
        if day < days[0]:
            sums["so_far", component, part] = sums.get(("so_far", component, part), 0) + value
        else:
            by_day.setdefault(day, []).append((component, part, value))
    result = []
    for day in days:
        _step(sums, by_day.get(day, []))
        result.append({"day": day, "value": figure(indicator, sums)["value"]})
    return result


def _step(sums: Sums, changes: list[tuple[str, str, int]]) -> None:
    for key in [key for key in sums if key[0] == "day"]:
        del sums[key]
    for component, part, value in changes:
        sums["day", component, part] = value
        sums["so_far", component, part] = sums.get(("so_far", component, part), 0) + value
