"""Areas and indicators: what can be asked, and the figures."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask.views import MethodView

from server.api import shapes
from server.api.access import allowed, asked_area
from server.api.beijing import today
from server.api.blueprint import Blueprint
from server.api.freshness import tagged, versioned
from server.api.problems import Problem
from server.app import gridbook
from server.readmodel import queries

blp = Blueprint("figures", __name__, url_prefix="/api/v1", description="Areas, indicators and their figures")


@blp.route("/areas")
class Areas(MethodView):
    @allowed("figures.read")
    @blp.arguments(shapes.AreaQuery, location="query")
    @blp.response(200, shapes.AreaList)
    @versioned
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """The areas right inside one: a district's towns, a town's villages."""
        parent = asked_area("figures.read", query)
        return {"items": queries.areas(gridbook().readmodel, parent=parent["code"])}


@blp.route("/indicators")
class Indicators(MethodView):
    @allowed("figures.read")
    @blp.response(200, shapes.IndicatorList)
    @tagged()
    def get(self) -> dict[str, Any]:
        """Every indicator: what it is called, its unit, how it is counted; and their groups."""
        declaration = gridbook().declaration
        return {
            "items": list(declaration.indicators.values()),
            "groups": list(declaration.groups.values()),
        }


@blp.route("/figures")
class Figures(MethodView):
    @allowed("figures.read")
    @blp.arguments(shapes.DayQuery, location="query")
    @blp.response(200, shapes.Figures)
    @versioned
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """All indicators of one area on one day."""
        area = asked_area("figures.read", query)
        day = query.get("day") or today()
        return {
            "area": area,
            "day": day,
            "figures": queries.figures(gridbook().readmodel, area["code"], day.isoformat()),
        }


@blp.route("/figures/table")
class FiguresTable(MethodView):
    @allowed("figures.read")
    @blp.arguments(shapes.TableQuery, location="query")
    @blp.response(200, shapes.FiguresTable)
    @versioned
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """Indicators of each area right inside one, or of each village, on one day. They sum to the area's
        own figures, but for shares, means and percentiles. Right inside a village are its grids, and as
        `none` what lies in none of them."""
        area, only = asked_area("figures.read", query), query.get("indicator")
        if only is not None:
            known_indicator(only)
        day = query.get("day") or today()
        table = queries.village_table if query["level"] == "village" else queries.area_table
        items = table(gridbook().readmodel, area["code"], day.isoformat(), [only] if only else None)
        return {"area": area, "day": day, "items": items}


def known_indicator(indicator_id: str) -> None:
    """Raises Problem."""
    if indicator_id not in gridbook().declaration.indicators:
        raise Problem("unknown-indicator", indicator=indicator_id)


@blp.route("/indicators/<string:indicator_id>/trend")
class Trend(MethodView):
    @allowed("figures.read")
    @blp.arguments(shapes.PeriodQuery, location="query")
    @blp.response(200, shapes.Trend)
    @versioned
    def get(self, query: dict[str, Any], indicator_id: str) -> dict[str, Any]:
        """One indicator of one area, day by day."""
        area = asked_area("figures.read", query)
        known_indicator(indicator_id)
        first, last = _iso(query["first"]), _iso(query["last"])
        points = queries.trend(gridbook().readmodel, area["code"], indicator_id, first, last)
        return {"area": area, "indicator": indicator_id, "items": points}


def _iso(day: date) -> str:
    return day.isoformat()
