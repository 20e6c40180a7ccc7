"""The sheets page: choose a sheet, an area and a day, get the workbook that superiors ask for."""

from __future__ import annotations

from flask import Response, render_template, request

from server.api import shapes, sheets
from server.api.access import staff_for
from server.api.beijing import today
from server.app import gridbook
from server.people.permissions import may
from server.people.web import require_staff
from server.web.asking import area_choices, asked
from server.web.language import current, pick
from server.web.pages import blueprint
from server.workbooks import making


@blueprint.get("/sheets", endpoint="sheets")
@require_staff("export.masked")
def sheets_page() -> str:
    member = staff_for("export.masked")
    found, complaints = making.templates(gridbook())
    return render_template(
        "sheets.html",
        items=[{"name": name, "words": f"{each.number} {pick(each.title)}"} for name, each in found.items()],
        complaints=complaints if may(member, "forms.publish") else [],
        today=today().isoformat(),
        may_unmask=may(member, "export.unmasked"),
        filters={},
        **area_choices(member),
    )


@blueprint.get("/sheets/file")
@require_staff("export.masked")
@sheets.told
def sheet() -> Response:
    """The file of the page's form, named like the API's."""
    query = asked(shapes.SheetQuery, language=current())
    return sheets.sheet(staff_for("export.masked"), request.args.get("sheet", ""), query)
