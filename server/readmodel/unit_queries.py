"""A unit with what the register says of it, and what the effective records leave it as."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, ColumnElement, Connection, Row, Select, and_, cast, select, type_coerce

from server.readmodel import codec
from server.readmodel.tables import register, units


def unit_query() -> Select[Any]:
    at = and_(
        register.c.kind == units.c.kind,
        register.c.unit_id == units.c.unit_id,
        register.c.village_code == units.c.village_code,
    )
    return select(units, register.c.doc.label("entry"), register.c.grid_code).select_from(
        units.outerjoin(register, at)
    )


def state_of(connection: Connection) -> ColumnElement[Any]:
    """The text column `state` as the JSON that it holds."""
    if connection.dialect.name == "postgresql":
        return cast(units.c.state, JSON)
    return type_coerce(units.c.state, JSON)


def unit_item(row: Row[Any]) -> dict[str, Any]:
    """{kind, id, village_code, town_code, grid_code, registered, state, entry?} of a row of `unit_query`;
    `entry` is the register's document."""
    names = ("kind", "village_code", "town_code", "grid_code", "registered")
    item = {name: getattr(row, name) for name in names} | {"id": row.unit_id}
    item["state"] = codec.decode(row.state)
    return item | ({"entry": codec.decode(row.entry)} if row.entry else {})
