"""The list behind a figure, as pages and API read it: each unit with what it adds, and the records that say
so."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Connection, select

from server.readmodel import codec
from server.readmodel.areas import AreaTree
from server.readmodel.behind import Behind, Row, grid_sums, villages_in
from server.readmodel.declaration import Declaration, Indicator
from server.readmodel.figures import WEEK_DAYS, figure, number, sums_by_area
from server.readmodel.grids import NO_GRID, Grids
from server.readmodel.model import ReadModel
from server.readmodel.paging import Page, clamp, decode_cursor, encode_cursor
from server.readmodel.record_queries import record_item
from server.readmodel.recount import UNLISTED
from server.readmodel.sides import FIRST_DAY, Side, speaks_of
from server.readmodel.tables import flags, mentions, records, units
from server.readmodel.time_limit import TooWide
from server.readmodel.unit_queries import unit_item, unit_query

SUMMED_MAX = 15_000  # units; a list of more is not added up row by row
READ_MAX = 60_000  # units, to find the rows of a page
# Kinds to which a unit adds at most one.
ONE_EACH = ("count_units_day", "first_day", "best_rank", "best_rank_day", "new_units", "fulfilled")
RECORDS_MAX = 10  # of a row, the latest

Key = tuple[str, str]  # kind, unit_key
Item = dict[str, Any]


def behind(
    rm: ReadModel,
    side: Side,
    area_code: str,
    grid: str | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Page:
    """The units that add to a number, by village: [{kind, id, village_code, town_code, grid_code, amount,
    parts?, registered?, entry?, state?, named?, records: [{record_id, form_id, work_date, village_code}]}].

    Amounts sum to `behind_total`'s. `entry` is the register's document, `named` what a person's last record
    says: {record (as `records` has it), place}; `records` are the latest that the number counts. `grid` is a
    grid of the village asked for, or NO_GRID. Raises BadCursor, and TooWide where too many units that add
    nothing had to be looked at.
    """
    declaration, limit = rm.declaration, clamp(limit)
    name = "behind:" + codec.key(
        f"{side.indicator.id}:{side.of}:{side.part}:{side.day}:{side.span}:{area_code}:{grid}"
    )
    place = decode_cursor(name, cursor, 3)
    after = (place[0], place[1], place[2]) if place else None
    with rm.engine.connect() as connection:
        found = Behind(connection, declaration, side, villages_in(connection, area_code), grid, READ_MAX)
        rows = list(islice(found.rows(after), limit + 1))
        items = _items(connection, declaration, side, rows[:limit], found)
    following = encode_cursor(name, list(rows[limit - 1].unit.place)) if len(rows) > limit else None
    return Page(items, following)


def behind_total(rm: ReadModel, side: Side, area_code: str, grid: str | None = None) -> dict[str, Any]:
    """{figure, sum, units}: the number as the cells have it, and the sum and count of all rows; both None
    where there are too many to add up. A grid has no cells: its figure is its own rows'."""
    declaration = rm.declaration
    with rm.engine.connect() as connection:
        if grid is None:
            sums = sums_by_area(connection, [area_code], side.day, [side.indicator])[area_code]
        else:
            found = grid_sums(connection, declaration, area_code, side.day, [side.indicator])
            sums = found.get(grid, {})
        told = side.number(sums)
        villages = villages_in(connection, area_code)
        try:
            if _too_many(declaration, side, told):
                raise TooWide
            behind = Behind(connection, declaration, side, villages, grid, SUMMED_MAX)
            amounts = [row.millionths for row in behind.rows()]
        except TooWide:
            return {"figure": told, "sum": None, "units": None}
    return {"figure": told, "sum": number(sum(amounts)), "units": len(amounts)}


def _too_many(declaration: Declaration, side: Side, told: float) -> bool:
    """Where a unit adds at most one (a day), the number says how many there are, before they are read."""
    components = [declaration.components[name] for name in side.components]
    one_each = all(
        each.kind in ONE_EACH or (each.kind == "register" and not each.value) for each in components
    )
    return one_each and told > SUMMED_MAX * (WEEK_DAYS if side.span == "week" else 1)


def grid_table(
    connection: Connection, declaration: Declaration, village: str, day: str, indicators: Sequence[Indicator]
) -> list[dict[str, Any]]:
    """[{area: {code, name, level}, figures}] of a village's grids, by code; last what counts in none, as
    NO_GRID, where there is such."""
    sums = grid_sums(connection, declaration, village, day, indicators)
    names = Grids(connection, declaration).known(village) | {NO_GRID: ""}
    return [
        {
            "area": {"code": code, "name": name, "level": "grid"},
            "figures": {each.id: figure(each, sums[code]) for each in indicators},
        }
        for code, name in names.items()
        if code in sums
    ]


def _items(
    connection: Connection, declaration: Declaration, side: Side, rows: Sequence[Row], found: Behind
) -> list[Item]:
    by_kind: dict[str, list[str]] = {}
    for row in rows:
        by_kind.setdefault(row.unit.kind, []).append(row.unit.unit_key)
    known: dict[Key, Item] = {}
    said: dict[Key, list[Item]] = {}
    for kind, keys in by_kind.items():
        if kind in declaration.units:
            known |= _listed(connection, kind, keys)
            said |= _records_of(connection, declaration, side, kind, keys)
        else:
            known |= _named(connection, declaration, side, kind, keys)
            said |= _records_of_mentioned(connection, declaration, side, kind, keys)
    tree = AreaTree(connection)
    places = [
        {"town_code": tree.town(row.unit.village_code), "grid_code": found.grid_of(row.unit)} for row in rows
    ]
    return [_item(row, known, said) | place for row, place in zip(rows, places, strict=True)]


