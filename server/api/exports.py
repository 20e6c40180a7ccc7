"""Each form as a file: one table of records, and one for each repeat group, over all versions of the form."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask.views import MethodView

from server.api import shapes
from server.api.access import allowed, staff_for
from server.api.beijing import today
from server.api.blueprint import Blueprint
from server.api.catalogue import forms
from server.api.description import TEXT
from server.api.freshness import A_FILE, untagged
from server.api.problems import Problem
from server.api.records import read_filters
from server.api.unmasking import unmasked
from server.app import gridbook
from server.exports.asked import Asked, tables
from server.exports.columns import repeat_groups
from server.exports.formats import FORMATS, Format
from server.exports.settled import settled_at
from server.people.staff import Staff
from server.readmodel.export_queries import Place, Span, count_and_end, cursor_of, place_in
from server.readmodel.paging import BadCursor

ACTION = "export.masked"
CURSOR_HEADER = "Gridbook-Cursor"
BEGINNING = "0"

blp = Blueprint("exports", __name__, url_prefix="/api/v1", description="Exports")


@blp.route("/export/<string:form_id>")
class Export(MethodView):
    @allowed(ACTION)
    @blp.arguments(shapes.ExportQuery, location="query")
    @blp.response(
        200, TEXT, content_type="text/csv", description="The file, streamed, in the media type of its format"
    )
    @untagged(A_FILE)
    def get(self, query: dict[str, Any], form_id: str) -> Response:
        """All records of a form that fit the filters, oldest first, in a format of your choice; with `table`,
        the rows of one repeat group."""
        return download(staff_for(ACTION), form_id, query)


@blp.route("/export/<string:form_id>.csv")
class ExportCsv(MethodView):
    @allowed(ACTION)
    @blp.arguments(shapes.CsvQuery, location="query")
    @blp.response(200, TEXT, content_type="text/csv", description="UTF-8 with a byte order mark, RFC 4180")
    @untagged(A_FILE)
    def get(self, query: dict[str, Any], form_id: str) -> Response:
        """The same as CSV."""
        return download(staff_for(ACTION), form_id, query)


def download(member: Staff, form_id: str, query: dict[str, Any]) -> Response:
    """The streamed file. Everything that can be refused is refused before its first byte."""
    asked = ask(member, form_id, query)
    format_ = FORMATS[asked.format]
    headers = {
        "Content-Disposition": f'attachment; filename="{file_name(asked, format_)}"',
        "Cache-Control": "no-store",
        "X-Accel-Buffering": "no",
    }
    if query.get("since"):
        headers[CURSOR_HEADER] = next_cursor(asked)
    if format_.rows_max is not None or query.get("since"):
        # Nothing that arrives meanwhile: the sheets of a workbook are about the same records.
        asked = asked.up_to(_end(asked, format_))
    pages = tables(gridbook(), forms().all_versions(form_id), asked, lambda _count: None)
    return Response(format_.write(pages), content_type=format_.media_type, headers=headers)


def ask(member: Staff, form_id: str, query: dict[str, Any]) -> Asked:
    """What the query is about. Raises Problem; an export in full is put on record here."""
    format_ = FORMATS[query.get("format") or "csv"]
    if how := format_.missing():
        raise Problem("format-missing", format=format_.name, how=how)
    table = query.get("table") or None
    groups = repeat_groups(forms().all_versions(form_id))
    if table is not None and table not in groups:
        raise Problem("unknown-table", form=form_id, table=table, known=", ".join(groups) or "-")
    filters = read_filters(member, {**query, "form_id": form_id})
    after = _place(filters, query.get("since"))
    in_full = unmasked(member, query, f"export of {form_id}{'/' + table if table else ''}")
    return Asked(form_id, table, format_.name, filters, Span(after=after), in_full)


def _place(filters: Any, since: str | None) -> Place | None:
    try:
        return place_in(filters, None if since == BEGINNING else since)
    except BadCursor:
        raise Problem("bad-cursor") from None


def next_cursor(asked: Asked) -> str:
    """What `since` of the next export is. Everything from its moment on comes again, because records that
    were received in another village before the last one may still be on their way to the figures."""
    floor = (settled_at(gridbook()), "", "")
    return cursor_of(asked.filters, max(floor, asked.span.after or floor))


def _end(asked: Asked, format_: Format) -> Place | None:
    count, end = count_and_end(gridbook().readmodel, asked.filters, asked.span)
    check_size(format_, count)
    return end


def check_size(format_: Format, count: int) -> None:
    """Raises Problem when the format cannot hold so many rows."""
    if format_.rows_max is not None and count > format_.rows_max:
        raise Problem("too-many-rows", count=count, most=format_.rows_max)


def file_name(asked: Asked, format_: Format) -> str:
    return f"{asked.form_id}{'-' + asked.table if asked.table else ''}-{today():%Y%m%d}.{format_.suffix}"
