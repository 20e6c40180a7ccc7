"""Which records are meant, and where a page of them is found without reading the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, literal_column, or_, select, union_all

from server.readmodel import codec, record_sides
from server.readmodel.declaration import Declaration
from server.readmodel.tables import flags, records
from server.readmodel.trend import days_between

DAYS_APART = 31  # so many days are looked through each by itself

broken_by = records.alias()


@dataclass(frozen=True, slots=True)
class RecordFilters:
    """None does not filter. Days are inclusive; `text` is looked for in ids, names and remarks; `rule` is a
    rule's id; `unit_key` is one of `unit_kind`, as `units` has it. `behind` is an indicator of which a number
    (`of`) counts records: those; `unit_…` the place of what records are about."""

    form_id: str | None = None
    status: str | None = None
    village_code: str | None = None
    town_code: str | None = None
    filler_id: str | None = None
    device_id: str | None = None
    from_work_date: str | None = None
    to_work_date: str | None = None
    household_id: str | None = None
    point_id: str | None = None
    roster_entry_id: str | None = None
    unit_kind: str | None = None
    unit_key: str | None = None
    text: str | None = None
    rule: str | None = None
    effective: bool | None = None
    voided: bool | None = None
    closed: bool | None = None
    behind: str | None = None
    of: str | None = None
    unit_village_code: str | None = None
    unit_town_code: str | None = None


EQUAL = (
    "form_id",
    "status",
    "village_code",
    "town_code",
    "filler_id",
    "device_id",
    "household_id",
    "point_id",
    "roster_entry_id",
    "unit_kind",
    "unit_key",
    "effective",
    "closed",
)


def filtered(declaration: Declaration, query: Select[Any], filters: RecordFilters) -> Select[Any]:
    """`query` over `records`, narrowed."""
    for name in EQUAL:
        value = getattr(filters, name)
        if value is not None:
            query = query.where(records.c[name] == value)
    if filters.voided is not None:
        query = query.where(records.c.voided.is_(filters.voided))
    first, last = filters.from_work_date, filters.to_work_date
    if first and first == last:  # equal, so that an index goes on to the order of receipt
        query = query.where(records.c.work_date == first)
    else:
        query = query.where(records.c.work_date >= first) if first else query
        query = query.where(records.c.work_date <= last) if last else query
    if filters.text:
        query = query.where(records.c.search.contains(codec.plain(filters.text).lower(), autoescape=True))
    if filters.behind:
        query = query.where(record_sides.behind(declaration, filters.behind, filters.of))
    for level in ("village_code", "town_code"):
        place = getattr(filters, f"unit_{level}")
        if place is not None:
            query = query.where(record_sides.of_units(level, place))
    if filters.rule:
        broken = select(broken_by.c.record_id).where(
            broken_by.c.rules != literal_column("''"),
            broken_by.c.rules.contains(f" {filters.rule} ", autoescape=True),
        )
        flagged = select(flags.c.record_id).where(flags.c.rule == filters.rule)
        query = query.where(records.c.record_id.in_(union_all(broken, flagged)))
    return query


def page_keys(
    declaration: Declaration,
    filters: RecordFilters,
    columns: Sequence[ColumnElement[Any]],
    place: Sequence[str] | None,
    limit: int,
) -> Select[Any]:
    """The page's records by what orders them. Days are looked through one by one: an index has those of a day
    in the order of receipt, and never those of several."""
    pages = []
    for of_day in _by_day(filters):
        query = filtered(declaration, select(*columns), of_day)
        if place:
            query = query.where(older(columns, place), columns[0] <= place[0])
        pages.append(query.order_by(*(column.desc() for column in columns)).limit(limit))
    if len(pages) == 1:
        return pages[0]
    whole = union_all(*(select(page.subquery()) for page in pages)).subquery()
    return select(whole).order_by(*(whole.c[str(column.key)].desc() for column in columns)).limit(limit)


def _by_day(filters: RecordFilters) -> list[RecordFilters]:
    first, last = filters.from_work_date, filters.to_work_date
    if not first or not last:
        return [filters]
    try:
        days = days_between(first, last)
    except ValueError:  # none at all, or too many
        return [filters]
    if len(days) > DAYS_APART:
        return [filters]
    return [replace(filters, from_work_date=day, to_work_date=day) for day in days]


def older(columns: Sequence[ColumnElement[Any]], place: Sequence[str]) -> ColumnElement[bool]:
    """What comes after `place` where the columns fall."""
    return or_(
        *(
            and_(
                *(column == value for column, value in zip(columns[:depth], place, strict=False)),
                columns[depth] < place[depth],
            )
            for depth in range(len(columns))
        )
    )
