"""Register documents as rows, and which units a changed document touches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, and_, delete, or_, select

from server.readmodel import codec
from server.readmodel.areas import AreaTree
from server.readmodel.moments import is_day
from server.readmodel.tables import NEVER, register
from server.readmodel.upsert import upsert

# Prefix of the document id -> (kind, the field that holds the id)
KINDS = {
    "household": "household_id",
    "point": "point_id",
    "station": "station_id",
    "roster": "roster_entry_id",
    "campaign": "campaign_id",
    "filler": "filler_id",
    "supply_point": "supply_point_id",
}
SEARCHED = (
    "head_name",
    "head_search",
    "name",
    "name_search",
    "address",
    "door_no",
    "phone",
    "entry_no",
    "category",
)

Key = tuple[str, str, str]  # kind, unit_id, village_code


def kind_of(doc_id: str) -> str | None:
    prefix = doc_id.partition(":")[0]
    return {"roster": "roster_entry"}.get(prefix, prefix) if prefix in KINDS else None


def unit_id_of(doc_id: str) -> str:
    """The id inside a document id: register ids are `<kind>:<id>`, and an id may hold colons."""
    return codec.key(doc_id.partition(":")[2])


def register_row(doc: Mapping[str, Any], village_code: str, tree: AreaTree) -> dict[str, Any]:
    doc_id = str(doc["_id"])
    return {
        "kind": kind_of(doc_id),
        "unit_id": unit_id_of(doc_id),
        "village_code": village_code,
        "town_code": tree.town(village_code) if village_code else "",
        "grid_code": text(doc, "grid_code"),
        "household_id": text(doc, "household_id"),
        "campaign_id": text(doc, "campaign_id"),
        "active_from": day(doc, "active_from", ""),
        "active_to": day(doc, "active_to", NEVER),
        "search": _search(doc),
        "doc": codec.encode(core(doc)),
    }


def text(doc: Mapping[str, Any], name: str) -> str | None:
    value = doc.get(name)
    return codec.key(value) if isinstance(value, str) and value else None


def day(doc: Mapping[str, Any], name: str, otherwise: str) -> str:
    value = doc.get(name)
    return value if isinstance(value, str) and is_day(value) else otherwise


def _search(doc: Mapping[str, Any]) -> str:
    words = [
        str(doc["_id"]).partition(":")[2],
        *(doc[name] for name in SEARCHED if isinstance(doc.get(name), str)),
    ]
    return codec.plain(" ".join(words).lower())


def load_entries(connection: Connection, keys: Iterable[Key]) -> dict[Key, dict[str, Any]]:
    """The documents of exactly these entries."""
    wanted = list(keys)
    found: dict[Key, dict[str, Any]] = {}
    for start in range(0, len(wanted), 300):
        rows = connection.execute(select(register).where(_any_of(wanted[start : start + 300])))
        found |= {(row.kind, row.unit_id, row.village_code): codec.decode(row.doc) for row in rows}
    return found


def _any_of(keys: list[Key]) -> Any:
    by_place: dict[tuple[str, str], list[str]] = {}
    for kind, unit_id, village in keys:
        by_place.setdefault((kind, village), []).append(unit_id)
    return or_(
        *(
            and_(register.c.kind == kind, register.c.village_code == village, register.c.unit_id.in_(ids))
            for (kind, village), ids in by_place.items()
        )
    )


def write_entries(connection: Connection, rows: list[dict[str, Any]]) -> None:
    upsert(connection, register, rows)


def delete_entries(connection: Connection, keys: Iterable[Key]) -> None:
    for kind, unit_id, village in keys:
        connection.execute(
            delete(register).where(
                register.c.kind == kind, register.c.unit_id == unit_id, register.c.village_code == village
            )
        )


def core(doc: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A register document without what intake itself writes into it."""
    return (
        None
        if doc is None
        else {name: value for name, value in doc.items() if name not in ("_rev", "summary")}
    )
