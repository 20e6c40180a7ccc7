"""Each form as CSV: one table of records, and one for each repeat group, over all versions of the form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from flask import Response
from flask.views import MethodView

from server.api import csv_text, shapes
from server.api.access import allowed, staff_for
from server.api.beijing import today
from server.api.blueprint import Blueprint
from server.api.catalogue import Row, forms, questions, repeats, survey
from server.api.description import TEXT
from server.api.freshness import A_FILE, untagged
from server.api.masking import mask_kind, mask_value
from server.api.problems import Problem
from server.api.records import read_filters
from server.api.unmasking import unmasked
from server.app import gridbook
from server.people.staff import Staff
from server.readmodel import queries
from sync.store import Doc

blp = Blueprint("exports", __name__, url_prefix="/api/v1", description="Exports")

PARENT = "record_id"
POSITION = "row"
POINT = ("lat", "lon", "accuracy_m")
ANSWER_PREFIX = "answers."  # a question that bears the name of an envelope field


@blp.route("/export/<string:form_id>.csv")
class Export(MethodView):
    @allowed("export.masked")
    @blp.arguments(shapes.ExportQuery, location="query")
    @blp.response(200, TEXT, content_type="text/csv", description="UTF-8 with a byte order mark, RFC 4180")
    @untagged(A_FILE)
    def get(self, query: dict[str, Any], form_id: str) -> Response:
        """All records of a form that fit the filters, oldest first; with `table`, the rows of one repeat
        group."""
        return export(staff_for("export.masked"), form_id, query)


def export(member: Staff, form_id: str, query: dict[str, Any]) -> Response:
    """The streamed file. Everything that can be refused is refused before its first byte."""
    versions = forms().all_versions(form_id)
    table = query.get("table") or None
    groups = repeat_groups(versions)
    if table is not None and table not in groups:
        raise Problem("unknown-table", form=form_id, table=table, known=", ".join(groups) or "-")
    filters = read_filters(member, {**query, "form_id": form_id})
    in_full = unmasked(member, query, f"export of {form_id}{'/' + table if table else ''}")
    rows = queries.export_rows(gridbook().readmodel, form_id, filters)
    if table is not None:
        header, lines = repeat_table(groups[table], rows, table, in_full=in_full)
    else:
        columns = queries.export_columns(gridbook().readmodel, form_id)
        header, lines = record_table(versions, columns, rows, set(groups), in_full=in_full)
    name = f"{form_id}{'-' + table if table else ''}-{today():%Y%m%d}.csv"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
        "X-Accel-Buffering": "no",
    }
    return Response(csv_text.stream(header, lines), content_type="text/csv; charset=utf-8", headers=headers)


def repeat_groups(versions: list[Doc]) -> dict[str, list[Row]]:
    """Every repeat group of any version: name -> its questions, the newest version's order first."""
    found: dict[str, dict[str, Row]] = {}
    for compiled in reversed(versions):
        for group in repeats(compiled):
            known = found.setdefault(str(group["name"]), {})
            for question in questions(list(group.get("children", []))):
                known.setdefault(str(question["name"]), question)
    return {name: list(known.values()) for name, known in found.items()}


def answer_masks(versions: list[Doc]) -> dict[str, str | None]:
    """Question -> mask, the strictest that any version asks for."""
    masks: dict[str, str | None] = {}
    for compiled in versions:
        for question in questions(survey(compiled)):
            name = str(question["name"])
            masks[name] = masks.get(name) or mask_kind(question)
    return masks


def record_table(
    versions: list[Doc],
    columns: list[str],
    rows: Iterable[Mapping[str, Any]],
    groups: set[str],
    *,
    in_full: bool,
) -> tuple[list[str], Iterator[list[Any]]]:
    """A repeat group stands as the number of its rows; a position as three columns."""
    masks: dict[str, str | None] = {} if in_full else answer_masks(versions)
    positions = {
        str(q["name"])
        for compiled in versions
        for q in questions(survey(compiled))
        if q["type"] == "geopoint"
    }
    positions.add("gps")
    header = [part for column in columns for part in _headings(column, positions, groups)]
    return header, (
        [
            cell
            for column in columns
            for cell in _cells(column, row.get(column), positions, groups, masks, in_full)
        ]
        for row in rows
    )


def _headings(column: str, positions: set[str], groups: set[str]) -> list[str]:
    if column in positions:
        return [f"{column}.{part}" for part in POINT]
    return [f"{column}.count"] if column in groups else [column]


def _cells(
    column: str,
    value: Any,
    positions: set[str],
    groups: set[str],
    masks: Mapping[str, str | None],
    in_full: bool,
) -> list[Any]:
    if column in positions:
        point = value if isinstance(value, dict) and in_full else {}
        return [point.get(part) for part in POINT]
    if column in groups:
        return [len(value) if isinstance(value, list) else None]
    if column == "remark" and not in_full:
        return [mask_value("text", value)]
    return [mask_value(masks.get(column.removeprefix(ANSWER_PREFIX)), value)]


def repeat_table(
    group: list[Row], rows: Iterable[Mapping[str, Any]], table: str, *, in_full: bool
) -> tuple[list[str], Iterator[list[Any]]]:
    """One line for each instance, with the id of its record and its position from 1."""
    names = [str(question["name"]) for question in group]
    masks = {} if in_full else {str(question["name"]): mask_kind(question) for question in group}
    header = [PARENT, POSITION, "work_date", "village_code", "status", "effective", *names]
    return header, _instances(rows, table, names, masks)


def _instances(
    rows: Iterable[Mapping[str, Any]], table: str, names: list[str], masks: Mapping[str, str | None]
) -> Iterator[list[Any]]:
    for row in rows:
        instances = row.get(table)
        for number, instance in enumerate(instances if isinstance(instances, list) else [], start=1):
            answers = instance if isinstance(instance, dict) else {}
            about = [row.get(name) for name in ("work_date", "village_code", "status", "effective")]
            values = [mask_value(masks.get(name), answers.get(name)) for name in names]
            yield [row.get(PARENT), number, *about, *values]
