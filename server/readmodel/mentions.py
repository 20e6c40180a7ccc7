"""Whom records mention, in the tables: written with the record, counted again when one of the records
changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, select, update

from server.readmodel import codec
from server.readmodel.contributions import Entry, Unit, contributions, order
from server.readmodel.declaration import Declaration
from server.readmodel.facts import Mention
from server.readmodel.identities import moved
from server.readmodel.residence import Located, located, residence
from server.readmodel.tables import mentioned, mentions, records
from server.readmodel.upsert import upsert

IDS_AT_ONCE = 400

RecordKey = tuple[str, str]  # database, record id
UnitKey = tuple[str, str]  # kind, unit_key


def write_mentions(connection: Connection, found: Sequence[tuple[RecordKey, Mention]]) -> None:
    rows = [
        {
            "kind": mention.kind,
            "unit_key": mention.unit_key,
            "db": db,
            "record_id": record_id,
            "place": mention.place,
            "facts": codec.encode(mention.facts),
        }
        for (db, record_id), mention in found
    ]
    upsert(connection, mentions, rows)


def forget_mentions(connection: Connection, key: RecordKey) -> None:
    connection.execute(delete(mentions).where(mentions.c.db == key[0], mentions.c.record_id == key[1]))


def mentioned_by(connection: Connection, keys: Iterable[RecordKey]) -> set[UnitKey]:
    """Whom these records mention."""
    wanted = set(keys)
    ids = sorted({record_id for _, record_id in wanted})
    found: set[UnitKey] = set()
    for start in range(0, len(ids), IDS_AT_ONCE):
        rows = connection.execute(
            select(mentions.c.kind, mentions.c.unit_key, mentions.c.db, mentions.c.record_id).where(
                mentions.c.record_id.in_(ids[start : start + IDS_AT_ONCE])
            )
        )
        found |= {(row.kind, row.unit_key) for row in rows if (row.db, row.record_id) in wanted}
    return found


def move_mentions(connection: Connection, key: RecordKey, household: str, to: str) -> set[UnitKey]:
    """A record's household has another key: persons known only within it move along. Returns whom that
    touches."""
    touched = mentioned_by(connection, [key])
    for kind, unit_key in sorted(touched):
        successor = moved(unit_key, household, to)
        if successor != unit_key:
            connection.execute(
                update(mentions)
                .where(
                    mentions.c.kind == kind,
                    mentions.c.unit_key == unit_key,
                    mentions.c.db == key[0],
                    mentions.c.record_id == key[1],
                )
                .values(unit_key=successor)
            )
    return touched | mentioned_by(connection, [key])


def all_mentioned(connection: Connection) -> set[UnitKey]:
    return {
        (row.kind, row.unit_key) for row in connection.execute(select(mentioned.c.kind, mentioned.c.unit_key))
    }


def histories(connection: Connection, kind: str, keys: Sequence[str]) -> dict[str, list[Entry]]:
    """The effective records that mention each, in order."""
    columns = ("work_date", "happened_at", "device_id", "village_code", "unit_key")
    rows = connection.execute(
        select(
            mentions.c.unit_key.label("mentioned_key"),
            mentions.c.record_id,
            mentions.c.facts,
            *(records.c[name] for name in columns),
        )
        .select_from(
            mentions.join(
                records,
                (records.c.db == mentions.c.db) & (records.c.record_id == mentions.c.record_id),
            )
        )
        .where(mentions.c.kind == kind, mentions.c.unit_key.in_(keys), records.c.effective)
        .order_by(mentions.c.db, mentions.c.place)
    )
    found: dict[str, list[Entry]] = defaultdict(list)
    for key, record_id, facts, work_date, happened_at, device_id, village, about in rows:
        found[key].append(
            Entry(
                record_id, work_date, happened_at, device_id or "", codec.decode(facts), village, about or ""
            )
        )
    return {key: sorted(entries, key=order) for key, entries in found.items()}


def stored(connection: Connection, kind: str, keys: Sequence[str]) -> dict[str, Located]:
    rows = connection.execute(
        select(mentioned.c.unit_key, mentioned.c.contributions).where(
            mentioned.c.kind == kind, mentioned.c.unit_key.in_(keys)
        )
    )
    return {row.unit_key: codec.decode(row.contributions) for row in rows}


def counted(
    kind: str, key: str, history: Sequence[Entry], declaration: Declaration, settings: Mapping[str, Any]
) -> tuple[Unit, Located]:
    """Nobody lists those who are mentioned; they count while a record mentions them."""
    unit = Unit(kind, key, key, history[-1].village_code if history else "", bool(history))
    found = contributions(unit, history, declaration, settings)
    return unit, located(found, residence(history), declaration) if history else {}
