"""What selections share: the area, the day, and pages by the place of their last row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, and_, literal_column, or_, select

from server.readmodel.paging import decode_cursor, encode_cursor
from server.readmodel.tables import areas, records


def within(table: Table, area_code: str, connection: Connection) -> ColumnElement[bool]:
    level = connection.execute(select(areas.c.level).where(areas.c.code == area_code)).scalar()
    if level == "district":
        return table.c.village_code != ""
    return (table.c.town_code if level == "town" else table.c.village_code) == area_code


def waiting() -> ColumnElement[bool]:
    """Records that wait for a correction, in the words of the index that has only them."""
    states: list[ColumnElement[str]] = [literal_column("'quarantined'"), literal_column("'returned'")]
    return records.c.status.in_(states) & records.c.closed.is_(False)


def active(table: Table, day: str) -> ColumnElement[bool]:
    return and_(table.c.active_from <= day, table.c.active_to >= day)


def keyset(
    connection: Connection,
    name: str,
    query: Select[Any],
    columns: Sequence[ColumnElement[Any]],
    cursor: str | None,
    limit: int,
    *,
    falling: bool = False,
) -> tuple[list[Row[Any]], str | None]:
    """Rows in rising order of `columns`, which are unique together and all text, or in falling order."""
    place = decode_cursor(name, cursor, len(columns))
    if place:
        query = query.where(or_(*(_after(columns, place, depth, falling) for depth in range(len(columns)))))
    order = [column.desc() if falling else column for column in columns]
    rows = connection.execute(query.order_by(*order).limit(limit + 1)).all()
    if len(rows) <= limit:
        return list(rows), None
    last = rows[limit - 1]._mapping
    return list(rows[:limit]), encode_cursor(name, [last[str(column.key)] for column in columns])


def _after(
    columns: Sequence[ColumnElement[Any]], place: list[str], depth: int, falling: bool
) -> ColumnElement[bool]:
    equal = [column == value for column, value in zip(columns[:depth], place, strict=False)]
    column, value = columns[depth], place[depth]
    return and_(*equal, column < value if falling else column > value)
