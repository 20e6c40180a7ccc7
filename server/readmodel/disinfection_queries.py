"""Disinfection: figures by area and by point, points by how they stand at a moment, and the day's records
with what they mixed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, func, or_, select

from server.readmodel import codec
from server.readmodel.area_queries import areas, day_of, point_item
from server.readmodel.declaration import Declaration
from server.readmodel.figures import Figure, Sums, add_to, figure, sums_by_area
from server.readmodel.model import ReadModel
from server.readmodel.paging import Page, clamp
from server.readmodel.record_queries import record_item
from server.readmodel.selecting import active, keyset, within
from server.readmodel.tables import records, units
from server.readmodel.unit_queries import unit_query

UNIT = "point"
FORM = "disinfection_log"
INDICATORS = ("C1", "C2", "C2'", "C5", "C6", "C6_m2_l")
HINTS = "disinfection_hints"
STANDINGS = ("overdue", "never", "in_time", "all")
POINT_SORTS = {
    "due": (units.c.due_at, units.c.village_code, units.c.unit_key),
    "village": (units.c.village_code, units.c.unit_key),
}
RECORD_SORTS = {
    "time": (records.c.happened_at, records.c.record_id, records.c.db),
    "village": (records.c.village_code, records.c.happened_at, records.c.record_id, records.c.db),
}

Figures = dict[str, Figure]


def hint_rules(declaration: Declaration) -> tuple[str, ...]:
    hints = declaration.components.get(HINTS)
    return hints.rules if hints else ()


def findings(declaration: Declaration) -> tuple[str, ...]:
    """What a day's records can be narrowed to: all, mixes that are wrong or right, any hint, one rule."""
    return ("all", "wrong", "right", "hints", *hint_rules(declaration))


def _indicators(declaration: Declaration) -> list[Any]:
    return [declaration.indicators[name] for name in INDICATORS]


def disinfection_figures(rm: ReadModel, area_codes: Sequence[str], day: str) -> dict[str, Figures]:
    """{area code: {indicator id: figure}} of INDICATORS on `day`."""
    wanted = _indicators(rm.declaration)
    with rm.engine.connect() as connection:
        sums = sums_by_area(connection, area_codes, day, wanted)
    return {code: {each.id: figure(each, sums[code]) for each in wanted} for code in area_codes}


def points_standing(rm: ReadModel, area_code: str, now: str) -> dict[str, dict[str, int]]:
    """{code: {due, overdue, never}} at `now` (RFC 3339 UTC) of the area and of those right inside it: the
    active points, those whose own interval has run out, and among them those never disinfected."""
    with rm.engine.connect() as connection:
        inside = units.c.town_code if len(area_code) == 6 else units.c.village_code
        rows = connection.execute(
            select(
                inside,
                func.count(),
                func.count().filter(units.c.due_at <= now),
                func.count().filter(units.c.due_at == ""),
            )
            .where(units.c.kind == UNIT, units.c.registered, active(units, day_of(now)))
            .where(within(units, area_code, connection))
            .group_by(inside)
        ).all()
    names = ("due", "overdue", "never")
    found = {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}
    return found | {area_code: {name: sum(each[name] for each in found.values()) for name in names}}


def disinfection_table(rm: ReadModel, area_code: str, day: str, now: str) -> list[dict[str, Any]]:
    """[{area: {code, name, level}, figures, standing}] of the areas right inside; of a village its points:
    [{point: {id, name, village_code, registered}, figures, standing}]. They sum to the area's own figures,
    but for shares, means and C2'."""
    inside = areas(rm, area_code)
    villages = [child for child in inside if child["level"] != "grid"]
    if not villages:
        return _points(rm, area_code, day, now)
    figures = disinfection_figures(rm, [child["code"] for child in villages], day)
    standing = points_standing(rm, area_code, now)
    return [
        {
            "area": {name: child[name] for name in ("code", "name", "level")},
            "figures": figures[child["code"]],
            "standing": standing.get(child["code"], {"due": 0, "overdue": 0, "never": 0}),
        }
        for child in villages
    ]