def _item(row: Row, known: Mapping[Key, Item], said: Mapping[Key, list[Item]]) -> Item:
    unit = row.unit
    key = (unit.kind, unit.unit_key)
    item = {"kind": unit.kind, "id": "", **known.get(key, {}), "village_code": unit.village_code}
    item |= {"amount": number(row.millionths), "records": said.get(key, [])[:RECORDS_MAX]}
    parts = {part: number(value) for part, value in row.amounts.items() if part}
    return item | ({"parts": parts} if parts else {})


def _listed(connection: Connection, kind: str, keys: Collection[str]) -> dict[Key, Item]:
    query = unit_query().where(units.c.kind == kind, units.c.unit_key.in_(keys))
    return {(kind, row.unit_key): unit_item(row) for row in connection.execute(query)}


def _records_of(
    connection: Connection, declaration: Declaration, side: Side, kind: str, keys: Collection[str]
) -> dict[Key, list[Item]]:
    flagged = _flagged(connection, declaration, side, kind, keys)
    query = select(records).where(records.c.unit_kind == kind, records.c.unit_key.in_(keys))
    rows = [(row.unit_key, row, row.facts) for row in _counted(connection, query, declaration, side)]
    if any(declaration.components[name].kind == "register" for name in side.components):
        # A unit that joined by its first record counts because of its records, whatever they say.
        flagged |= {row.record_id for key, row, _ in rows if key.partition("/")[2].startswith(UNLISTED)}
    return _by_unit(kind, rows, speaks_of(side, declaration), flagged)


def _records_of_mentioned(
    connection: Connection, declaration: Declaration, side: Side, kind: str, keys: Collection[str]
) -> dict[Key, list[Item]]:
    query = _mentioning(kind, keys)
    rows = [
        (row.mentioned_key, row, row.mention_facts) for row in _counted(connection, query, declaration, side)
    ]
    return _by_unit(kind, rows, speaks_of(side, declaration), set())


def _mentioning(kind: str, keys: Collection[str]) -> Any:
    at = (records.c.db == mentions.c.db) & (records.c.record_id == mentions.c.record_id)
    mention = (mentions.c.unit_key.label("mentioned_key"), mentions.c.place)
    return (
        select(records, *mention, mentions.c.facts.label("mention_facts"))
        .select_from(mentions.join(records, at))
        .where(mentions.c.kind == kind, mentions.c.unit_key.in_(keys))
    )


def _counted(connection: Connection, query: Any, declaration: Declaration, side: Side) -> Iterable[Any]:
    """The records that count and that the days reach, latest first."""
    kinds = {declaration.components[name].kind for name in side.components}
    # What happened days ago may hold today.
    first = FIRST_DAY if "within_interval" in kinds else side.first_day
    last = (records.c.work_date.desc(), records.c.happened_at.desc(), records.c.record_id.desc())
    query = query.where(records.c.effective, records.c.work_date <= side.day, records.c.work_date >= first)
    found: Iterable[Any] = connection.execute(query.order_by(*last))
    return found


def _by_unit(
    kind: str, rows: Iterable[tuple[str, Any, str]], said: Collection[str], flagged: Collection[str]
) -> dict[Key, list[Item]]:
    found: dict[Key, list[Item]] = {}
    for unit_key, row, facts in rows:
        if row.record_id in flagged or said & codec.decode(facts).keys():
            listed = found.setdefault((kind, unit_key), [])
            if not listed or listed[-1]["record_id"] != row.record_id:
                names = ("record_id", "form_id", "work_date", "village_code")
                listed.append({name: getattr(row, name) for name in names})
    return found


def _flagged(
    connection: Connection, declaration: Declaration, side: Side, kind: str, keys: Collection[str]
) -> set[str]:
    wanted = {rule for name in side.components for rule in _flags(declaration, name, side.part)}
    if not wanted:
        return set()
    query = select(flags.c.record_id).where(
        flags.c.unit_kind == kind, flags.c.unit_key.in_(keys), flags.c.rule.in_(sorted(wanted))
    )
    return set(connection.execute(query).scalars())


def _flags(declaration: Declaration, component: str, part: str | None) -> Collection[str]:
    found = declaration.components[component]
    if found.kind != "flagged":
        return ()
    return [rule for rule in found.rules if not part or rule == part]


def _named(
    connection: Connection, declaration: Declaration, side: Side, kind: str, keys: Collection[str]
) -> dict[Key, Item]:
    """How the last record up to the day names each of them."""
    query = _mentioning(kind, keys).where(records.c.effective, records.c.work_date <= side.day)
    order = (records.c.work_date, records.c.happened_at, records.c.record_id, mentions.c.place)
    each = declaration.mentioned[kind].each
    found: dict[Key, Item] = {}
    for row in connection.execute(query.order_by(*order)):
        item: Item = {"household_id": row.household_id}
        if each:
            item["named"] = {"record": record_item(row), "repeat": each, "place": row.place}
        else:
            item["id"] = row.mentioned_key
        found[kind, row.mentioned_key] = item
    return found
