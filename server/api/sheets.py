"""Sheets as superiors want them, one workbook each."""

from __future__ import annotations

from typing import Any

from flask import Response, send_file
from flask.views import MethodView

from server.api import shapes
from server.api.access import allowed, own_area, staff_for
from server.api.beijing import today
from server.api.blueprint import Blueprint
from server.api.bulletins import XLSX, told
from server.api.description import FILE
from server.api.freshness import A_FILE, tagged, untagged
from server.api.problems import Problem
from server.api.unmasking import unmasked
from server.app import gridbook
from server.people.staff import Staff
from server.workbooks import library, making
from server.workbooks.writing import TooLong

blp = Blueprint("sheets", __name__, url_prefix="/api/v1", description="Excel sheets for superiors")


@blp.route("/sheets")
class Sheets(MethodView):
    @allowed("export.masked")
    @blp.response(200, shapes.SheetList)
    @tagged("form files", "catalogue")
    def get(self) -> dict[str, Any]:
        """The sheets that there are; and of templates that cannot be used, what is wrong with them."""
        found, complaints = making.templates(gridbook())
        return {"items": list(found.values()), "complaints": complaints}


@blp.route("/sheets/<string:name>.xlsx")
class OneSheet(MethodView):
    @allowed("export.masked")
    @blp.arguments(shapes.SheetQuery, location="query")
    @blp.response(200, FILE, content_type=XLSX, description="One sheet, A4 landscape")
    @untagged(A_FILE)
    @told
    def get(self, query: dict[str, Any], name: str) -> Response:
        """One sheet of an area and a day, filled. Names and numbers are masked unless asked for in full."""
        return sheet(staff_for("export.masked"), name, query)


def sheet(member: Staff, name: str, query: dict[str, Any]) -> Response:
    """Raises Problem: no such sheet, an area outside one's own, no right or reason for a full one."""
    shared, area, day = gridbook(), own_area(member, query.get("area")), query.get("day") or today()
    found, _ = making.templates(shared)
    if name not in found:
        raise Problem("unknown-sheet", sheet=name, known=", ".join(found) or "-")
    in_full = unmasked(member, query, f"sheet {name} of {area['code']}, {day}")
    content = making.day_content(shared, day) if found[name].rows in library.OF_BULLETIN else None
    asked = making.asked(shared, area, day, content, language=query["language"], in_full=in_full)
    extra = (query.get("reviewer") or "", query.get("phone") or "")
    try:
        file = making.workbook(shared, [lambda: library.sheet(found[name], asked, member.name, *extra)])
    except TooLong:
        raise Problem("sheet-too-long") from None
    provisional = "-provisional" if content and not content.get("number") else ""
    answer = send_file(file, mimetype=XLSX)
    answer.headers["Content-Disposition"] = (
        f'attachment; filename="{name}-{area["code"]}-{day:%Y%m%d}{provisional}.xlsx"'
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer
