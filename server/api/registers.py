"""The registers: households, points, stations, roster, fillers, and what belongs to the whole district;
and what is still to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Any

from flask.views import MethodView

from server import clock
from server.api import shapes
from server.api.access import allowed, asked_area
from server.api.beijing import today
from server.api.blueprint import Blueprint
from server.api.freshness import versioned
from server.api.masking import mask_register_entry
from server.api.problems import Problem
from server.app import gridbook
from server.readmodel import queries

blp = Blueprint("registers", __name__, url_prefix="/api/v1", description="Registers, and what is still to do")

KINDS = {
    "households": "household",
    "points": "point",
    "stations": "station",
    "roster": "roster_entry",
    "fillers": "filler",
    "campaigns": "campaign",
    "supply-points": "supply_point",
}
PERSONAL = frozenset({"household", "roster_entry"})


def paged(call: Callable[[], queries.Page]) -> queries.Page:
    try:
        return call()
    except queries.BadCursor:
        raise Problem("bad-cursor") from None


Find = Callable[[str, str | None, int], queries.Page]


def page(query: Mapping[str, Any], find: Find, *, personal: bool = True) -> dict[str, Any]:
    """The page of a register that the query asks for; `find(area_code, cursor, limit)` reads it.

    Entries about people are masked. Raises Problem as `asked_area` does, and for a broken cursor."""
    area = asked_area("register.read", query)
    found = paged(lambda: find(area["code"], query.get("cursor"), query["limit"]))
    items = [masked(item) for item in found.items] if personal else found.items
    return {"items": items, "next_cursor": found.next_cursor}


def masked(item: dict[str, Any]) -> dict[str, Any]:
    if isinstance(item.get("entry"), dict):
        return {**item, "entry": mask_register_entry(item["entry"])}
    return item


@blp.route("/registers/<string:name>")
class Register(MethodView):
    @allowed("register.read")
    @blp.arguments(shapes.UnitQuery, location="query")
    @blp.response(200, shapes.UnitPage)
    @versioned
    def get(self, query: dict[str, Any], name: str) -> dict[str, Any]:
        """One register: households, points, stations, roster, fillers, campaigns or supply-points; names
        masked."""
        if name not in KINDS:
            raise Problem("unknown-register", register=name, known=", ".join(KINDS))
        kind, text = KINDS[name], query.get("text") or None
        return page(
            query,
            lambda area, cursor, limit: queries.units(gridbook().readmodel, kind, area, cursor, limit, text),
            personal=kind in PERSONAL,
        )


@blp.route("/todo/not-reached")
class NotReached(MethodView):
    @allowed("register.read")
    @blp.arguments(shapes.NotReachedQuery, location="query")
    @blp.response(200, shapes.UnitPage)
    @versioned
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """Households that no visit has settled by the end of the day (indicator A6)."""
        day = (query.get("day") or today()).isoformat()
        return page(
            query,
            lambda area, cursor, limit: queries.not_reached(gridbook().readmodel, area, day, cursor, limit),
        )


@blp.route("/todo/roster")
class RosterOutstanding(MethodView):
    @allowed("register.read")
    @blp.arguments(shapes.RosterQuery, location="query")
    @blp.response(200, shapes.UnitPage)
    @versioned
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """Roster entries that have not got everything they are entitled to (indicator D4)."""
        campaign = query.get("campaign") or None
        return page(
            query,
            lambda area, cursor, limit: queries.roster_outstanding(
                gridbook().readmodel, area, cursor, limit, campaign
            ),
        )


@blp.route("/todo/points")
class PointsOverdue(MethodView):
    @allowed("register.read")
    @blp.arguments(shapes.PointsQuery, location="query")
    @blp.response(200, shapes.UnitPage)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """Disinfection points whose interval has run out (indicator C3), longest overdue first."""
        moment = clock.stamp(query["at"].astimezone(UTC)) if query.get("at") else clock.stamp(clock.now())
        return page(
            query,
            lambda area, cursor, limit: queries.points_overdue(
                gridbook().readmodel, area, moment, cursor, limit
            ),
            personal=False,
        )


@blp.route("/todo/villages")
class Villages(MethodView):
    @allowed("figures.read")
    @blp.arguments(shapes.DayQuery, location="query")
    @blp.response(200, shapes.VillageList)
    @versioned
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """Which villages were heard from on a day."""
        area = asked_area("figures.read", query)
        day = (query.get("day") or today()).isoformat()
        return {"items": queries.villages_status(gridbook().readmodel, area["code"], day)}
