"""Changes of `catalogue`, `office` and the registers, put into the read model. Each function returns the
units that it touches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, select

from server.intake import duplicates
from server.intake.lookups import Lookups
from server.intake.review import STATUSES
from server.readmodel import codec
from server.readmodel.areas import area_from_doc, area_row, areas_of_village_doc, write_areas
from server.readmodel.cells import recount_cells
from server.readmodel.declaration import Declaration
from server.readmodel.mentions import all_mentioned
from server.readmodel.model import write_meta
from server.readmodel.recount import UnitKey, unit_key_of
from server.readmodel.register_rows import (
    Key,
    core,
    delete_entries,
    kind_of,
    load_entries,
    register_row,
    unit_id_of,
    write_entries,
)
from server.readmodel.tables import areas, forms, records, register, reviews, standing_out, suspects, units
from server.readmodel.upsert import upsert
from sync.store import Change, Doc

SETTINGS_ID = "settings:district"
HIDDEN = ("_id", "_rev", "type", "about")


def catalogue(
    connection: Connection, lookups: Lookups, declaration: Declaration, changes: Sequence[Change]
) -> set[UnitKey]:
    """Forms are kept when their document goes: records were filled with them."""
    docs = {change.id: change.doc for change in changes if change.doc and not change.deleted}
    rows = [row for doc_id, doc in docs.items() if doc_id.startswith("form:") and (row := _form(doc))]
    upsert(connection, forms, rows)
    settings = docs.get(SETTINGS_ID)
    if rows or settings:
        lookups.forget()
    return _settings(connection, declaration, settings) if settings else set()


def _form(doc: Doc) -> dict[str, Any] | None:
    form_id, version = doc.get("form_id"), doc.get("version")
    if not isinstance(form_id, str) or not isinstance(version, str):
        return None
    content = {name: value for name, value in doc.items() if name not in ("_id", "_rev")}
    return {"form_id": codec.key(form_id), "version": codec.key(version), "compiled": codec.encode(content)}


def _settings(connection: Connection, declaration: Declaration, doc: Doc) -> set[UnitKey]:
    """Intervals and thresholds may have changed: every point is counted again, and everybody who is
    mentioned."""
    write_meta(
        connection,
        "settings",
        codec.encode({name: value for name, value in doc.items() if name not in HIDDEN}),
    )
    district = doc.get("district")
    if isinstance(district, dict) and isinstance(district.get("code"), str):
        name = district.get("zh")
        named = name if isinstance(name, str) else district["code"]
        write_areas(connection, [area_row(district["code"], "district", "", named, {})], official=False)
        write_meta(connection, "district", codec.plain(district["code"]))
    kinds = [unit.name for unit in declaration.units.values() if unit.register == "point"]
    rows = connection.execute(select(units.c.kind, units.c.unit_key).where(units.c.kind.in_(kinds)))
    return {(row.kind, row.unit_key) for row in rows} | all_mentioned(connection)


def office(connection: Connection, lookups: Lookups, changes: Sequence[Change]) -> set[str]:
    """Areas, campaigns, supply points, reviews and decisions about duplicates. Returns the ids of the records
    that were reviewed."""
    live = [change.doc for change in changes if change.doc and not change.deleted]
    _areas(connection, lookups, [doc for doc in live if str(doc["_id"]).startswith("area:")])
    listed = [doc for doc in live if kind_of(str(doc["_id"]))]
    if listed:
        lookups.forget()
        tree = lookups.tree(connection)
        write_entries(connection, [register_row(doc, _village_of(doc), tree) for doc in listed])
    _forget_deleted(connection, [change.id for change in changes if change.deleted])
    return _reviews(connection, [doc for doc in live if str(doc["_id"]).startswith("review:")]) | _merges(
        connection, [doc for doc in live if str(doc["_id"]).startswith(duplicates.PREFIX)]
    )


def _village_of(doc: Doc) -> str:
    village = doc.get("village_code")
    return codec.key(village) if isinstance(village, str) else ""


def _forget_deleted(connection: Connection, doc_ids: Sequence[str]) -> None:
    for doc_id in doc_ids:
        if doc_id.startswith("area:"):
            connection.execute(delete(areas).where(areas.c.code == doc_id.partition(":")[2]))
        elif kind_of(doc_id):
            connection.execute(
                delete(register).where(
                    register.c.kind == kind_of(doc_id),
                    register.c.unit_id == unit_id_of(doc_id),
                    register.c.village_code == "",
                )
            )


def _areas(connection: Connection, lookups: Lookups, docs: Sequence[Doc]) -> None:
    rows = {row["code"]: row for doc in docs if (row := area_from_doc(doc))}
    if rows:
        _write_areas(connection, lookups, list(rows.values()), official=True)


def _write_areas(
    connection: Connection, lookups: Lookups, rows: list[dict[str, Any]], *, official: bool
) -> None:
    before = dict(connection.execute(select(areas.c.code, areas.c.parent)).all())
    write_areas(connection, rows, official=official)
    lookups.forget()
    after = dict(connection.execute(select(areas.c.code, areas.c.parent)).all())
    moved = {code for code, parent in after.items() if before.get(code, _usual_parent(code)) != parent}
    if moved:
        _move(connection, lookups, after)


def _usual_parent(code: str) -> str:
    return code[:9] if len(code) > 9 else code[:6] if len(code) > 6 else ""


def _move(connection: Connection, lookups: Lookups, parents: dict[str, str]) -> None:
    """Villages have another town, or towns another district, than what was counted under them."""
    tree = lookups.tree(connection)
    for table in (records, register, units, suspects, standing_out):
        villages = connection.execute(select(table.c.village_code, table.c.town_code).distinct()).all()
        for village, town in villages:
            if village and tree.town(village) != town:
                connection.execute(
                    table.update().where(table.c.village_code == village).values(town_code=tree.town(village))
                )
    recount_cells(connection, tree)


def _reviews(connection: Connection, docs: Sequence[Doc]) -> set[str]:
    rows = [row for doc in docs if (row := _review(doc))]
    upsert(connection, reviews, rows)
    return {row["record_id"] for row in rows}


def _merges(connection: Connection, docs: Sequence[Doc]) -> set[str]:
    """Decisions about pairs; a merge voids the record that does not stay."""
    found = [decision for doc in docs if (decision := duplicates.read(doc))]
    duplicates.keep(connection, found)
    return _reviews(connection, [decision.review() for decision in found if decision.voided])


def _review(doc: Doc) -> dict[str, Any] | None:
    record_id, status, at = doc.get("record_id"), doc.get("status"), doc.get("written_at")
    if not isinstance(record_id, str) or status not in STATUSES or not isinstance(at, str):
        return None
    content = {name: value for name, value in doc.items() if name != "_rev"}
    return {
        "review_id": codec.key(str(doc["_id"])),
        "record_id": codec.key(record_id),
        "written_at": codec.plain(at, 40),
        "doc": codec.encode(content),
    }


def is_followed(doc_id: str) -> bool:
    """Whether the document is an entry or names the village; the rest of a register is verdicts."""
    return doc_id.startswith("village:") or kind_of(doc_id) is not None


def one_register(
    connection: Connection,
    lookups: Lookups,
    declaration: Declaration,
    village_code: str,
    changes: Sequence[Change],
) -> set[UnitKey]:
    _villages(
        connection,
        lookups,
        [c.doc for c in changes if c.id.startswith("village:") and c.doc and not c.deleted],
    )
    listed = {
        (kind, unit_id_of(change.id), village_code): change
        for change in changes
        if (kind := kind_of(change.id)) is not None
    }
    before = load_entries(connection, listed)
    tree = lookups.tree(connection)
    new = {key: change.doc for key, change in listed.items() if change.doc and not change.deleted}
    write_entries(connection, [register_row(doc, village_code, tree) for doc in new.values()])
    delete_entries(connection, [key for key in listed if key not in new])
    changed = {key for key in listed if core(before.get(key)) != core(new.get(key))}
    if changed:
        lookups.forget()
    unsettled = changed | _wrongly_summarized(
        connection, declaration, {k: d for k, d in new.items() if k not in changed}
    )
    homes = {doc.get("household_id") for key in changed for doc in (before.get(key), new.get(key)) if doc}
    return _units_of(declaration, unsettled) | _twins(connection, declaration, village_code, homes)


def _villages(connection: Connection, lookups: Lookups, docs: Sequence[Doc]) -> None:
    for doc in docs:
        code = doc.get("town_code")
        district = (code if isinstance(code, str) else str(doc.get("code")))[:6]
        rows = areas_of_village_doc(doc, district)
        if rows:
            _write_areas(connection, lookups, rows, official=False)


def _units_of(declaration: Declaration, keys: set[Key]) -> set[UnitKey]:
    found = set()
    for kind, unit_id, village_code in keys:
        unit = declaration.unit_of_register(kind)
        if unit:
            found.add((unit.name, unit_key_of(unit, village_code, unit_id)))
    return found


def _wrongly_summarized(connection: Connection, declaration: Declaration, docs: dict[Key, Doc]) -> set[Key]:
    """Entries whose summary is not what intake last worked out; its own writing comes back as one that is."""
    keys = {key: unit_key for key in docs for unit_key in _units_of(declaration, {key})}
    shown: dict[UnitKey, str] = {}
    for kind in {unit_key[0] for unit_key in keys.values()}:
        names = [name for found, name in keys.values() if found == kind]
        for start in range(0, len(names), 400):
            rows = connection.execute(
                select(units.c.unit_key, units.c.summary).where(
                    units.c.kind == kind, units.c.unit_key.in_(names[start : start + 400])
                )
            )
            shown |= {(kind, row.unit_key): row.summary for row in rows}
    return {
        key
        for key, unit_key in keys.items()
        if codec.decode(shown.get(unit_key, "{}")) != docs[key].get("summary", {})
    }


def _twins(
    connection: Connection, declaration: Declaration, village_code: str, homes: set[Any]
) -> set[UnitKey]:
    """Roster entries of the same households: whether they are alone may have changed."""
    wanted = sorted({codec.key(home) for home in homes if isinstance(home, str)})
    found: set[Key] = set()
    for start in range(0, len(wanted), 400):
        rows = connection.execute(
            select(register.c.unit_id).where(
                register.c.kind == "roster_entry",
                register.c.village_code == village_code,
                register.c.household_id.in_(wanted[start : start + 400]),
            )
        )
        found |= {("roster_entry", row.unit_id, village_code) for row in rows}
    return _units_of(declaration, found)
