"""The registers as entity sets: households, points, stations, relief roster; masked, in order of village and
id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select, tuple_

from server.api.masking import mask_register_entry
from server.exports.columns import DOC, Column
from server.readmodel import codec
from server.readmodel.model import ReadModel
from server.readmodel.selecting import within
from server.readmodel.tables import register

PLACE = ("village_code", "town_code")
_TEXTS: Mapping[str, tuple[str, ...]] = {
    "household": ("grid_code", "door_no", "address", "head_name", "phone"),
    "point": ("name", "place_type", "indoor_outdoor"),
    "station": ("name",),
    "roster_entry": ("campaign_id", "entry_no", "household_id", "head_name", "category", "entitlement"),
}
_NUMBERS: Mapping[str, Mapping[str, str]] = {
    "household": {"residents": "integer"},
    "point": {"area_m2": "number", "interval_h": "number"},
}
_CHOICES: Mapping[str, tuple[str, ...]] = {"household": ("special_groups",)}
_TIMES = ("active_from", "active_to")
SETS = {
    "register_households": "household",
    "register_points": "point",
    "register_stations": "station",
    "register_roster": "roster_entry",
}

Entry = tuple[str, str, dict[str, Any]]  # village code, id, entry
Place = tuple[str, str]  # village code, id


def key_of(kind: str) -> str:
    return f"{kind}_id"


def columns(kind: str) -> list[Column]:
    """Each reads the entry that `entries` gives."""
    numbers = _NUMBERS.get(kind, {})
    return [
        *(Column(name, DOC, name) for name in (key_of(kind), *PLACE, *_TEXTS[kind])),
        *(Column(name, DOC, name, numbers[name]) for name in numbers),
        *(Column(name, DOC, name, "choices") for name in _CHOICES.get(kind, ())),
        *(Column(name, DOC, name) for name in (() if kind == "station" else _TIMES)),
    ]


def entries(rm: ReadModel, kind: str, area: str, after: Place | None, most: int) -> Sequence[Entry]:
    """Up to `most` entries of an area behind a place, masked."""
    order = (register.c.village_code, register.c.unit_id)
    query = select(*order, register.c.town_code, register.c.doc)
    if after is not None:
        query = query.where(tuple_(*order) > after)
    with rm.engine.connect() as connection:
        query = query.where(*_of(kind, area, connection))
        rows = connection.execute(query.order_by(*order).limit(most)).all()
    return [(row.village_code, row.unit_id, _shown(kind, row)) for row in rows]


def entry(rm: ReadModel, kind: str, area: str, unit_id: str, village_code: str) -> dict[str, Any] | None:
    """One of an area, masked; None when there is none."""
    shown = select(register.c.village_code, register.c.unit_id, register.c.town_code, register.c.doc)
    query = shown.where(register.c.unit_id == unit_id, register.c.village_code == village_code)
    with rm.engine.connect() as connection:
        row = connection.execute(query.where(*_of(kind, area, connection))).first()
    return _shown(kind, row) if row else None


def count(rm: ReadModel, kind: str, area: str) -> int:
    with rm.engine.connect() as connection:
        counted = select(func.count()).select_from(register).where(*_of(kind, area, connection))
        return int(connection.execute(counted).scalar_one())


def _of(kind: str, area: str, connection: Connection) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return register.c.kind == kind, within(register, area, connection)


def _shown(kind: str, row: Any) -> dict[str, Any]:
    found = mask_register_entry(codec.decode(row.doc))
    due = found.get("entitlement")
    if isinstance(due, list):
        items = [each for each in due if isinstance(each, dict)]
        words = [" ".join(str(each.get(name, "")) for name in ("item_code", "qty", "unit")) for each in items]
        found["entitlement"] = "; ".join(each.strip() for each in words)
    places = {"village_code": row.village_code, "town_code": row.town_code}
    return {**found, key_of(kind): row.unit_id, **places}
