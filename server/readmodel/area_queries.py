"""Figures by area, and the lists of what is still to do."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from server.readmodel import codec
from server.readmodel.behind_queries import grid_table
from server.readmodel.declaration import Declaration, Indicator
from server.readmodel.figures import figure, number, share, sums_by_area
from server.readmodel.kept_areas import AreaAnswers
from server.readmodel.model import ReadModel
from server.readmodel.moments import beijing_day, parse
from server.readmodel.paging import Page, clamp
from server.readmodel.recount import unit_key_of
from server.readmodel.selecting import active, keyset, waiting, within
from server.readmodel.snapshots import snapshot
from server.readmodel.tables import areas as area_table_
from server.readmodel.tables import cells, checkpoints, records, register, units
from server.readmodel.time_limit import limited
from server.readmodel.unit_queries import unit_item, unit_query

AREA_FIELDS = ("code", "name", "level", "parent", "active_from", "active_to")
AREA = [area_table_.c[name] for name in AREA_FIELDS]
VILLAGE_FIELDS = AREA_FIELDS[:4]


def areas(rm: ReadModel, parent: str | None = None) -> list[dict[str, Any]]:
    """[{code, name, level, parent, active_from, active_to}] by code: the children of `parent`, or all."""
    query = select(*AREA).order_by(area_table_.c.code)
    if parent is not None:
        query = query.where(area_table_.c.parent == parent)
    with rm.engine.connect() as connection:
        return [dict(zip(AREA_FIELDS, row, strict=True)) for row in connection.execute(query).all()]


def area(rm: ReadModel, code: str) -> dict[str, Any] | None:
    with rm.engine.connect() as connection:
        row = connection.execute(select(*AREA).where(area_table_.c.code == code)).first()
    return dict(zip(AREA_FIELDS, row, strict=True)) if row else None


def district(rm: ReadModel) -> dict[str, Any] | None:
    with rm.engine.connect() as connection:
        row = connection.execute(select(*AREA).where(area_table_.c.level == "district").limit(1)).first()
    return dict(zip(AREA_FIELDS, row, strict=True)) if row else None


def _indicators(declaration: Declaration, ids: Collection[str] | None) -> list[Indicator]:
    """Raises KeyError for an id that is not declared."""
    return (
        list(declaration.indicators.values())
        if ids is None
        else [declaration.indicators[name] for name in ids]
    )


def figures(
    rm: ReadModel, area_code: str, day: str, ids: Collection[str] | None = None, *, now: str | None = None
) -> dict[str, dict[str, Any]]:
    """{indicator id: {value, numerator?, denominator?, cumulative, parts?}} of an area as of the end of
    `day`.

    With `now` (RFC 3339 UTC, in `day`), what is overdue is that of that moment. Raises KeyError for
    an unknown id.
    """
    wanted = _indicators(rm.declaration, ids)
    with rm.engine.connect() as connection:
        sums = sums_by_area(connection, [area_code], day, wanted)[area_code]
        result = {indicator.id: figure(indicator, sums) for indicator in wanted}
    late = rm.declaration.overdue
    if now and late and late.id in result:
        result[late.id] |= points_at(rm, area_code, now)
    return result


def points_at(rm: ReadModel, area_code: str, now: str) -> dict[str, Any]:
    """{value, numerator, denominator} of the points overdue at a moment, as `figures` has them."""
    done = rm.declaration.within_interval
    with rm.engine.connect() as connection:
        due = (
            active(units, day_of(now))
            & (units.c.kind == (done.unit if done else ""))
            & units.c.registered
            & within(units, area_code, connection)
        )
        count = select(func.count()).select_from(units)
        points = connection.execute(count.where(due)).scalar_one()
        late = connection.execute(count.where(due, units.c.due_at <= now)).scalar_one()
    return {"value": late, "numerator": points - late, "denominator": points}


def day_of(now: str) -> str:
    """The Beijing day of a moment. Raises ValueError."""
    moment = parse(now)
    if moment is None:
        raise ValueError(f"not a moment: {now!r}")
    return beijing_day(moment)


def area_table(
    rm: ReadModel, area_code: str, day: str, ids: Collection[str] | None = None
) -> list[dict[str, Any]]:
    """[{area:{code, name, level}, figures:{id:{…}}}] of the areas directly below; of a village as
    `grid_table` has them."""
    wanted = _indicators(rm.declaration, ids)
    with rm.engine.connect() as connection:
        if _level(connection, area_code) == "village":
            return grid_table(connection, rm.declaration, area_code, day, wanted)
    children = areas(rm, area_code)
    with rm.engine.connect() as connection:
        sums = sums_by_area(connection, [child["code"] for child in children], day, wanted)
    return [
        {
            "area": {name: child[name] for name in ("code", "name", "level")},
            "figures": {indicator.id: figure(indicator, sums[child["code"]]) for indicator in wanted},
        }
        for child in children
    ]


def village_table(
    rm: ReadModel, area_code: str, day: str, ids: Collection[str] | None = None
) -> list[dict[str, Any]]:
    """Like `area_table`, of every village inside an area that there is on the day; each `area` has its
    `parent` too. Those of one indicator are kept by village: not to be changed."""
    wanted = _indicators(rm.declaration, ids)

    def told(codes: Collection[str]) -> dict[str, dict[str, Any]]:
        return {
            code: {indicator.id: figure(indicator, found) for indicator in wanted}
            for code, found in sums_by_area(connection, codes, day, wanted).items()
        }

    with snapshot(rm.engine) as connection:
        rows = connection.execute(_villages_on(connection, area_code, day)).all()
        codes = [row.code for row in rows]
        if len(wanted) == 1:
            figures = AreaAnswers(rm, connection).get(("figure", day, wanted[0].id), codes, told)
        else:
            figures = told(codes)
    return [
        {"area": dict(zip(VILLAGE_FIELDS, row, strict=True)), "figures": figures[row.code]} for row in rows
    ]


def trend(
    rm: ReadModel, area_code: str, indicator_id: str, from_day: str, to_day: str
) -> list[dict[str, Any]]:
    """[{day, value}] for every day of the span, at most a year. Raises KeyError, ValueError for a bad
    span."""
    from server.readmodel.trend import days_between, values_by_day

    wanted = rm.declaration.indicators[indicator_id]
    days = days_between(from_day, to_day)
    with rm.engine.connect() as connection:
        rows = connection.execute(
            select(cells.c.component, cells.c.part, cells.c.day, cells.c.value).where(
                cells.c.area_code == area_code,
                cells.c.component.in_(sorted(wanted.components())),
                cells.c.day <= to_day,
            )
        ).all()
    return values_by_day(wanted, [tuple(row) for row in rows], days)


def not_reached(rm: ReadModel, area_code: str, day: str, cursor: str | None = None, limit: int = 50) -> Page:
    """Households to visit that are not settled by `day` (A6), by village and id.

    [{household_id, village_code, town_code, grid_code, entry?, attempts, first_attempt_date?,
    last_visit_date?, last_result?}]; `entry` is the
    register's document, absent for a household that a visit found and the register does not list.
    """
    with rm.engine.connect() as connection:
        query = (
            unit_query()
            .where(units.c.kind == "household", active(units, day), units.c.settled_on > day)
            .where(within(units, area_code, connection))
        )
        rows, cursor = keyset(
            connection,
            f"not_reached:{area_code}:{day}",
            query,
            (units.c.village_code, units.c.unit_key),
            cursor,
            clamp(limit),
        )
    return Page([_household(row) for row in rows], cursor)


def _household(row: Row[Any]) -> dict[str, Any]:
    state = codec.decode(row.state)
    item = {
        "household_id": row.unit_id,
        "village_code": row.village_code,
        "town_code": row.town_code,
        "grid_code": row.grid_code,
    }
    item["attempts"] = state.get("visits", 0)
    names = {
        "first_visit_date": "first_attempt_date",
        "last_visit_date": "last_visit_date",
        "last_result": "last_result",
    }
    item |= {target: state[name] for name, target in names.items() if name in state}
    return item | ({"entry": codec.decode(row.entry)} if row.entry else {})


def roster_outstanding(
    rm: ReadModel, area_code: str, cursor: str | None = None, limit: int = 50, campaign_id: str | None = None
) -> Page:
    """Roster entries that have not got everything, by village and id:
    [{roster_entry_id, campaign_id, village_code, town_code, entry, state:"open"|"partial", delivered,
    attempts, last_result?}]"""
    with rm.engine.connect() as connection:
        query = (
            unit_query()
            .where(units.c.kind == "roster_entry", units.c.open, units.c.registered)
            .where(within(units, area_code, connection))
        )
        if campaign_id is not None:
            query = query.where(units.c.campaign_id == campaign_id)
        name = f"outstanding:{area_code}:{campaign_id}"
        rows, cursor = keyset(
            connection, name, query, (units.c.village_code, units.c.unit_key), cursor, clamp(limit)
        )
    return Page([roster_item(row) for row in rows], cursor)


def roster_item(row: Row[Any]) -> dict[str, Any]:
    state = codec.decode(row.state)
    item = {"roster_entry_id": row.unit_id, "campaign_id": row.campaign_id, "village_code": row.village_code}
    item |= {"town_code": row.town_code, "entry": codec.decode(row.entry) if row.entry else {}}
    item |= {
        "state": state.get("state", "open"),
        "delivered": state.get("delivered", []),
        "attempts": state.get("deliveries", 0),
    }
    return item | ({"last_result": state["last_result"]} if "last_result" in state else {})


def points_overdue(
    rm: ReadModel, area_code: str, now: str, cursor: str | None = None, limit: int = 50
) -> Page:
    """Active points whose interval has run out at `now` (RFC 3339 UTC), longest overdue first, never
    disinfected before all (C3):
    [{point_id, village_code, town_code, entry, last_ended_at?, next_due?}]"""
    with rm.engine.connect() as connection:
        query = (
            unit_query()
            .where(
                units.c.kind == "point",
                units.c.registered,
                units.c.due_at <= now,
                active(units, day_of(now)),
            )
            .where(within(units, area_code, connection))
        )
        columns = (units.c.due_at, units.c.village_code, units.c.unit_key)
        rows, cursor = keyset(connection, f"overdue:{area_code}", query, columns, cursor, clamp(limit))
    return Page([point_item(row) for row in rows], cursor)


def point_item(row: Row[Any]) -> dict[str, Any]:
    state = codec.decode(row.state)
    item = {"point_id": row.unit_id, "village_code": row.village_code, "town_code": row.town_code}
    item["entry"] = codec.decode(row.entry) if row.entry else {}
    return item | {name: state[name] for name in ("last_ended_at", "next_due") if name in state}


def villages_status(rm: ReadModel, area_code: str, day: str) -> list[dict[str, Any]]:
    """Every village of an area that there is on the day: [{area, state:"reported"|"silent", counts:
    {component: number}, quarantined, last_received_at?}].

    A village has reported when one of the declaration's `reports` counts a record of `day` in it.
    """
    with rm.engine.connect() as connection:
        query = _villages_on(connection, area_code, day)
        villages = connection.execute(query).all()
        codes = query.with_only_columns(area_table_.c.code).order_by(None)
        done: dict[str, dict[str, Any]] = {}
        for code, component, value in connection.execute(_counted_on(rm, codes, day)).all():
            done.setdefault(code, {})[component] = number(value)
        waiting: dict[str, int] = dict(connection.execute(_quarantined_by_village()).all())
        heard: dict[str, str | None] = dict(
            connection.execute(select(checkpoints.c.db, checkpoints.c.last_received_at)).all()
        )
    nothing: dict[str, Any] = dict.fromkeys(rm.declaration.reports, 0)
    return [_village(each, nothing | done.get(each.code, {}), waiting, heard) for each in villages]


def villages_reported(rm: ReadModel, area_code: str, day: str) -> tuple[set[str], set[str]]:
    """(every village of an area that there is on the day, those of them that reported), as
    `villages_status` has them."""

    def told(codes: Collection[str]) -> dict[str, bool]:
        rows = connection.execute(_counted_on(rm, codes, day)).all()
        return dict.fromkeys(codes, False) | {code: True for code, _, value in rows if value}

    with snapshot(rm.engine) as connection:
        villages = {row.code for row in connection.execute(_villages_on(connection, area_code, day)).all()}
        reported = AreaAnswers(rm, connection).get(("heard", day), villages, told)
    return villages, {code for code, heard in reported.items() if heard}


def _counted_on(rm: ReadModel, codes: Collection[str] | Select[Any], day: str) -> Select[Any]:
    return select(cells.c.area_code, cells.c.component, cells.c.value).where(
        cells.c.area_code.in_(codes),
        cells.c.component.in_(rm.declaration.reports),
        cells.c.part == "",
        cells.c.day == day,
    )


def _villages(connection: Connection, area_code: str) -> Select[Any]:
    columns = [area_table_.c[name] for name in VILLAGE_FIELDS]
    query = select(*columns).where(area_table_.c.level == "village").order_by(area_table_.c.code)
    level = connection.execute(select(area_table_.c.level).where(area_table_.c.code == area_code)).scalar()
    if level == "district":
        return query
    return query.where((area_table_.c.parent if level == "town" else area_table_.c.code) == area_code)


def _villages_on(connection: Connection, area_code: str, day: str) -> Select[Any]:
    return _villages(connection, area_code).where(active(area_table_, day))


def _quarantined_by_village() -> Select[Any]:
    return (
        select(records.c.village_code, func.count())
        .where(waiting(), records.c.status == "quarantined")
        .group_by(records.c.village_code)
    )


def _village(
    row: Row[Any], done: dict[str, Any], waiting: dict[str, int], heard: dict[str, str | None]
) -> dict[str, Any]:
    received = heard.get(f"inbox-{row.code}")
    return {
        "area": dict(zip(VILLAGE_FIELDS, row, strict=True)),
        "state": "reported" if any(done.values()) else "silent",
        "counts": done,
        "quarantined": waiting.get(row.code, 0),
        **({"last_received_at": received} if received else {}),
    }


def list_units(
    rm: ReadModel,
    kind: str,
    area_code: str,
    cursor: str | None = None,
    limit: int = 50,
    text: str | None = None,
) -> Page:
    """Entries of the registers by village and id: [{kind, id, village_code, town_code, grid_code,
    active_from, active_to, entry}].

    `kind` is household, point, station, roster_entry, filler, campaign or supply_point; what belongs to no
    village is in the district's list. Raises BadCursor, and TooWide for a text whose search reads too much.
    """
    with limited(rm.engine) as connection:
        query = select(register).where(register.c.kind == kind)
        if _level(connection, area_code) != "district":
            query = query.where(within(register, area_code, connection))
        if text:
            query = query.where(register.c.search.contains(codec.plain(text).lower(), autoescape=True))
        name = "units:" + codec.key(f"{kind}:{area_code}:{text}")
        rows, cursor = keyset(
            connection, name, query, (register.c.village_code, register.c.unit_id), cursor, clamp(limit)
        )
    return Page([_listed(row) for row in rows], cursor)


def _level(connection: Connection, area_code: str) -> str | None:
    return connection.execute(select(area_table_.c.level).where(area_table_.c.code == area_code)).scalar()


def _listed(row: Row[Any]) -> dict[str, Any]:
    names = ("kind", "village_code", "town_code", "grid_code", "active_from", "active_to")
    return {name: getattr(row, name) for name in names} | {"id": row.unit_id, "entry": codec.decode(row.doc)}


def units_named(rm: ReadModel, kind: str, unit_id: str, area_code: str) -> list[dict[str, Any]]:
    """The units of the area that bear an id, as `unit_item` has them with their `key`: more than one where
    villages use the same. Raises KeyError for a kind that records are not about."""
    unit, name = rm.declaration.units[kind], codec.key(unit_id)
    with rm.engine.connect() as connection:
        villages = connection.execute(_villages(connection, area_code)).all()
        keys = {unit_key_of(unit, village.code, name) for village in villages}
        query = unit_query().where(units.c.kind == kind, units.c.unit_key.in_(keys))
        rows = connection.execute(query.where(within(units, area_code, connection))).all()
    found = [{**unit_item(row), "key": row.unit_key} for row in rows]
    return sorted(found, key=lambda item: str(item["village_code"]))


__all__ = [
    "area",
    "area_table",
    "areas",
    "district",
    "figures",
    "list_units",
    "not_reached",
    "points_overdue",
    "roster_outstanding",
    "share",
    "trend",
    "units_named",
    "village_table",
    "villages_status",
]
