"""Lists that superiors push down: import, match, reconcile, answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from flask import Response
from flask.views import MethodView

from server.api import list_shapes as shapes
from server.api.access import allowed, staff_for
from server.api.blueprint import Blueprint
from server.api.bulletins import XLSX
from server.api.description import FILE
from server.api.freshness import A_FILE, tagged, untagged
from server.api.problems import Problem
from server.api.unmasking import unmasked
from server.app import gridbook
from server.lists import answering, archive, importing, reconciling, showing
from server.lists.archive import NameList
from server.lists.importing import Preview
from server.lists.refusals import Refused
from server.lists.template import COLUMNS
from server.people.staff import Staff
from server.people.web import require_csrf
from server.readmodel.paging import BadCursor, Page, decode_cursor, encode_cursor
from server.register.refusals import FileRefused

ACTION = "lists.reconcile"
REMARKED_MAX = 1000

blp = Blueprint("lists", __name__, url_prefix="/api/v1", description="Lists that superiors push down")


def told(view: Callable[..., Any]) -> Callable[..., Any]:
    """View decorator: a refusal becomes a problem in words."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            return view(*args, **kwargs)
        except Refused as refused:
            raise Problem(refused.code, **refused.fields) from None
        except FileRefused as refused:
            raise unreadable(refused) from None

    return guarded


def unreadable(refused: FileRefused) -> Problem:
    return Problem("list-refused", reason={"zh": refused.zh, "en": refused.en})


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
    @blp.response(201, shapes.ListPreview)
    @blp.alt_response(409, description="The same file is a list already")
    @blp.alt_response(200, schema=shapes.ListPreview, description="A dry run: nothing was kept")
    @blp.alt_response(422, description="The file cannot be read; the detail says what and where")
    @told
    def post(self, query: dict[str, Any], files: dict[str, Any]) -> tuple[dict[str, Any], int]:
        """Import a list (the file as multipart/form-data): what was read of it, and the list it became."""
        member, shared, upload = of_district(), gridbook(), files["file"]
        template = importing.template_of(shared, query["template"])
        name = importing.draft(shared, upload.filename or "", upload.read())
        path = importing.drafted(shared, name)
        try:
            preview = importing.preview(
                shared,
                path,
                template,
                file_name=upload.filename or name,
                sheet=query.get("sheet", ""),
                chosen=chosen(query.get("columns", "")),
            )
            found = described(preview)
            if not query.get("dry_run"):
                more = {each: query.get(each, "") for each in ("title", "supersedes")}
                found["kept"] = shown(importing.keep(shared, path, preview, member, **more), member)
        finally:
            path.unlink(missing_ok=True)
        return found, 201 if "kept" in found else 200


def chosen(columns: str) -> dict[str, int]:
    """`name:1,phone:3` → {"name": 1, "phone": 3}. Raises Problem for a field that there is not."""
    pairs = [each.partition(":") for each in columns.split(",") if each]
    if strange := [name for name, _, _ in pairs if name not in COLUMNS]:
        raise Problem("invalid", errors={"query": {"columns": [f"{strange[0]}: {', '.join(COLUMNS)}"]}})
    return {name: int(at) for name, _, at in pairs}


def described(preview: Preview) -> dict[str, Any]:
    layout = preview.layout
    return {
        "sheet": preview.sheet,
        "sheets": preview.sheets,
        "heads": layout.heads,
        "headings": {str(at): heading for at, heading in layout.headings.items()},
        "columns": layout.columns,
        "results": layout.results,
        "names": len(layout.rows),
        "left_out": layout.left_out,
        "notes": [showing.remark(each) for each in layout.notes],
        "rows": [
            {
                "row": row.number,
                "values": showing.values(row.values, False),
                "remarks": [showing.remark(each) for each in row.remarks],
            }
            for row in layout.rows
            if row.remarks
        ][:REMARKED_MAX],
        "same": preview.same.list_id if preview.same else None,
    }


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
    @blp.response(200, shapes.Matched)
    @told
    def post(self, list_id: str) -> dict[str, Any]:
        """Look for everybody again among those whom the district knows by now."""
        of_district()
        return {"settled": reconciling.match(gridbook(), list_id)}


@blp.route("/lists/<string:list_id>/answers")
class Answers(MethodView):
    @allowed(ACTION)
    @require_csrf
    @blp.arguments(shapes.MakeAnswer)
    @blp.response(201, shapes.Answer)
    @told
    def post(self, body: dict[str, Any], list_id: str) -> archive.Answer:
        """Write down an answer as of a moment, under the list's next number."""
        return answering.make(gridbook(), list_id, of_district(), body["reason"], body.get("as_of"))


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
