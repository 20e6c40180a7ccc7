"""Figures: sums over cells. Their cost depends on the days and components that were counted, never on the
number of records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, case, func, select

from server.readmodel.declaration import Indicator, Term
from server.readmodel.tables import MILLIONTHS, cells

Sums = dict[tuple[str, str, str], int]  # (scope, component, part) -> millionths
Figure = dict[str, Any]


def sums_by_area(
    connection: Connection, area_codes: Sequence[str], day: str, indicators: Iterable[Indicator]
) -> dict[str, Sums]:
    components = sorted({name for indicator in indicators for name in indicator.components()})
    on_day = func.sum(case((cells.c.day == day, cells.c.value), else_=0))
    rows = connection.execute(
        select(cells.c.area_code, cells.c.component, cells.c.part, on_day, func.sum(cells.c.value))
        .where(cells.c.area_code.in_(area_codes), cells.c.component.in_(components), cells.c.day <= day)
        .group_by(cells.c.area_code, cells.c.component, cells.c.part)
    )
    result: dict[str, Sums] = {code: {} for code in area_codes}
    for code, component, part, today, so_far in rows:
        result[code]["day", component, part] = int(today)
        result[code]["so_far", component, part] = int(so_far)
    return result


def figure(indicator: Indicator, sums: Sums) -> Figure:
    """{"value", "numerator"?, "denominator"?, "cumulative", "parts"?}; a share is in percent, a mean as it
    is; None when nothing is due."""
    result: Figure = {"value": None, "cumulative": indicator.cumulative}
    if indicator.denominator:
        result["numerator"] = total(indicator.numerator, sums)
        result["denominator"] = total(indicator.denominator, sums)
        result["value"] = (mean if indicator.mean else share)(result["numerator"], result["denominator"])
    if indicator.value:
        result["value"] = total(indicator.value, sums)
    if indicator.parts_numerator or indicator.parts_value:
        result["parts"] = parts(indicator, sums)
    return result


def parts(indicator: Indicator, sums: Sums) -> dict[str, Figure]:
    """What has parts also has their total, as the part ""; that is no part."""
    terms = (*indicator.parts_numerator, *indicator.parts_denominator, *indicator.parts_value)
    wanted = {(term.scope, term.component) for term in terms}
    names = sorted(
        {
            part
            for (scope, component, part), value in sums.items()
            if part and (scope, component) in wanted and value
        }
    )
    return {name: _part(indicator, sums, name) for name in names}


def _part(indicator: Indicator, sums: Sums, name: str) -> Figure:
    if indicator.parts_value:
        return {"value": total(indicator.parts_value, sums, name)}
    above, below = (
        total(indicator.parts_numerator, sums, name),
        total(indicator.parts_denominator, sums, name),
    )
    return {"value": share(above, below), "numerator": above, "denominator": below}


def total(terms: Sequence[Term], sums: Mapping[tuple[str, str, str], int], part: str = "") -> float | int:
    millionths = sum(term.sign * sums.get((term.scope, term.component, part), 0) for term in terms)
    return number(millionths)


def number(millionths: int) -> float | int:
    whole, rest = divmod(millionths, MILLIONTHS)
    return millionths / MILLIONTHS if rest else whole


def share(above: float, below: float) -> float | None:
    return round(100 * above / below, 2) if below else None


def mean(above: float, below: float) -> float | None:
    return round(above / below, 2) if below else None
