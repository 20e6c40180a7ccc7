"""Disinfection: figures by area and point, points by their own interval, and what the day's records mixed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask.views import MethodView

from server import clock
from server.api import supply_shapes as shapes
from server.api.access import allowed, asked_area, must_be_counted
from server.api.beijing import today
from server.api.blueprint import Blueprint
from server.api.freshness import tagged, versioned
from server.api.registers import paged
from server.api.shapes import DayQuery
from server.app import gridbook
from server.readmodel import queries
from server.readmodel.disinfection_queries import hint_rules
from server.readmodel.moments import parse

blp = Blueprint(
    "disinfection", __name__, url_prefix="/api/v1", description="Disinfection by point, and how it was mixed"
)

Query = dict[str, Any]
SHOWN = ("record_id", "work_date", "town_code", "village_code", "point_id")


def now() -> str:
    return clock.stamp(clock.now())


def read(area: Mapping[str, Any], day: date, at: str) -> dict[str, Any]:
    """Figures of `day`, and how the points stand at `at`, of an area and of what is right inside it."""
    must_be_counted("disinfection")
    rm, code = gridbook().readmodel, area["code"]
    return {
        "area": area,
        "day": day,
        "at": at,
        "figures": queries.disinfection_figures(rm, [code], day.isoformat())[code],
        "standing": queries.points_standing(rm, code, at)[code],
        "items": queries.disinfection_table(rm, code, day.isoformat(), at),
    }


def points(area_code: str, at: str, query: Query) -> queries.Page:
    """The page of points that the query asks for. Raises Problem("bad-cursor")."""
    must_be_counted("disinfection")
    found = paged(
        lambda: queries.points(
            gridbook().readmodel,
            area_code,
            at,
            standing=query["state"],
            sort=query["sort"],
            cursor=query.get("cursor"),
            limit=query["limit"],
        )
    )
    return queries.Page([{**item, **_since(item, at)} for item in found.items], found.next_cursor)


def _since(item: Mapping[str, Any], at: str) -> dict[str, Any]:
    moment, last, due = (parse(each) for each in (at, item.get("last_ended_at"), item.get("next_due")))
    hours = round((moment - last).total_seconds() / 3600, 1) if moment and last else None
    return {"hours_since": hours, "overdue": moment is None or due is None or due <= moment}


def disinfections(area_code: str, day: date, query: Query) -> queries.Page:
    """The page of the day's records that the query asks for. Raises Problem("bad-cursor")."""
    must_be_counted("disinfection")
    found = paged(
        lambda: queries.disinfections(
            gridbook().readmodel,
            area_code,
            day.isoformat(),
            finding=query["finding"],
            sort=query["sort"],
            cursor=query.get("cursor"),
            limit=query["limit"],
        )
    )
    return queries.Page([_shown(item) for item in found.items], found.next_cursor)


def _shown(item: Mapping[str, Any]) -> dict[str, Any]:
    """What was mixed and sprayed; nothing of it is about a person."""
    answers = item["answers"]
    broken = {problem["rule"] for problem in item["problems"]}
    numbers = {
        "target_mgl": "target_mgL",
        "conc_mgl": "conc_mgL",
        **{name: name for name in ("area_m2", "solution_l", "lpm2")},
    }
    return (
        {name: item[name] for name in SHOWN}
        | {name: _text(answers.get(name)) for name in ("ended_at", "agent", "method", "conc_ok")}
        | {name: _number(answers.get(source)) for name, source in numbers.items()}
        | {"hints": [rule for rule in hint_rules(gridbook().declaration) if rule in broken]}
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


@blp.route("/disinfection")
class Disinfection(MethodView):
    @allowed("figures.read")
    @blp.arguments(DayQuery, location="query")
    @blp.response(200, shapes.Disinfection)
    @tagged("readmodel", "minute")
    def get(self, query: Query) -> dict[str, Any]:
        """Disinfections of a day, C1 to C6 and the area sprayed a litre, and the points overdue now: of an
        area and of each inside it, of a village point by point."""
        return read(asked_area("figures.read", query), query.get("day") or today(), now())


@blp.route("/disinfection/points")
class Points(MethodView):
    @allowed("register.read")
    @blp.arguments(shapes.PointListQuery, location="query")
    @blp.response(200, shapes.PointList)
    @tagged("readmodel", "minute")
    def get(self, query: Query) -> dict[str, Any]:
        """Points by how they stand now against their own interval, with the hours since the last
        disinfection; those never disinfected are due first."""
        at = now()
        found = points(asked_area("register.read", query)["code"], at, query)
        return {"at": at, "items": found.items, "next_cursor": found.next_cursor}


@blp.route("/disinfection/records")
class DisinfectionRecords(MethodView):
    @allowed("records.read")
    @blp.arguments(shapes.DisinfectionsQuery, location="query")
    @blp.response(200, shapes.DisinfectionRecords)
    @versioned
    def get(self, query: Query) -> dict[str, Any]:
        """The day's disinfections that count: what was aimed at, mixed and sprayed, and which hints of misuse
        they gave."""
        area, day = asked_area("records.read", query), query.get("day") or today()
        found = disinfections(area["code"], day, query)
        return {"day": day, "items": found.items, "next_cursor": found.next_cursor}
