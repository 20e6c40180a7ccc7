"""Relief: what a campaign's roster is entitled to and what was handed out, by area and entry by entry."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask.views import MethodView

from server.api import supply_shapes as shapes
from server.api.access import allowed, asked_area, must_be_counted
from server.api.beijing import today
from server.api.blueprint import Blueprint
from server.api.freshness import versioned
from server.api.registers import masked, paged
from server.app import gridbook
from server.readmodel import queries

blp = Blueprint("relief", __name__, url_prefix="/api/v1", description="Relief by campaign and entry")

Query = dict[str, Any]


def read(area: dict[str, Any], day: date, campaign: str | None) -> dict[str, Any]:
    """The figures of an area and of each right inside it, at the end of `day`."""
    must_be_counted("relief")
    rm, code = gridbook().readmodel, area["code"]
    return {
        "area": area,
        "day": day,
        "campaign": campaign,
        "figures": queries.relief_figures(rm, [code], day.isoformat(), campaign)[code],
        "items": queries.relief_table(rm, code, day.isoformat(), campaign),
    }


def entries(area_code: str, day: date, query: Query) -> queries.Page:
    """The page of entries that the query asks for, names masked. Raises Problem("bad-cursor")."""
    must_be_counted("relief")
    found = paged(
        lambda: queries.relief_entries(
            gridbook().readmodel,
            area_code,
            day.isoformat(),
            standing=query["state"],
            campaign_id=query.get("campaign") or None,
            sort=query["sort"],
            cursor=query.get("cursor"),
            limit=query["limit"],
        )
    )
    items = [masked(item) | {"waiting_days": _waiting_days(item, day)} for item in found.items]
    return queries.Page(items, found.next_cursor)


def _waiting_days(item: dict[str, Any], day: date) -> int | None:
    if item["state"] == "done" or not item["active_from"]:
        return None
    return (day - date.fromisoformat(item["active_from"])).days


@blp.route("/relief")
class Relief(MethodView):
    @allowed("figures.read")
    @blp.arguments(shapes.ReliefQuery, location="query")
    @blp.response(200, shapes.Relief)
    @versioned
    def get(self, query: Query) -> Query:
        """Relief in an area today, of one campaign or all: D1 to D5, of the area and of each inside it."""
        return read(asked_area("figures.read", query), today(), query.get("campaign") or None)


@blp.route("/relief/entries")
class ReliefEntries(MethodView):
    @allowed("register.read")
    @blp.arguments(shapes.ReliefEntriesQuery, location="query")
    @blp.response(200, shapes.ReliefEntries)
    @versioned
    def get(self, query: Query) -> Query:
        """Roster entries by how far each was served, with how long it has waited and why; names masked."""
        area = asked_area("register.read", query)
        found = entries(area["code"], today(), query)
        return {"items": found.items, "next_cursor": found.next_cursor}
