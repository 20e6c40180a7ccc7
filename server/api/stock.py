"""Stock: balances by item of an area, and store by store with the last stocktake."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask.views import MethodView

from server.api import supply_shapes as shapes
from server.api.access import allowed, asked_area, must_be_counted
from server.api.beijing import today
from server.api.blueprint import Blueprint
from server.api.freshness import versioned
from server.api.registers import paged
from server.api.shapes import DayQuery
from server.app import gridbook
from server.readmodel import queries
from server.readmodel.stock_queries import INDICATORS

blp = Blueprint("stock", __name__, url_prefix="/api/v1", description="Stock by item, and store by store")

Query = dict[str, Any]


def read(area: dict[str, Any], day: date) -> dict[str, Any]:
    """Balances at the end of `day`, and what was moved on it, of an area and of each right inside it."""
    must_be_counted("stock")
    rm, code, on = gridbook().readmodel, area["code"], day.isoformat()
    return {
        "area": area,
        "day": day,
        "figures": queries.figures(rm, code, on, INDICATORS),
        "items": queries.area_table(rm, code, on, INDICATORS),
    }


def stores(area_code: str, query: Query) -> queries.Page:
    """The page of stores that the query asks for. Raises Problem("bad-cursor")."""
    must_be_counted("stock")
    return paged(
        lambda: queries.stores(
            gridbook().readmodel,
            area_code,
            item=query.get("item") or None,
            differing=query["differing"],
            sort=query["sort"],
            cursor=query.get("cursor"),
            limit=query["limit"],
        )
    )


@blp.route("/stock")
class Stock(MethodView):
    @allowed("figures.read")
    @blp.arguments(DayQuery, location="query")
    @blp.response(200, shapes.Stock)
    @versioned
    def get(self, query: Query) -> dict[str, Any]:
        """Stock of an area at the end of a day, and what was moved on it, by item and unit: D7 and what it is
        made of, of the area and of each inside it."""
        return read(asked_area("figures.read", query), query.get("day") or today())


@blp.route("/stock/stores")
class Stores(MethodView):
    @allowed("register.read")
    @blp.arguments(shapes.StoresQuery, location="query")
    @blp.response(200, shapes.StoreList)
    @versioned
    def get(self, query: Query) -> dict[str, Any]:
        """Store by store, what the books say of each item now: the last stocktake with its difference and who
        counted when, and what came in, left, was used or damaged since."""
        found = stores(asked_area("register.read", query)["code"], query)
        return {"items": found.items, "next_cursor": found.next_cursor}
