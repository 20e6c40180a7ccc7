"""Lists that superiors push down: import, match, reconcile, answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import Response, url_for
from flask.views import MethodView

from server.api import list_shapes as shapes
from server.api.access import allowed, staff_for
from server.api.blueprint import Blueprint
from server.api.bulletins import XLSX
from server.api.description import FILE
from server.api.freshness import A_FILE, tagged, untagged
from server.api.jobs import queued
from server.api.jobs import shown as shown_job
from server.api.problems import Problem
from server.api.shapes import Job
from server.api.unmasking import unmasked
from server.app import gridbook
from server.jobs.queue import Job as QueuedJob
from server.lists import answering, archive, importing, reconciling, showing
from server.lists.archive import NameList
from server.lists.job import ACTION, told
from server.lists.template import COLUMNS
from server.people.staff import Staff
from server.people.web import require_csrf
from server.readmodel.paging import BadCursor, Page, decode_cursor, encode_cursor

blp = Blueprint("lists", __name__, url_prefix="/api/v1", description="Lists that superiors push down")


def of_district(action: str = ACTION) -> Staff:
    """A list goes back for the whole district. Raises Problem for who has a part of it only."""
    member = staff_for(action)
    if len(member.area) > 6:
        raise Problem("outside-area", area=member.area[:6], own=member.area)
    return member


def shown(head: NameList, member: Staff) -> dict[str, Any]:
    counts = reconciling.reconciled(gridbook(), head.list_id, member.area).standing.counts()
    return {**{name: getattr(head, name) for name in NameList.__slots__}, "counts": counts}


@blp.route("/lists")
class Lists(MethodView):
    @allowed(ACTION)
    @blp.response(200, shapes.ListList)
    @tagged("lists", "readmodel")
    def get(self) -> dict[str, Any]:
        """Every list, newest first, with its outcomes in your area."""
        member = staff_for(ACTION)
        return {"items": [shown(each, member) for each in reversed(archive.every(gridbook().store))]}

    @allowed(ACTION)
    @require_csrf
    @blp.arguments(shapes.ListImport, location="query")
    @blp.arguments(shapes.ListFile, location="files")
    @blp.response(202, Job)
    @told
    def post(
        self, query: dict[str, Any], files: dict[str, Any]
    ) -> tuple[dict[str, Any], int, dict[str, str]]:
        """Order the import of a list (the file as multipart/form-data). Its job ends in the list, with a
        file that says what was read; or in what is wrong with the file, and where."""
        member, upload = of_district(), files["file"]
        importing.template_of(gridbook(), query["template"])
        columns = chosen(query.get("columns", ""))
        if query.get("supersedes"):
            archive.one(gridbook().store, query["supersedes"])
        draft = importing.draft(gridbook(), upload.filename or "", upload.stream)
        asked = import_asked(draft, upload.filename or draft, {**query, "columns": columns}, once=True)
        kind = "list-read" if query.get("dry_run") else "list-import"
        return accepted(queued_upload(kind, member, asked))


def import_asked(draft: str, file_name: str, given: Mapping[str, Any], *, once: bool) -> dict[str, Any]:
    """What a job reads of an upload; `once`: no other will read it."""
    return {
        "draft": draft,
        "file_name": Path(file_name).name[:120],
        "template": given["template"],
        "title": given.get("title", ""),
        "sheet": given.get("sheet", ""),
        "columns": given.get("columns", {}),
        "supersedes": given.get("supersedes", ""),
        "once": once,
    }


def queued_upload(kind: str, member: Staff, asked: dict[str, Any]) -> QueuedJob:
    """The first job to read a draft; without one it is forgotten. Raises Problem for too many jobs."""
    try:
        return queued(kind, member, asked)
    except Problem:
        importing.forget(gridbook(), asked["draft"])
        raise


def accepted(job: QueuedJob) -> tuple[dict[str, Any], int, dict[str, str]]:
    return shown_job(job), 202, {"Location": url_for("jobs.Job", job_id=job.job_id)}


def again(kind: str, member: Staff, asked: dict[str, Any]) -> QueuedJob:
    """A job; the same one for who orders twice before it has ended. Raises Problem."""
    return gridbook().jobs.open_one(kind, member.staff_id, asked) or queued(kind, member, asked)


def order_match(member: Staff, list_id: str) -> QueuedJob:
    """Raises Refused, and Problem for too many jobs."""
    archive.one(gridbook().store, list_id)
    return again("list-match", member, {"list_id": list_id})


def order_answer(member: Staff, list_id: str, reason: str, as_of: datetime | None) -> QueuedJob:
    """As of now, when no moment is named: that of the ordering. Raises Refused, and Problem."""
    archive.one(gridbook().store, list_id)
    asked = {"list_id": list_id, "reason": reason, "as_of": answering.moment(as_of)}
    return again("list-answer", member, asked)


def chosen(columns: str) -> dict[str, int]:
    """`name:1,phone:3` → {"name": 1, "phone": 3}. Raises Problem for a field that there is not."""
    pairs = [each.partition(":") for each in columns.split(",") if each]
    if strange := [name for name, _, _ in pairs if name not in COLUMNS]:
        raise Problem("invalid", errors={"query": {"columns": [f"{strange[0]}: {', '.join(COLUMNS)}"]}})
    return {name: int(at) for name, _, at in pairs}


@blp.route("/lists/<string:list_id>")
class OneList(MethodView):
    @allowed(ACTION)
    @blp.response(200, shapes.OneList)
    @tagged("lists", "readmodel")
    @told
    def get(self, list_id: str) -> dict[str, Any]:
        """One list: its outcomes in your area, and its answers."""
        member, store = staff_for(ACTION), gridbook().store
        head = archive.one(store, list_id)
        _, matched_at = archive.candidates(store, list_id)
        return {**shown(head, member), "matched_at": matched_at, "answers": archive.answers(store, list_id)}


@blp.route("/lists/<string:list_id>/rows")
class Rows(MethodView):
    @allowed(ACTION)
    @blp.arguments(shapes.RowQuery, location="query")
    @blp.response(200, shapes.RowPage)
    @tagged("lists", "readmodel")
    @told
    def get(self, query: dict[str, Any], list_id: str) -> dict[str, Any]:
        """The rows of your area, in the sheet's order, with who each may be. Names and numbers are masked."""
        member = staff_for(ACTION)
        in_full = unmasked(member, query, f"list {list_id}")
        page = rows_page(member, list_id, query, in_full)
        return {"items": page.items, "next_cursor": page.next_cursor}


