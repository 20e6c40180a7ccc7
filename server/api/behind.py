"""What stands behind a figure: who is counted, what each adds, and the records that say so."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask.views import MethodView

from server.api import behind_shapes as shapes
from server.api.access import allowed, asked_area, covers_record, staff_for
from server.api.areas import known_indicator
from server.api.beijing import today
from server.api.blueprint import Blueprint
from server.api.freshness import versioned
from server.api.problems import Problem
from server.api.records import masked_item, paged
from server.api.registers import masked_unit
from server.app import gridbook
from server.people.staff import Staff
from server.readmodel import queries

blp = Blueprint("behind", __name__, url_prefix="/api/v1", description="What stands behind a figure")

Query = Mapping[str, Any]
LEVELS_WITH_GRIDS = ("village",)


def one_side(query: Query, day: date) -> queries.Side:
    """The number that is asked about. Raises Problem for an indicator that there is not, or that has no such
    number."""
    name = query["indicator"]
    known_indicator(name)
    indicator = gridbook().declaration.indicators[name]
    try:
        return queries.side(indicator, day.isoformat(), query["span"], query.get("of"), query.get("part"))
    except queries.NoSuchSide:
        raise Problem("no-such-side", indicator=name) from None


def one_grid(query: Query, area: Mapping[str, Any]) -> str | None:
    """Raises Problem for a grid that the village does not have, or without a village."""
    grid = query.get("grid")
    if grid is None or (grid == queries.NO_GRID and area["level"] in LEVELS_WITH_GRIDS):
        return grid
    found = queries.area(gridbook().readmodel, grid)
    if area["level"] not in LEVELS_WITH_GRIDS or found is None or found["parent"] != area["code"]:
        raise Problem("unknown-grid", area=area["code"], grid=grid)
    return str(grid)


def page(
    member: Staff, side: queries.Side, area_code: str, grid: str | None, cursor: str | None, limit: int
) -> queries.Page:
    """Masked, with the records that the member may read. Raises Problem("bad-cursor")."""
    found = paged(lambda: queries.behind(gridbook().readmodel, side, area_code, grid, cursor, limit))
    return queries.Page([_shown(member, item) for item in found.items], found.next_cursor)


def total(side: queries.Side, area_code: str, grid: str | None) -> dict[str, Any]:
    return queries.behind_total(gridbook().readmodel, side, area_code, grid)


def _shown(member: Staff, item: dict[str, Any]) -> dict[str, Any]:
    named = item.pop("named", None)
    shown = masked_unit(item)
    records = [each for each in item["records"] if covers_record(member, each["village_code"])]
    return shown | {"records": records} | ({"answers": _answers(named)} if named else {})


def _answers(named: Mapping[str, Any]) -> dict[str, Any]:
    """What a record says of one whom it names, masked."""
    rows = masked_item(named["record"])["answers"].get(named["repeat"])
    place = named["place"]
    row = rows[place] if isinstance(rows, list) and place < len(rows) else {}
    return row if isinstance(row, dict) else {}


@blp.route("/figures/behind")
class BehindFigure(MethodView):
    @allowed("register.read")
    @allowed("records.read")
    @blp.arguments(shapes.BehindQuery, location="query")
    @blp.response(200, shapes.Behind)
    @versioned
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """Everything that one number of a figure counts: households, persons, points, roster entries or
        stores with what each adds, which sums to the number, and the latest records of each; names masked."""
        area, day = asked_area("register.read", query), query.get("day") or today()
        side, grid = one_side(query, day), one_grid(query, area)
        member = staff_for("records.read")
        found = page(member, side, area["code"], grid, query.get("cursor"), query["limit"])
        return {
            "area": area,
            "day": day,
            "indicator": side.indicator.id,
            "of": side.of,
            "part": side.part or None,
            "span": side.span,
            "grid": grid,
            **total(side, area["code"], grid),
            "items": found.items,
            "next_cursor": found.next_cursor,
        }
