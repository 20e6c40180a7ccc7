"""Who stands out of those whom records mention: a component holds of them, and none that would settle it, as
`exceptions.json` declares it. Kept up as they are counted, so that no reader has to look at everybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, select

from server.readmodel import codec
from server.readmodel.areas import AreaTree
from server.readmodel.tables import mentions, records
from server.readmodel.tables import standing_out as table
from server.readmodel.upsert import upsert

IDS_AT_ONCE = 400
SOURCE = "mentioned"

Located = Mapping[str, Mapping[str, Mapping[str, int]]]  # what somebody adds, by village


@dataclass(frozen=True, slots=True)
class StandingOut:
    """`id` is that of the exception, `unit` whom it is about."""

    id: str
    unit: str
    component: str
    without: frozenset[str]


def load_standing_out(exceptions: Iterable[Mapping[str, Any]]) -> tuple[StandingOut, ...]:
    """Of the rows of `exceptions.json`, which are checked where the board reads them."""
    return tuple(
        StandingOut(row["id"], row["unit"], row["component"], frozenset(row.get("without", ())))
        for row in exceptions
        if row["source"] == SOURCE
    )


def villages_of(wanted: StandingOut, located: Located) -> list[str]:
    """Where somebody stands out; nowhere, when it is settled anywhere."""
    said = {name.partition("|")[0] for found in located.values() for name, days in found.items() if days}
    if said & wanted.without:
        return []
    return sorted(village for village, found in located.items() if found.get(wanted.component))


def write_standing_out(
    connection: Connection,
    tree: AreaTree,
    declared: Sequence[StandingOut],
    located: Mapping[str, Located],
) -> None:
    """Replace what the table says of these, all of one kind; `declared` is of that kind."""
    for wanted in declared:
        names = sorted(located)
        for start in range(0, len(names), IDS_AT_ONCE):
            some = names[start : start + IDS_AT_ONCE]
            connection.execute(
                delete(table).where(table.c.exception == wanted.id, table.c.unit_key.in_(some))
            )
            there = {name: found for name in some if (found := villages_of(wanted, located[name]))}
            upsert(connection, table, list(_rows(connection, tree, wanted, there)))


def _rows(
    connection: Connection, tree: AreaTree, wanted: StandingOut, there: Mapping[str, Sequence[str]]
) -> Iterable[dict[str, Any]]:
    for name, first in _first_mentions(connection, wanted, list(there)).items():
        for village in there[name]:
            yield {
                "exception": wanted.id,
                "unit_key": name,
                "village_code": village,
                "town_code": tree.town(village),
                "since": first.happened_at,
                "record_id": first.record_id,
                "place": first.place,
                "found_in": first.village_code,
                "household_id": first.household_id,
            }


def _first_mentions(connection: Connection, wanted: StandingOut, names: Sequence[str]) -> dict[str, Row[Any]]:
    """The first record of each that says it."""
    if not names:
        return {}
    columns = ("record_id", "village_code", "happened_at", "household_id")
    query = (
        select(
            mentions.c.unit_key, mentions.c.place, mentions.c.facts, *(records.c[name] for name in columns)
        )
        .join(records, (records.c.db == mentions.c.db) & (records.c.record_id == mentions.c.record_id))
        .where(mentions.c.kind == wanted.unit, mentions.c.unit_key.in_(names), records.c.effective)
        .order_by(records.c.happened_at, records.c.record_id, mentions.c.place)
    )
    first: dict[str, Row[Any]] = {}
    for row in connection.execute(query):
        said = codec.decode(row.facts).get(wanted.component)
        if row.unit_key not in first and isinstance(said, list) and said and said[0]:
            first[row.unit_key] = row
    return first
