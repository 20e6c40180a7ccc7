"""The figures as they stood at a moment: everything received up to it counts, nothing that came later.

The cells count all that has arrived. What came later reaches only the units of its own supersede chains
and those whom its records mention, so only those are looked at again:

    cells as of the moment = cells − what the touched units contribute now
                                   + what they contribute without the later records

The second count is made by intake's own functions (`resolve_chains`, `recount`) in a read model in memory
that holds nothing but the records of the touched units, without the late ones. So whatever is declared is
counted here as it is there. The real tables are only read, in one snapshot.

A verdict, the register and the settings are those of the snapshot: staff who accept a quarantined record
after the cut-off and before they freeze have it counted.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, StaticPool, create_engine, delete, func, select

from server.intake.chaining import resolve_chains
from server.readmodel import codec
from server.readmodel.areas import AreaTree
from server.readmodel.declaration import Declaration, Indicator
from server.readmodel.figures import Sums, add_to, scopes_of, sums_by_area, week_start
from server.readmodel.kept_areas import AreaAnswers
from server.readmodel.recount import Counting, UnitKey, recount
from server.readmodel.selecting import waiting
from server.readmodel.sides import WHOLE
from server.readmodel.tables import (
    areas,
    cells,
    flags,
    mentioned,
    mentions,
    metadata,
    records,
    register,
    standing_out,
    suspects,
    units,
)

WAITING = ("quarantined", "returned")
IDS_AT_ONCE = 400
UNITS_AT_ONCE = 500
LEFT_OUT = {"doc": "{}", "search": "", "problems": "[]"}  # counting does not read them, and they are large

T = TypeVar("T")
Cell = tuple[str, str, str, str]  # area, component, part, day
Waiting = dict[tuple[str, str], int]  # (village, status) -> records


@dataclass
class AsOf:
    """What differs from the tables of now."""

    connection: Connection
    moment: str
    changes: dict[Cell, int] = field(default_factory=lambda: defaultdict(int))
    waiting: Waiting = field(default_factory=lambda: defaultdict(int))
    late_records: int = 0
    answers: AreaAnswers | None = None

    def told(
        self, question: Hashable, codes: Collection[str], make: Callable[[Collection[str]], Mapping[str, T]]
    ) -> dict[str, T]:
        """What `make` tells of areas, kept of those that nothing late reaches."""
        if self.answers is None:
            return dict(make(codes))
        reached = {area for area, *_ in self.changes}.intersection(codes)
        others = [code for code in codes if code not in reached]
        return {**self.answers.get(question, others, make), **(make(reached) if reached else {})}

    def sums(self, area_codes: Collection[str], day: str, indicators: Iterable[Indicator]) -> dict[str, Sums]:
        """What `figures.figure` takes, for each area."""
        wanted = list(indicators)
        components = {name for indicator in wanted for name in indicator.components()}
        result = sums_by_area(self.connection, area_codes, day, wanted)
        week = week_start(day)
        for (area, component, part, on), value in self.changes.items():
            if component in components and area in result:
                for scope in scopes_of(on, day, week):
                    add_to(result[area], scope, component, part, value)
        return result

    def active_areas(self, area_codes: Collection[str], day: str, components: Sequence[str]) -> set[str]:
        """The areas in which one of the components counts something on the day."""
        counts: dict[tuple[str, str], int] = defaultdict(int)
        query = select(cells.c.area_code, cells.c.component, cells.c.value).where(
            cells.c.area_code.in_(area_codes),
            cells.c.component.in_(components),
            cells.c.part == WHOLE,
            cells.c.day == day,
        )
        for area, component, value in self.connection.execute(query):
            counts[area, component] += value
        for (area, component, part, on), value in self.changes.items():
            if on == day and component in components and part == WHOLE:
                counts[area, component] += value
        return {area for (area, _), count in counts.items() if count}


def as_of(
    connection: Connection,
    declaration: Declaration,
    settings: Mapping[str, Any],
    moment: str,
    answers: AreaAnswers | None = None,
) -> AsOf:
    """`connection` is a snapshot; `moment` is RFC 3339 UTC with milliseconds, itself included."""
    result = AsOf(connection, moment, answers=answers)
    result.waiting.update(_waiting_now(connection, moment))
    late = connection.execute(select(records.c.root_id).where(records.c.received_at > moment)).scalars().all()
    result.late_records = len(late)
    if late:
        with _side_model(connection) as side:
            counting = Counting(side, declaration, settings, AreaTree(connection))
            for group in _batches(connection, set(late)):
                _recount_without(result, counting, group)
                time.sleep(0)  # a worker serves others between two batches
            for row in side.execute(select(cells)):
                result.changes[row.area_code, row.component, row.part, row.day] += row.value
    return result


def _waiting_now(connection: Connection, moment: str) -> Waiting:
    """Counted in the index that has only them, less those that came later."""
    of_all = select(records.c.village_code, records.c.status, func.count()).group_by(
        records.c.village_code, records.c.status
    )
    found: Waiting = defaultdict(int)
    for sign, condition in ((1, waiting()), (-1, waiting() & (records.c.received_at > moment))):
        for village, status, count in connection.execute(of_all.where(condition)):
            found[village, status] += sign * count
    return found


@contextmanager
def _side_model(connection: Connection) -> Iterator[Connection]:
    """An empty read model in memory that knows the areas."""
    engine = create_engine("sqlite://", poolclass=StaticPool)
    try:
        metadata.create_all(engine)
        with engine.begin() as side:
            _copy(side, areas, connection.execute(select(areas)).all())
            yield side
    finally:
        engine.dispose()


def _copy(side: Connection, table: Any, rows: Sequence[Row[Any]]) -> None:
    if rows:
        side.execute(table.insert(), [dict(row._mapping) for row in rows])


# 1. What the late records reach


@dataclass
class Group:
    """Chains with late records, and all units that their records are about or mention."""

    roots: set[str] = field(default_factory=set)
    units: set[UnitKey] = field(default_factory=set)


def _batches(connection: Connection, roots: set[str]) -> Iterator[Group]:
    """Groups that share no unit, several at once."""
    batch = Group()
    for group in _groups(connection, roots):
        batch.roots |= group.roots
        batch.units |= group.units
        if len(batch.units) + len(batch.roots) >= UNITS_AT_ONCE:
            yield batch
            batch = Group()
    if batch.roots:
        yield batch


def _groups(connection: Connection, roots: set[str]) -> list[Group]:
    """A unit that two chains reach is counted again once, without the late records of both."""
    by_unit: dict[UnitKey, Group] = {}
    by_root: dict[str, Group] = {root: Group({root}) for root in roots}
    for root, kind, key in _reached(connection, sorted(roots)):
        group, other = by_root[root], by_unit.get((kind, key))
        if other is not None and other is not group:
            small, large = sorted((group, other), key=lambda each: len(each.roots) + len(each.units))
            large.roots |= small.roots
            large.units |= small.units
            by_root.update(dict.fromkeys(small.roots, large))
            by_unit.update(dict.fromkeys(small.units, large))
            group = large
        group.units.add((kind, key))
        by_unit[kind, key] = group
    return list({id(group): group for group in by_root.values()}.values())


def _reached(connection: Connection, roots: list[str]) -> Iterator[tuple[str, str, str]]:
    columns = (records.c.root_id, records.c.unit_kind, records.c.unit_key)
    for chunk in _chunks(roots):
        about = select(*columns).where(records.c.root_id.in_(chunk), records.c.unit_key.is_not(None))
        named = select(records.c.root_id, mentions.c.kind, mentions.c.unit_key).where(
            records.c.root_id.in_(chunk), MENTIONS_RECORD
        )
        for query in (about, named):
            yield from ((row[0], row[1], row[2]) for row in connection.execute(query.distinct()))


MENTIONS_RECORD = (mentions.c.db == records.c.db) & (mentions.c.record_id == records.c.record_id)


def _chunks(values: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(values), IDS_AT_ONCE):
        yield values[start : start + IDS_AT_ONCE]


# 2. Counting them again without the late records


def _recount_without(result: AsOf, counting: Counting, group: Group) -> None:
    _take_away(result, counting.tree, group.units)
    side = counting.connection
    for table in (records, register, units, flags, suspects, mentions, mentioned, standing_out):
        side.execute(delete(table))
    roots = _copy_records(result, side, group)
    _copy_register(result.connection, side, counting.declaration, group.units)
    changed = resolve_chains(side, counting.declaration, roots)
    recount(counting, group.units | changed.units)
    _count_waiting(result.waiting, side.execute(_open(roots)), 1)


def _take_away(result: AsOf, tree: AreaTree, keys: set[UnitKey]) -> None:
    for kind, names in _by_kind(keys).items():
        for chunk in _chunks(names):
            rows = result.connection.execute(
                select(units.c.village_code, units.c.contributions).where(
                    units.c.kind == kind, units.c.unit_key.in_(chunk)
                )
            )
            for village, stored in rows:
                _add(result.changes, tree.path(village), codec.decode(stored), -1)
            _take_away_mentioned(result, tree, kind, chunk)


def _take_away_mentioned(result: AsOf, tree: AreaTree, kind: str, names: list[str]) -> None:
    """Those who are mentioned may count in several villages."""
    stored = select(mentioned.c.contributions).where(
        mentioned.c.kind == kind, mentioned.c.unit_key.in_(names)
    )
    for located in result.connection.execute(stored).scalars():
        for village, contributed in codec.decode(located).items():
            _add(result.changes, tree.path(village), contributed, -1)


def _by_kind(keys: Iterable[UnitKey]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for kind, name in sorted(keys):
        found[kind].append(name)
    return found


def _add(
    changes: dict[Cell, int], path: Sequence[str], contributed: Mapping[str, Mapping[str, int]], sign: int
) -> None:
    for name, days in contributed.items():
        component, _, part = name.partition("|")
        for day, value in days.items():
            for area in path:
                changes[area, component, part, day] += sign * value


def _copy_records(result: AsOf, side: Connection, group: Group) -> set[str]:
    """The records of the group's units and chains but the late ones. Returns the chains to resolve again,
    each by the name that it has without its late records."""
    rows = [row for row in _rows(result.connection, group) if row.received_at <= result.moment]
    early = [dict(row._mapping) | LEFT_OUT for row in rows]
    reached = [row for row in early if row["root_id"] in group.roots]
    _count_waiting(
        result.waiting,
        ((row["village_code"], row["status"]) for row in reached if _is_open(row)),
        -1,
    )
    replaces = {row["record_id"]: row["supersedes"] for row in reached}
    for row in reached:
        row["root_id"] = _oldest(row["record_id"], replaces)
    if early:
        side.execute(records.insert(), early)
        _copy_mentions(result.connection, side, {(row["db"], row["record_id"]) for row in early})
    return {row["root_id"] for row in reached}


def _copy_mentions(connection: Connection, side: Connection, keys: set[tuple[str, str]]) -> None:
    for chunk in _chunks(sorted({record_id for _, record_id in keys})):
        rows = connection.execute(select(mentions).where(mentions.c.record_id.in_(chunk))).all()
        _copy(side, mentions, [row for row in rows if (row.db, row.record_id) in keys])


def _rows(connection: Connection, group: Group) -> list[Row[Any]]:
    found: dict[tuple[str, str], Row[Any]] = {}
    wanted: list[ColumnElement[bool]] = [
        records.c.root_id.in_(chunk) for chunk in _chunks(sorted(group.roots))
    ]
    for kind, names in _by_kind(group.units).items():
        for chunk in _chunks(names):
            wanted.append((records.c.unit_kind == kind) & records.c.unit_key.in_(chunk))
            of_them = (mentions.c.kind == kind) & mentions.c.unit_key.in_(chunk)
            wanted.append(records.c.record_id.in_(select(mentions.c.record_id).where(of_them)))
    for condition in wanted:
        found |= {
            (row.db, row.record_id): row for row in connection.execute(select(records).where(condition))
        }
    return list(found.values())


def _oldest(record_id: str, replaces: Mapping[str, str | None]) -> str:
    """The oldest id that a correction leads to, arrived or not."""
    at, seen = record_id, {record_id}
    while (target := replaces.get(at)) and target not in seen:
        at = target
        seen.add(at)
    return at


def _copy_register(
    connection: Connection, side: Connection, declaration: Declaration, keys: set[UnitKey]
) -> None:
    for kind, names in _by_kind(keys).items():
        unit = declaration.units.get(kind)
        if unit is None:
            continue  # nobody lists those who are mentioned
        ids = sorted({name if unit.scope == "district" else name.partition("/")[2] for name in names})
        for chunk in _chunks(ids):
            query = select(register).where(register.c.kind == unit.register, register.c.unit_id.in_(chunk))
            _copy(side, register, connection.execute(query).all())


def _is_open(row: Mapping[str, Any]) -> bool:
    return row["status"] in WAITING and not row["closed"]


def _open(roots: set[str]) -> Any:
    """Bound to a batch's few hundred chains."""
    return select(records.c.village_code, records.c.status).where(
        records.c.root_id.in_(sorted(roots)), records.c.status.in_(WAITING), records.c.closed.is_(False)
    )


def _count_waiting(waiting: Waiting, found: Iterable[Any], sign: int) -> None:
    for village, status in found:
        waiting[village, status] += sign
