"""What stands behind a figure: the units that add to it, read from the same contributions that its cells sum.

Units are read village by village in order of (village, kind, key), so that a page costs what its villages
hold. Cells tell which villages to leave out. Those whom no register lists (persons, a filler's day) stand in
one table for the whole district, which is read once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from sqlalchemy import ColumnElement, Connection, Table, and_, or_, select

from server.readmodel import codec
from server.readmodel.areas import AreaTree
from server.readmodel.contributions import Contributions
from server.readmodel.declaration import Declaration, Indicator
from server.readmodel.figures import Sums, add_to, scopes_of, sums_by_area, week_start
from server.readmodel.grids import Grids
from server.readmodel.sides import Side
from server.readmodel.tables import areas, cells, checkpoints, mentioned, units
from server.readmodel.time_limit import TooWide

# Amounts that may fall below zero cancel in the cells of a village that still holds some.
SIGNED = ("balance",)

Place = tuple[str, str, str]  # village, kind, key: rows come in this order


@dataclass(frozen=True, slots=True)
class Counted:
    """A unit in a village, with what it adds there."""

    kind: str
    unit_key: str
    village_code: str
    contributions: Contributions

    @property
    def place(self) -> Place:
        return (self.village_code, self.kind, self.unit_key)


@dataclass(frozen=True, slots=True)
class Row:
    unit: Counted
    amounts: Mapping[str, int]  # part -> millionths

    @property
    def millionths(self) -> int:
        return sum(self.amounts.values())


@dataclass
class Reader:
    """Reads what `components` count in `villages`. Raises TooWide when it has looked at `read_max` units."""

    connection: Connection
    declaration: Declaration
    components: Collection[str]
    villages: Sequence[str]
    only_day: str | None = None  # nothing of another day matters
    read_max: int | None = None
    _read: int = field(default=0, init=False)

    @cached_property
    def kinds(self) -> list[str]:
        return sorted({self.declaration.components[name].unit for name in self.components})

    def counted(self, after: Place | None = None) -> Iterator[Counted]:
        for village in self.villages:
            if after and village < after[0]:
                continue
            yield from self._in_village(village, after if after and village == after[0] else None)

    def _in_village(self, village: str, after: Place | None) -> Iterator[Counted]:
        for kind in self.kinds:
            if after and kind < after[1]:
                continue
            key = after[2] if after and kind == after[1] else None
            read = self._listed if kind in self.declaration.units else self._mentioned
            for unit in read(village, kind):
                if key is None or unit.unit_key > key:
                    self._read += 1
                    if self.read_max is not None and self._read > self.read_max:
                        raise TooWide
                    yield unit

    def _listed(self, village: str, kind: str) -> list[Counted]:
        query = (
            select(units.c.unit_key, units.c.contributions)
            .where(units.c.kind == kind, units.c.village_code == village, self._says(units, kind))
            .order_by(units.c.unit_key)
        )
        return [
            Counted(kind, row.unit_key, village, codec.decode(row.contributions))
            for row in self.connection.execute(query)
        ]

    def _mentioned(self, village: str, kind: str) -> list[Counted]:
        return self._everybody[kind].get(village, [])

    @cached_property
    def _everybody(self) -> dict[str, dict[str, list[Counted]]]:
        """{kind: {village: those who add something there}}"""
        return {kind: self._all_of(kind) for kind in self.kinds if kind in self.declaration.mentioned}

    def _all_of(self, kind: str) -> dict[str, list[Counted]]:
        query = (
            select(mentioned.c.unit_key, mentioned.c.contributions)
            .where(mentioned.c.kind == kind, self._says(mentioned, kind))
            .order_by(mentioned.c.unit_key)
        )
        if len(self.villages) == 1:
            query = query.where(_holds(mentioned, f'"{self.villages[0]}":'))
        found: dict[str, list[Counted]] = defaultdict(list)
        for row in self.connection.execute(query):
            for village, contributions in codec.decode(row.contributions).items():
                found[village].append(Counted(kind, row.unit_key, village, contributions))
        return found

    def _says(self, table: Table, kind: str) -> ColumnElement[bool]:
        """Leaves out most of those who add nothing, before their contributions are taken apart."""
        names = [name for name in self.components if self.declaration.components[name].unit == kind]
        says = or_(*(_holds(table, f'"{name}') for name in names))
        return and_(says, _holds(table, f'"{self.only_day}":')) if self.only_day else says


def _holds(table: Table, text: str) -> ColumnElement[bool]:
    return table.c.contributions.contains(text, autoescape=True)


class Behind:
    """The rows behind one number of an area; with `grid` those of one grid of a village, NO_GRID for those of
    none. Reading more than `read_max` units raises TooWide."""

    def __init__(
        self,
        connection: Connection,
        declaration: Declaration,
        side: Side,
        villages: Sequence[str],
        grid: str | None = None,
        read_max: int | None = None,
    ) -> None:
        if len(villages) > 1:
            villages = _with_something(connection, declaration, side, villages)
        only_day = side.day if side.daily and side.span == "day" else None
        self._side, self._grid = side, grid
        self._grids = Grids(connection, declaration)
        self._reader = Reader(connection, declaration, side.components, villages, only_day, read_max)

    def rows(self, after: Place | None = None) -> Iterator[Row]:
        for unit in self._reader.counted(after):
            row = Row(unit, self._side.amounts(unit.contributions))
            if row.millionths and (self._grid is None or self.grid_of(unit) == self._grid):
                yield row

    def grid_of(self, unit: Counted) -> str:
        return self._grids.of(unit.village_code, unit.kind, unit.unit_key)


def _with_something(
    connection: Connection, declaration: Declaration, side: Side, villages: Sequence[str]
) -> list[str]:
    names = side.components
    if any(declaration.components[name].kind in SIGNED for name in names):
        return list(villages)
    if _is_rest(declaration, side):
        sums = sums_by_area(connection, villages, side.day, [side.indicator])
        return [village for village in villages if side.number(sums[village])]
    query = select(cells.c.area_code).where(
        cells.c.area_code.in_(villages),
        cells.c.component.in_(names),
        cells.c.day >= side.first_day,
        cells.c.day <= side.day,
        cells.c.value != 0,
    )
    return sorted(connection.execute(query.distinct()).scalars())


def _is_rest(declaration: Declaration, side: Side) -> bool:
    """What the register lists, less those of whom something holds: no unit adds less than nothing."""
    found = [declaration.components[name] for name in side.components]
    whole = [declaration.components[term.component] for term in side.terms if term.sign > 0]
    counts = all(each.kind == "register" and not each.value for each in whole)
    return counts and len({each.unit for each in found}) == 1


def villages_in(connection: Connection, area_code: str) -> list[str]:
    """Every village that counts in an area, by code; a village's own code for itself."""
    tree = AreaTree(connection)
    listed = connection.execute(select(areas.c.code).where(areas.c.level == "village")).scalars()
    followed = connection.execute(select(checkpoints.c.db)).scalars()
    known = {*listed, *(db.partition("-")[2] for db in followed if db.startswith(("inbox-", "register-")))}
    return sorted(code for code in known if area_code in tree.path(code))


def grid_sums(
    connection: Connection,
    declaration: Declaration,
    village: str,
    day: str,
    indicators: Sequence[Indicator],
) -> dict[str, Sums]:
    """{grid code, or NO_GRID: sums as `sums_by_area` has them} of a village's units: they add up to the
    village's."""
    names = {name for indicator in indicators for name in indicator.components()}
    grids, week = Grids(connection, declaration), week_start(day)
    result: dict[str, Sums] = {code: {} for code in grids.known(village)}
    scopes: dict[str, tuple[str, ...]] = {}
    for unit in Reader(connection, declaration, names, [village]).counted():
        sums = result.setdefault(grids.of(village, unit.kind, unit.unit_key), {})
        for name, days in unit.contributions.items():
            component, _, part = name.partition("|")
            for on, value in days.items() if component in names else ():
                if on not in scopes:
                    scopes[on] = scopes_of(on, day, week)
                for scope in scopes[on]:
                    add_to(sums, scope, component, part, value)
    return result
