"""Who stands out, by looking at everybody: slow, and as plain as can be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, select

from server.exceptions.declaration import Kind
from server.exceptions.finding import Found, age
from server.readmodel import codec
from server.readmodel.tables import mentioned, mentions, records


def slow_mentioned(connection: Connection, kind: Kind, area: str) -> list[Found]:
    """Persons of whom the component holds in the area, and nowhere one of `without`, oldest first."""
    everybody = select(mentioned.c.unit_key, mentioned.c.contributions).where(mentioned.c.kind == kind.unit)
    keys = [
        row.unit_key
        for row in connection.execute(everybody)
        if _stands_out(kind, codec.decode(row.contributions), area)
    ]
    found = [each for key in keys for each in _first_mention(connection, kind, key)]
    return sorted(found, key=age)


def _stands_out(kind: Kind, located: Mapping[str, Mapping[str, Mapping[str, int]]], area: str) -> bool:
    said = {
        (village, name) for village, found in located.items() for name, days in found.items() if any(days)
    }
    settled = {name.partition("|")[0] for _, name in said} & set(kind.without)
    return not settled and any(name == kind.component and village.startswith(area) for village, name in said)


def _first_mention(connection: Connection, kind: Kind, key: str) -> Iterator[Found]:
    rows = connection.execute(
        select(mentions.c.place, mentions.c.facts, records)
        .join(records, (records.c.db == mentions.c.db) & (records.c.record_id == mentions.c.record_id))
        .where(mentions.c.kind == kind.unit, mentions.c.unit_key == key)
        .order_by(records.c.happened_at, records.c.record_id, mentions.c.place)
    ).mappings()
    for row in rows:
        if row["effective"] and codec.decode(row["facts"]).get(kind.component, [None])[0]:
            yield _found(kind, row)
            return


def _found(kind: Kind, row: Mapping[str, Any]) -> Found:
    about = {"record_id": row["record_id"], "place": str(row["place"] + 1)}
    about |= {"household_id": row["household_id"]} if row["household_id"] else {}
    subject = f"{row['record_id']}#{row['place']}"
    return Found(kind.id, row["village_code"], subject, row["happened_at"], about)
