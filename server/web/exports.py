"""The exports page: choose a table, a format, an area and a span, get the file."""

from __future__ import annotations

from typing import Any

from flask import Response, render_template, request

from server.api import exports as api
from server.api import shapes
from server.api.access import staff_for
from server.api.catalogue import forms, repeats
from server.exports.formats import FORMATS
from server.people.permissions import may
from server.people.web import require_staff
from server.web.asking import area_choices, asked
from server.web.language import pick
from server.web.language import translate as t
from server.web.pages import blueprint
from server.web.record_layout import label_of


@blueprint.get("/exports", endpoint="exports")
@require_staff("export.masked")
def exports_page() -> str:
    member = staff_for("export.masked")
    return render_template(
        "exports.html",
        tables=_tables(),
        formats=[
            {"name": each.name, "words": pick(dict(zip(("zh", "en"), each.words, strict=True)))}
            for each in FORMATS.values()
            if not each.missing()
        ],
        statuses=shapes.STATUSES,
        may_unmask=may(member, "export.unmasked"),
        filters={},
        **area_choices(member),
    )


def _tables() -> list[dict[str, Any]]:
    found = []
    for number, (form_id, versions) in enumerate(forms().versions.items()):
        title = pick(versions[-1]["title"])
        groups = [
            {"id": str(row["name"]), "words": f"{title} · {label_of(row, pick)}"}
            for row in repeats(versions[-1])
        ]
        found.append(
            {
                "id": form_id,
                "first": number == 0,
                "tables": [{"id": "", "words": t("exports.records_of", form=title)}, *groups],
            }
        )
    return found


@blueprint.get("/exports/file")
@require_staff("export.masked")
def export() -> Response:
    """The file of the page's form, named like the API's."""
    form_id, _, table = request.args.get("table", "").partition("/")
    query = asked(shapes.ExportQuery, table=table)
    return api.download(staff_for("export.masked"), form_id, query)
