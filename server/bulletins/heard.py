"""Which devices were heard from by a record between two moments.

The records of a day are many, so they are not read: each device is looked up by the records that name it, or
one that this phone used to be. A record that names somebody else's device waits for a correction, and of
those there are few.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import JSON, Connection, cast, column, exists, func, literal, select

from server.readmodel import codec
from server.readmodel.selecting import waiting
from server.readmodel.tables import Text, records


def heard_by_record(
    connection: Connection, device_ids: Collection[str], former: Mapping[str, str], start: str, moment: str
) -> set[str]:
    """Those of the devices that handed in a record which was received from `start` to `moment`. `former`:
    {device: the one that it was before}."""
    if not device_ids:
        return set()
    received = (records.c.received_at >= start) & (records.c.received_at <= moment)
    asked = _listed(connection, device_ids)
    own = exists().where(records.c.device_id == asked, received, records.c.writer == "device:" + asked)
    heard = set(connection.execute(select(asked).where(own)).scalars())
    missing = set(device_ids) - heard
    if not missing:
        return heard
    before = {name for device_id in missing for name in _before(device_id, former)}
    writers: set[str] = set()
    for condition in (records.c.device_id.in_(sorted(before)), waiting()):
        query = select(records.c.writer).where(condition, received)
        writers |= set(connection.execute(query.distinct()).scalars())
    return heard | {device_id for device_id in missing if f"device:{device_id}" in writers}


def _listed(connection: Connection, texts: Collection[str]) -> Any:
    """A column of these texts: one parameter, however many there are."""
    given = literal(codec.encode(list(texts)), Text)
    elements = (
        func.json_array_elements_text(cast(given, JSON))
        if connection.dialect.name == "postgresql"
        else func.json_each(given)
    )
    return elements.table_valued(column("value", Text), name="asked").c.value


def _before(device_id: str, former: Mapping[str, str]) -> list[str]:
    found: list[str] = []
    while device_id in former and former[device_id] not in found:
        device_id = former[device_id]
        found.append(device_id)
    return found