def rows_page(member: Staff, list_id: str, query: Mapping[str, Any], in_full: bool = False) -> Page:
    """Raises Refused, and Problem for a broken cursor."""
    found = reconciling.reconciled(gridbook(), list_id, member.area)
    wanted = query.get("outcome")
    name = f"list {list_id} {wanted} {member.area}"
    try:
        place = decode_cursor(name, query.get("cursor"), 1)
        after = int(place[0]) if place else 0
    except (BadCursor, ValueError):
        raise Problem("bad-cursor") from None
    some = [
        row
        for row in found.rows
        if row.number > after and (not wanted or found.standing.state(row.number) == wanted)
    ]
    page = some[: query["limit"]]
    cursor = encode_cursor(name, [str(page[-1].number)]) if len(some) > len(page) else None
    return Page([showing.row(found, row, in_full) for row in page], cursor)


@blp.route("/lists/<string:list_id>/rows/<int:number>")
class OneRow(MethodView):
    @allowed(ACTION)
    @blp.arguments(shapes.UnmaskQuery, location="query")
    @blp.response(200, shapes.FullRow)
    @tagged("lists", "readmodel")
    @told
    def get(self, query: dict[str, Any], list_id: str, number: int) -> dict[str, Any]:
        """One row beside what the district knows of each candidate."""
        member = staff_for(ACTION)
        in_full = unmasked(member, query, f"list {list_id}, row {number}")
        return one_row(member, list_id, number, in_full)


def one_row(member: Staff, list_id: str, number: int, in_full: bool = False) -> dict[str, Any]:
    """Raises Refused."""
    found = reconciling.reconciled(gridbook(), list_id, member.area)
    row = showing.row(found, found.row(number), in_full)
    return {**row, "candidates": showing.candidates(gridbook(), found, number, in_full)}


@blp.route("/lists/<string:list_id>/rows/<int:number>/decision")
class Decision(MethodView):
    @allowed(ACTION)
    @require_csrf
    @blp.arguments(shapes.Decide)
    @blp.response(201, shapes.Decided)
    @blp.alt_response(409, description="Somebody else decided meanwhile, or the list was corrected")
    @told
    def post(self, body: dict[str, Any], list_id: str, number: int) -> Any:
        """Decide about a row: its outcome, who it is, who it is not. No decision overwrites another."""
        return reconciling.decide(gridbook(), list_id, number, staff_for(ACTION), **body)


@blp.route("/lists/<string:list_id>/match")
class Match(MethodView):
    @allowed(ACTION)
    @require_csrf
    @blp.response(202, Job)
    @told
    def post(self, list_id: str) -> tuple[dict[str, Any], int, dict[str, str]]:
        """Order that everybody is looked for again among those whom the district knows by now."""
        return accepted(order_match(of_district(), list_id))


@blp.route("/lists/<string:list_id>/answers")
class Answers(MethodView):
    @allowed(ACTION)
    @require_csrf
    @blp.arguments(shapes.MakeAnswer)
    @blp.response(202, Job)
    @told
    def post(self, body: dict[str, Any], list_id: str) -> tuple[dict[str, Any], int, dict[str, str]]:
        """Order an answer as of a moment, under the list's next number."""
        return accepted(order_answer(of_district(), list_id, body["reason"], body.get("as_of")))


@blp.route("/lists/<string:list_id>/answers/<int:n>/file")
class AnswerFile(MethodView):
    @allowed("export.unmasked")
    @blp.arguments(shapes.AnswerQuery, location="query")
    @blp.response(
        200, FILE, content_type=XLSX, description="The list's own file with the answer's columns filled"
    )
    @untagged(A_FILE)
    @told
    def get(self, query: dict[str, Any], list_id: str, n: int) -> Response:
        """An answer to send back. It names people in full: who, when and why is put on record."""
        return answer_file(list_id, n, query.get("reason"))


def answer_file(list_id: str, n: int, reason: str | None) -> Response:
    """Raises Problem without the right or a reason, and Refused."""
    member = of_district("export.unmasked")
    head = archive.one(gridbook().store, list_id)
    data = archive.answer_file(gridbook().store, list_id, n)
    unmasked(member, {"unmask": True, "reason": reason}, f"list {list_id}, answer {n}")
    kind = XLSX if head.suffix == ".xlsx" else "text/csv"
    name = f'attachment; filename="list-{list_id}-answer-{n}{head.suffix}"'
    return Response(
        data, content_type=kind, headers={"Content-Disposition": name, "Cache-Control": "no-store"}
    )
