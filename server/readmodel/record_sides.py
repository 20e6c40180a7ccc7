"""The records behind an indicator that counts records, as a condition over `records`."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, exists, or_, select

from server.readmodel.declaration import Component, Declaration, Indicator
from server.readmodel.sides import NoSuchSide, sides_of
from server.readmodel.tables import flags, records, units

# Kinds to which each record adds by itself, on its own day.
OF_RECORDS = ("count_records", "sum", "spread", "rules", "flagged")


def counts_records(declaration: Declaration, indicator: Indicator, of: str | None = None) -> bool:
    """Whether what one number of the indicator counts (the leading one by default) are records."""
    return bool(_components(declaration, indicator, of))


def _components(declaration: Declaration, indicator: Indicator, of: str | None) -> list[Component]:
    sides = sides_of(indicator)
    terms = sides.get(of or next(iter(sides), ""), ())
    found = [declaration.components[term.component] for term in terms]
    daily = all(term.scope == "day" for term in terms)
    fits = daily and all(each.kind in OF_RECORDS and each.unit in declaration.units for each in found)
    return found if fits else []


def behind(declaration: Declaration, indicator_id: str, of: str | None) -> ColumnElement[bool]:
    """Records that count and say something of what the number counts. Raises KeyError for an unknown id,
    NoSuchSide for a number that counts no records."""
    components = _components(declaration, declaration.indicators[indicator_id], of)
    if not components:
        raise NoSuchSide(indicator_id)
    return and_(records.c.effective, or_(*map(_says, components)))


def _says(component: Component) -> ColumnElement[bool]:
    if component.kind == "flagged":
        rules = flags.c.rule.in_(component.rules)
        return records.c.record_id.in_(
            select(flags.c.record_id).where(flags.c.unit_kind == component.unit, rules)
        )
    said = records.c.facts.contains(f'"{component.said}":', autoescape=True)
    return and_(records.c.form_id == component.form, said)


def of_units(level: str, area_code: str) -> ColumnElement[bool]:
    """Records about units that count in the area, whoever made them; `level` is the column of the area's
    code."""
    return exists().where(
        units.c.kind == records.c.unit_kind,
        units.c.unit_key == records.c.unit_key,
        units.c[level] == area_code,
    )
