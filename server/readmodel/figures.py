"""Figures: sums over cells. Their cost depends on the days and components that were counted, never on the
number of records."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, Select, case, func, or_, select

from server.readmodel.declaration import Indicator, Term
from server.readmodel.tables import MILLIONTHS, cells

Sums = dict[tuple[str, str], dict[str, int]]
"""{(scope, component): {part: millionths}} of an area; scope is day, week or so_far. What is absent is 0."""

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


def add_to(sums: Sums, scope: str, component: str, part: str, value: int) -> None:
    parts = sums.setdefault((scope, component), {})
    parts[part] = parts.get(part, 0) + value


def sums_by_area(
    connection: Connection,
    area_codes: Collection[str] | Select[Any] | None,
    day: str,
    indicators: Iterable[Indicator],
) -> dict[str, Sums]:
    """Of areas, of those that a query selects, or of all: of the latter two only what counts anything is
    there. What is counted by day is read of seven days, however many there are."""
    terms = {(term.scope, term.component) for indicator in indicators for term in indicator.terms()}
    so_far = sorted({component for scope, component in terms if scope == "so_far"})
    week, value = week_start(day), cells.c.value
    on_day = func.sum(case((cells.c.day == day, value), else_=0))
    in_week = func.sum(case((cells.c.day >= week, value), else_=0))
    query = select(
        cells.c.area_code, cells.c.component, cells.c.part, on_day, in_week, func.sum(value)
    ).where(
        cells.c.component.in_(sorted({component for _, component in terms})),
        cells.c.day <= day,
        or_(cells.c.day >= week, cells.c.component.in_(so_far)),
    )
    if area_codes is not None:
        query = query.where(cells.c.area_code.in_(area_codes))
    of_key = query.group_by(cells.c.area_code, cells.c.component, cells.c.part)
    known = () if area_codes is None or isinstance(area_codes, Select) else area_codes
    result: dict[str, Sums] = {code: {} for code in known}
    further = set(so_far)
    for code, component, part, today, in_seven, of_all in connection.execute(of_key).all():
        sums = result.setdefault(code, {})
        if today:
            sums.setdefault(("day", component), {})[part] = int(today)
        if in_seven:
            sums.setdefault(("week", component), {})[part] = int(in_seven)
        if of_all and component in further:
            sums.setdefault(("so_far", component), {})[part] = int(of_all)
    return result


def figure(indicator: Indicator, sums: Sums) -> Figure:
    """{"value", "numerator"?, "denominator"?, "parts"?, "cumulative", "seven_days"?}; a share is in percent,
    a mean as it is; None when nothing is due. What is counted by day has the same of the seven days that end
    with the day: sums of the days' counts, and quotients of such sums."""
    return {"cumulative": indicator.cumulative, **amounts(indicator, sums)}


def amounts(indicator: Indicator, sums: Sums) -> Figure:
    """A figure without what its declaration says anyway."""
    result = _figure(indicator, sums, "day")
    if not indicator.cumulative:
        result["seven_days"] = _figure(indicator, sums, "week")
    return result


def _figure(indicator: Indicator, sums: Sums, span: str) -> Figure:
    result: Figure = {"value": None}
    if indicator.denominator:
        above = result["numerator"] = total(indicator.numerator, sums, span=span)
        below = result["denominator"] = total(indicator.denominator, sums, span=span)
        result["value"] = mean(above, below) if indicator.mean else share(above, below)
    if indicator.value:
        result["value"] = total(indicator.value, sums, span=span)
    if indicator.parts_numerator or indicator.parts_value:
        result["parts"] = parts(indicator, sums, span)
    if indicator.percentile is not None:
        counts = _spread(indicator, sums, span)
        result["value"] = percentile(counts, indicator.percentile)
        result["denominator"] = sum(counts.values())
        result["parts"] = {str(bound): {"value": count} for bound, count in counts.items() if count}
    return result


def _spread(indicator: Indicator, sums: Sums, span: str) -> dict[int, int]:
    """{bound: how many values}, in rising order; of ranges that have some."""
    found: dict[str, int] = {}
    for term in indicator.spread:
        for part, value in sums.get(term.at[span], {}).items():
            found[part] = found.get(part, 0) + term.sign * value
    counts = ((bound, found.get(str(bound), 0)) for bound in indicator.bounds)
    return {bound: value // MILLIONTHS for bound, value in counts if value}


def percentile(counts: Mapping[int, int], percent: int) -> int | None:
    """Of values counted by range, in rising order: the upper end of the first range up to which at least
    `percent` of them lie. The value itself lies in that range."""
    due, so_far = percent * sum(counts.values()), 0
    for bound, count in counts.items():
        so_far += count
        if count and 100 * so_far >= due:
            return bound
    return None


def parts(indicator: Indicator, sums: Sums, span: str = "day") -> dict[str, Figure]:
    """What has parts also has their total, as the part ""; that is no part."""
    terms = (*indicator.parts_numerator, *indicator.parts_denominator, *indicator.parts_value)
    names = {part for term in terms for part, value in sums.get(term.at[span], {}).items() if part and value}
    return {name: _part(indicator, sums, name, span) for name in sorted(names)}


def _part(indicator: Indicator, sums: Sums, name: str, span: str) -> Figure:
    if indicator.parts_value:
        return {"value": total(indicator.parts_value, sums, name, span)}
    above, below = (
        total(indicator.parts_numerator, sums, name, span),
        total(indicator.parts_denominator, sums, name, span),
    )
    return {"value": share(above, below), "numerator": above, "denominator": below}


def total(terms: Sequence[Term], sums: Sums, part: str = "", span: str = "day") -> float | int:
    """`span` says what daily terms are added over: day or week."""
    millionths = 0
    for term in terms:  # thousands of times for one page
        found = sums.get(term.at[span])
        if found:
            millionths += term.sign * found.get(part, 0)
    return number(millionths) if millionths else 0


def number(millionths: int) -> float | int:
    whole, rest = divmod(millionths, MILLIONTHS)
    return millionths / MILLIONTHS if rest else whole


def share(above: float, below: float) -> float | None:
    return round(100 * above / below, 2) if below else None


def mean(above: float, below: float) -> float | None:
    return round(above / below, 2) if below else None
