"""Figures: sums over cells. Their cost depends on the days and components that were counted, never on the
number of records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, Select, case, func, select

from server.readmodel.declaration import Indicator, Term
from server.readmodel.tables import MILLIONTHS, cells

Sums = dict[tuple[str, str, str], int]  # (scope, component, part) -> millionths; scope: day, week, so_far
Figure = dict[str, Any]
WEEK_DAYS = 7


def scopes_of(on: str, day: str, week: str) -> tuple[str, ...]:
    """What a cell of the day `on` counts in, seen from `day`; `week` is the first of the seven days that end
    with it."""
    if on > day:
        return ()
    return ("day", "week", "so_far") if on == day else ("week", "so_far") if on >= week else ("so_far",)


def week_start(day: str) -> str:
    """The first of the seven days that end with `day`."""
    return days_before(day, WEEK_DAYS - 1)


def days_before(day: str, days: int) -> str:
    """Empty for what lies before the first day that there is: it sorts before every day."""
    on = date.fromisoformat(day)
    return (on - timedelta(days=days)).isoformat() if (on - date.min).days >= days else ""


def sums_by_area(
    connection: Connection, area_codes: Sequence[str] | Select[Any], day: str, indicators: Iterable[Indicator]
) -> dict[str, Sums]:
    """Of areas, or of those that a query selects: of these only what counts anything is there."""
    components = sorted({name for indicator in indicators for name in indicator.components()})
    on_day = func.sum(case((cells.c.day == day, cells.c.value), else_=0))
    in_week = func.sum(case((cells.c.day >= week_start(day), cells.c.value), else_=0))
    rows = connection.execute(
        select(cells.c.area_code, cells.c.component, cells.c.part, on_day, in_week, func.sum(cells.c.value))
        .where(cells.c.area_code.in_(area_codes), cells.c.component.in_(components), cells.c.day <= day)
        .group_by(cells.c.area_code, cells.c.component, cells.c.part)
    ).all()
    result: dict[str, Sums] = {} if isinstance(area_codes, Select) else {code: {} for code in area_codes}
    for code, component, part, today, week, so_far in rows:
        sums = result.setdefault(code, {})
        sums["day", component, part] = int(today)
        sums["week", component, part] = int(week)
        sums["so_far", component, part] = int(so_far)
    return result


def figure(indicator: Indicator, sums: Sums) -> Figure:
    """{"value", "numerator"?, "denominator"?, "parts"?, "cumulative", "seven_days"?}; a share is in percent,
    a mean as it is; None when nothing is due. What is counted by day has the same of the seven days that end
    with the day: sums of the days' counts, and quotients of such sums."""
    result: Figure = {"cumulative": indicator.cumulative, **_figure(indicator, sums, "day")}
    if not indicator.cumulative:
        result["seven_days"] = _figure(indicator, sums, "week")
    return result


def _figure(indicator: Indicator, sums: Sums, span: str) -> Figure:
    result: Figure = {"value": None}
    if indicator.denominator:
        result["numerator"] = total(indicator.numerator, sums, span=span)
        result["denominator"] = total(indicator.denominator, sums, span=span)
        result["value"] = (mean if indicator.mean else share)(result["numerator"], result["denominator"])
    if indicator.value:
        result["value"] = total(indicator.value, sums, span=span)
    if indicator.parts_numerator or indicator.parts_value:
        result["parts"] = parts(indicator, sums, span)
    if indicator.percentile is not None:
        counts = {bound: int(total(indicator.spread, sums, str(bound), span)) for bound in indicator.bounds}
        result["value"] = percentile(counts, indicator.percentile)
        result["denominator"] = sum(counts.values())
        result["parts"] = {str(bound): {"value": count} for bound, count in counts.items() if count}
    return result


def percentile(counts: Mapping[int, int], percent: int) -> int | None:
    """Of values counted by range, in rising order: the upper end of the first range up to which at least
    `percent` of them lie. The value itself lies in that range."""
    due, so_far = percent * sum(counts.values()), 0
    for bound, count in counts.items():
        so_far += count
        if count and 100 * so_far >= due:
            return bound
    return None


def _scope(term: Term, span: str) -> str:
    return span if term.scope == "day" else term.scope


def parts(indicator: Indicator, sums: Sums, span: str = "day") -> dict[str, Figure]:
    """What has parts also has their total, as the part ""; that is no part."""
    terms = (*indicator.parts_numerator, *indicator.parts_denominator, *indicator.parts_value)
    wanted = {(_scope(term, span), term.component) for term in terms}
    names = sorted(
        {
            part
            for (scope, component, part), value in sums.items()
            if part and (scope, component) in wanted and value
        }
    )
    return {name: _part(indicator, sums, name, span) for name in names}


def _part(indicator: Indicator, sums: Sums, name: str, span: str) -> Figure:
    if indicator.parts_value:
        return {"value": total(indicator.parts_value, sums, name, span)}
    above, below = (
        total(indicator.parts_numerator, sums, name, span),
        total(indicator.parts_denominator, sums, name, span),
    )
    return {"value": share(above, below), "numerator": above, "denominator": below}


def total(
    terms: Sequence[Term], sums: Mapping[tuple[str, str, str], int], part: str = "", span: str = "day"
) -> float | int:
    """`span` says what daily terms are added over: day or week."""
    millionths = 0
    for term in terms:  # thousands of times for one page
        scope = span if term.scope == "day" else term.scope
        millionths += term.sign * sums.get((scope, term.component, part), 0)
    return number(millionths)


def number(millionths: int) -> float | int:
    whole, rest = divmod(millionths, MILLIONTHS)
    return millionths / MILLIONTHS if rest else whole


def share(above: float, below: float) -> float | None:
    return round(100 * above / below, 2) if below else None


def mean(above: float, below: float) -> float | None:
    return round(above / below, 2) if below else None
