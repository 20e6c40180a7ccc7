"""Marks of areas: an area's mark changes with its cells, so that what was worked out of them need be worked
out again only where they changed. They are counters of the read model, written with the cells."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from server.readmodel.tables import counters
from server.readmodel.upsert import upsert

AREA, EVERY = "area:", "area"

Mark = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Marks:
    """`every` changes when all cells were made anew."""

    every: int
    of_area: Mapping[str, int]

    def of(self, area_code: str) -> Mark:
        return self.every, self.of_area.get(area_code, 0)


def mark_changed(connection: Connection, area_codes: Collection[str]) -> None:
    rows = [{"name": AREA + code, "value": 1} for code in sorted(area_codes)]
    upsert(connection, counters, rows, add="value")


def mark_every(connection: Connection, version: int) -> None:
    """`version` is one that the read model has not had yet, so that no mark of before comes again."""
    upsert(connection, counters, [{"name": EVERY, "value": version}])


def marks(connection: Connection) -> Marks:
    query = select(counters.c.name, counters.c.value).where(counters.c.name.startswith(EVERY))
    found: dict[str, int] = dict(connection.execute(query).all())
    every = found.pop(EVERY, 0)
    return Marks(every, {name.removeprefix(AREA): value for name, value in found.items()})