def _points(rm: ReadModel, village_code: str, day: str, now: str) -> list[dict[str, Any]]:
    """The village's points, and whatever else of it was disinfected on the day."""
    listed = units.c.registered & active(units, day_of(now))
    with rm.engine.connect() as connection:
        rows = connection.execute(
            unit_query()
            .where(units.c.kind == UNIT, units.c.village_code == village_code)
            .where(or_(listed, units.c.contributions.contains(f'"{day}"')))
            .order_by(units.c.unit_key)
        ).all()
    return [_point(rm, row, day, now) for row in rows]


def _point(rm: ReadModel, row: Row[Any], day: str, now: str) -> dict[str, Any]:
    sums = _sums(codec.decode(row.contributions), day)
    entry = codec.decode(row.entry) if row.entry else {}
    due = bool(row.registered and row.active_from <= day_of(now) <= row.active_to)
    standing = {"due": due, "overdue": due and row.due_at <= now, "never": due and row.due_at == ""}
    point = {"id": row.unit_id, "name": entry.get("name", ""), "village_code": row.village_code}
    return {
        "point": point | {"registered": row.registered},
        "figures": {each.id: figure(each, sums) for each in _indicators(rm.declaration)},
        "standing": {name: int(holds) for name, holds in standing.items()},
    }


def _sums(contributions: Mapping[str, Mapping[str, int]], day: str) -> Sums:
    """What one unit adds, as `figures.sums_by_area` gives it of an area."""
    sums: Sums = {}
    for name, days in contributions.items():
        component, _, part = name.partition("|")
        add_to(sums, "day", component, part, days.get(day, 0))
        add_to(sums, "so_far", component, part, sum(value for at, value in days.items() if at <= day))
    return sums


def points(
    rm: ReadModel,
    area_code: str,
    now: str,
    *,
    standing: str = "overdue",
    sort: str = "due",
    cursor: str | None = None,
    limit: int = 50,
) -> Page:
    """Active points that stand as `standing` (of STANDINGS) says at `now` (RFC 3339 UTC), by POINT_SORTS:
    [{point_id, village_code, town_code, entry, last_ended_at?, next_due?}]. Those never disinfected are due
    before all. Raises BadCursor."""
    stands = {
        "overdue": [units.c.due_at <= now],
        "never": [units.c.due_at == ""],
        "in_time": [units.c.due_at > now],
        "all": [],
    }
    with rm.engine.connect() as connection:
        query = (
            unit_query()
            .where(units.c.kind == UNIT, units.c.registered, active(units, day_of(now)), *stands[standing])
            .where(within(units, area_code, connection))
        )
        name, order = f"points:{area_code}:{standing}:{sort}", POINT_SORTS[sort.removeprefix("-")]
        falling = sort.startswith("-")
        rows, following = keyset(connection, name, query, order, cursor, clamp(limit), falling=falling)
    return Page([point_item(row) for row in rows], following)


def disinfections(
    rm: ReadModel,
    area_code: str,
    day: str,
    *,
    finding: str = "all",
    sort: str = "-time",
    cursor: str | None = None,
    limit: int = 50,
) -> Page:
    """The day's disinfections that count, as records, narrowed to a finding (of `findings`): as many as the
    figures C1, C5 and C6 count. By RECORD_SORTS. Raises BadCursor."""
    with rm.engine.connect() as connection:
        query = (
            select(records)
            .where(records.c.form_id == FORM, records.c.effective, records.c.work_date == day)
            # What was done on a day is received on it or later: the index by form begins there.
            .where(records.c.received_at >= _begun(day), *_found(finding))
            .where(within(records, area_code, connection))
        )
        name, order = (
            f"disinfections:{area_code}:{day}:{finding}:{sort}",
            RECORD_SORTS[sort.removeprefix("-")],
        )
        falling = sort.startswith("-")
        rows, following = keyset(connection, name, query, order, cursor, clamp(limit), falling=falling)
    return Page([record_item(row) for row in rows], following)


def _begun(day: str) -> str:
    """Before any Beijing moment of the day, as text."""
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()


def _found(finding: str) -> list[ColumnElement[bool]]:
    def says(name: str) -> ColumnElement[bool]:
        return records.c.facts.contains(f'"{name}":', autoescape=True)

    if finding == "all":
        return []
    if finding in ("wrong", "right"):
        return [says("mixes"), says("mixes_right") if finding == "right" else ~says("mixes_right")]
    return [says(HINTS)] if finding == "hints" else [says(HINTS), says(finding)]
