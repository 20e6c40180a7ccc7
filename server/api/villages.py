"""Which villages were heard from on a day, and the nil reports that staff enter for them."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask.views import MethodView

from server.api import shapes
from server.api.access import allowed, asked_area, own_area, staff_for
from server.api.beijing import today
from server.api.blueprint import Blueprint
from server.api.freshness import tagged
from server.api.problems import Problem
from server.app import gridbook
from server.bulletins.refusals import Refused
from server.people.staff import Staff
from server.people.web import require_csrf
from server.villages import standing, states
from server.villages.nil_reports import NilRefused

blp = Blueprint("villages", __name__, url_prefix="/api/v1", description="Villages heard from, nil reports")


def say(member: Staff, body: dict[str, Any]) -> dict[str, Any]:
    """A step of a village's nil report. Raises Problem."""
    area = own_area(member, body["village"])
    try:
        return states.say(
            gridbook(), member, area["code"], body.get("day") or today(), body["what"], body["note"]
        )
    except NilRefused as refused:
        raise Problem(refused.code, **refused.fields) from None


def heard(area: dict[str, Any], day: date) -> dict[str, Any]:
    """Raises Problem when the district's cut-off is not set right."""
    try:
        return standing.standing(gridbook(), area, day)
    except Refused as refused:
        raise Problem(refused.code, **refused.fields) from None


@blp.route("/todo/villages")
class Villages(MethodView):
    @allowed("figures.read")
    @blp.arguments(shapes.DayQuery, location="query")
    @blp.response(200, shapes.VillageList)
    @tagged("readmodel", "bulletins")
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """Every village on a day: reported, nil or silent (indicator J3)."""
        area = asked_area("figures.read", query)
        day = (query.get("day") or today()).isoformat()
        return {"items": states.villages(gridbook(), area["code"], day)}


@blp.route("/standing")
class Standing(MethodView):
    @allowed("figures.read")
    @blp.arguments(shapes.DayQuery, location="query")
    @blp.response(200, shapes.Standing)
    @tagged("readmodel", "bulletins", "devices", "lists", "minute")
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """How well an area is heard, as of now: villages of the day, phones since the cut-off, records that
        wait, superiors' lists (J2, J3, J4, B9)."""
        area = asked_area("figures.read", query)
        day = query.get("day") or today()
        return {"area": area, "day": day, **heard(area, day)}


@blp.route("/nil-reports")
class NilReports(MethodView):
    @allowed("nil.report")
    @require_csrf
    @blp.arguments(shapes.NilReport)
    @blp.response(201, shapes.VillageState)
    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        """Put on record that a village has nothing to report on a day, or take that back."""
        return say(staff_for("nil.report"), body)
