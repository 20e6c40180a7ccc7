"""The registers: households, points, stations, roster, fillers, and what belongs to the whole district;
and what is still to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC
from typing import Any

from flask.views import MethodView

from server import clock
from server.api import shapes
from server.api.access import allowed, asked_area, must_be_counted, staff_for
from server.api.beijing import today
from server.api.blueprint import Blueprint
from server.api.freshness import tagged, versioned
from server.api.masking import mask_register_entry
from server.api.problems import Problem
from server.api.records import masked_item, paged, read_filters
from server.api.unmasking import unmasked
from server.app import gridbook
from server.people.staff import Staff
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


@blp.route("/registers/<string:name>/<path:unit_id>")
class UnitHistory(MethodView):
    @allowed("register.read")
    @allowed("records.read")
    @blp.arguments(shapes.UnitHistoryQuery, location="query")
    @blp.response(200, shapes.UnitHistory)
    @versioned
    def get(self, query: dict[str, Any], name: str, unit_id: str) -> dict[str, Any]:
        """One household, point or roster entry, and every record about it, latest work date first; names
        masked."""
        member, unit = staff_for("register.read"), one_unit(query, name, unit_id)
        found = history(member, unit, query.get("cursor"), query["limit"])
        in_full = unmasked(member, query, whole_name(unit))
        items = found.items if in_full else [masked_item(item) for item in found.items]
        return {
            "unit": unit if in_full else masked_unit(unit),
            "items": items,
            "next_cursor": found.next_cursor,
        }


def one_unit(query: Mapping[str, Any], name: str, unit_id: str) -> dict[str, Any]:
    """The unit that the register lists under an id, unmasked. Raises Problem as `asked_area` does, and when
    there is none in the area, or one in each of several villages."""
    kinds = {register: kind for register, kind in KINDS.items() if kind in gridbook().declaration.units}
    if name not in kinds:
        code = "no-history" if name in KINDS else "unknown-register"
        raise Problem(code, register=name, known=", ".join(kinds if name in KINDS else KINDS))
    area = asked_area("register.read", query)
    found = queries.units_named(gridbook().readmodel, kinds[name], unit_id, area["code"])
    if not found:
        raise Problem("unknown-unit", register=name, unit=unit_id)
    if len(found) > 1:
        villages = ", ".join(each["village_code"] for each in found)
        raise Problem("several-units", unit=unit_id, villages=villages)
    return found[0]


def history(member: Staff, unit: Mapping[str, Any], cursor: str | None, limit: int) -> queries.Page:
    """The records about a unit, latest work date first, unmasked; of a roster entry, which any village may
    serve, those of the member's area."""
    filters = replace(read_filters(member, {}), unit_kind=unit["kind"], unit_key=unit["key"])
    return paged(lambda: queries.records(gridbook().readmodel, filters, cursor, limit, queries.WORKED))


def masked_unit(unit: dict[str, Any]) -> dict[str, Any]:
    return masked(unit) if unit["kind"] in PERSONAL else unit


def whole_name(unit: Mapping[str, Any]) -> str:
    """What stands in the log of who read what in full."""
    return f"{unit['kind']} {unit['village_code']}/{unit['id']}"


@blp.route("/todo/not-reached")
class NotReached(MethodView):
    @allowed("register.read")
    @blp.arguments(shapes.NotReachedQuery, location="query")
    @blp.response(200, shapes.UnitPage)
    @versioned
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """Households that no visit has settled by the end of the day (indicator A6)."""
        must_be_counted("households")
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
    @tagged("readmodel", "minute")
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
