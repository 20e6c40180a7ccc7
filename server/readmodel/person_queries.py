"""Whom records mention, one by one: the last instance that says something of each."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import or_, select

from server.readmodel.model import ReadModel
from server.readmodel.tables import mentions, records

Instance = tuple[str, str, int]  # database, record id, place within the record


def last_instances(
    rm: ReadModel, kind: str, components: Collection[str], day: str, area_code: str
) -> list[Instance]:
    """Of everybody whom effective records up to `day` mention as `kind` with one of the components, the last
    such instance, where it was made inside the area; by village and moment. A component stands in the facts
    of what speaks to it."""
    said = or_(*(mentions.c.facts.contains(f'"{name}":', autoescape=True) for name in components))
    query = (
        select(
            mentions.c.unit_key, mentions.c.db, mentions.c.record_id, mentions.c.place, records.c.village_code
        )
        .select_from(
            mentions.join(
                records, (records.c.db == mentions.c.db) & (records.c.record_id == mentions.c.record_id)
            )
        )
        .where(mentions.c.kind == kind, records.c.effective, records.c.work_date <= day, said)
        .order_by(records.c.work_date, records.c.happened_at, records.c.record_id, mentions.c.place)
    )
    with rm.engine.connect() as connection:
        last = {row.unit_key: row for row in connection.execute(query)}
    inside = [row for row in last.values() if row.village_code.startswith(area_code)]
    return [(row.db, row.record_id, row.place) for row in sorted(inside, key=lambda row: row.village_code)]
