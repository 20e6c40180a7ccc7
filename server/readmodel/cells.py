"""The cells: what the units of an area add, by component and day; and by how much a unit moves them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, delete, select

from server.readmodel import codec
from server.readmodel.area_marks import mark_changed, mark_every
from server.readmodel.areas import AreaTree
from server.readmodel.contributions import Contributions
from server.readmodel.model import read_version
from server.readmodel.tables import cells, units
from server.readmodel.tables import mentioned as mentioned_table
from server.readmodel.upsert import upsert

Cell = tuple[str, str, str, str]  # area, component, part, day
Deltas = dict[Cell, int]


def move(
    deltas: Deltas, tree: AreaTree, old_village: str, old: Contributions, village: str, new: Contributions
) -> None:
    """A unit contributes `new` in one village instead of `old` in another, or the same."""
    if old_village == village:
        old, new = _apart(old, new), _apart(new, old)
    subtract(deltas, tree.path(old_village), old)
    add(deltas, tree.path(village), new)


def _apart(some: Contributions, others: Contributions) -> Contributions:
    """Those of `some` that are not the same among the others: most stay as they were."""
    return {name: days for name, days in some.items() if others.get(name) != days}


def subtract(deltas: Deltas, path: Sequence[str], old: Contributions) -> None:
    add(deltas, path, {name: {day: -value for day, value in days.items()} for name, days in old.items()})


def add(deltas: Deltas, path: Sequence[str], new: Contributions) -> None:
    for name, days in new.items():
        component, _, part = name.partition("|")
        for day, value in days.items():
            for area_code in path:
                deltas[area_code, component, part, day] += value


def write_cells(connection: Connection, deltas: Mapping[Cell, int]) -> None:
    rows = [
        {"area_code": area, "component": component, "part": part, "day": day, "value": value}
        for (area, component, part, day), value in deltas.items()
        if value
    ]
    upsert(connection, cells, rows, add="value")
    mark_changed(connection, {cell[0] for cell, value in deltas.items() if value})


def recount_cells(connection: Connection, tree: AreaTree) -> None:
    """Sum every unit's contributions into the cells anew: areas have changed their parents."""
    connection.execute(delete(cells))
    mark_every(connection, read_version(connection) + 1)
    deltas: Deltas = defaultdict(int)
    for village, stored in connection.execute(select(units.c.village_code, units.c.contributions)):
        add(deltas, tree.path(village), codec.decode(stored))
    for located in connection.execute(select(mentioned_table.c.contributions)).scalars():
        for village, found in codec.decode(located).items():
            add(deltas, tree.path(village), found)
    write_cells(connection, deltas)
