"""Bulletins: read, preview, freeze, correct; as text for a message group, as PDF and as a workbook."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date
from functools import wraps
from typing import Any

from flask import Response, send_file
from flask.views import MethodView

from server.api import shapes
from server.api.access import allowed, own_area, staff_for
from server.api.beijing import today
from server.api.blueprint import Blueprint
from server.api.description import FILE, TEXT
from server.api.freshness import A_FILE, tagged, untagged
from server.api.problems import Problem
from server.app import gridbook
from server.bulletins import archive, freezing, message, sealing, wording
from server.bulletins.refusals import Refused
from server.people.staff import Staff
from server.people.web import require_csrf
from server.readmodel import queries
from server.workbooks import library, making

blp = Blueprint(
    "bulletins", __name__, url_prefix="/api/v1", description="Bulletins: frozen, numbered, signed"
)

PREVIEW = "preview"
# What a bulletin is shown from: a preview is of this minute and names silent devices.
CONTENT = ("bulletins", "readmodel", "devices", "minute")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def told(view: Callable[..., Any]) -> Callable[..., Any]:
    """View decorator: a refusal becomes a problem in words."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            return view(*args, **kwargs)
        except Refused as refused:
            raise Problem(refused.code, **refused.fields) from None

    return guarded


def reader(action: str = "figures.read") -> Staff:
    """A bulletin is of the whole district. Raises Problem for who sees a part of it only."""
    member = staff_for(action)
    district = queries.district(gridbook().readmodel)
    if district is None:
        raise Problem("bulletin-no-district")
    own_area(member, district["code"])
    return member


@blp.route("/bulletins")
class Bulletins(MethodView):
    @allowed("figures.read")
    @blp.response(200, shapes.BulletinList)
    @tagged("bulletins", "readmodel")
    @told
    def get(self) -> dict[str, Any]:
        """Every bulletin, newest first."""
        reader()
        return {"items": archive.every(gridbook().store)[::-1]}

    @allowed("bulletin.freeze")
    @require_csrf
    @blp.arguments(shapes.Freeze)
    @blp.response(201, shapes.BulletinHead)
    @blp.alt_response(409, description="Frozen already, or before the cut-off")
    @blp.alt_response(503, description="Intake is behind, or the figures are being made again")
    @told
    def post(self, body: dict[str, Any]) -> archive.Bulletin:
        """Freeze a day as of its cut-off under the next number. It cannot be undone."""
        return freezing.freeze(gridbook(), body.get("day") or today(), reader("bulletin.freeze"))


@blp.route("/bulletins/<string:number>")
class OneBulletin(MethodView):
    @allowed("figures.read")
    @blp.arguments(shapes.BulletinQuery, location="query")
    @blp.response(200, shapes.FullBulletin)
    @tagged(*CONTENT)
    @told
    def get(self, query: dict[str, Any], number: str) -> dict[str, Any]:
        """One bulletin: its frozen content, whether it is intact, what came for its day since. `preview`
        gives the provisional figures of a day."""
        reader()
        return described(number, query.get("day"))


def described(
    number: str, day: date | None = None, of_villages: Collection[str] | None = None
) -> dict[str, Any]:
    """{provisional, content, bulletin?, damage?, late?}; in a preview villages have the indicators
    `of_villages`, or all. Raises Refused."""
    shared = gridbook()
    if number == PREVIEW:
        content = freezing.preview(shared, day or today(), of_villages=of_villages)
        return {"provisional": True, "content": content}
    bulletin = archive.one(shared.store, number)
    content, damage = archive.opened(shared.store, bulletin, sealing.key(shared.settings.data))
    late = freezing.late_changes(shared, content)
    return {"provisional": False, "bulletin": bulletin, "content": content, "damage": damage, "late": late}


@blp.route("/bulletins/<string:number>/correction")
class Correction(MethodView):
    @allowed("bulletin.freeze")
    @require_csrf
    @blp.arguments(shapes.CorrectBulletin)
    @blp.response(201, shapes.BulletinHead)
    @told
    def post(self, body: dict[str, Any], number: str) -> archive.Bulletin:
        """Freeze the same day again with all that has come, under a number that replaces this one."""
        return freezing.correct(gridbook(), number, body["reason"], reader("bulletin.freeze"))


@blp.route("/bulletins/<string:number>/text")
class BulletinText(MethodView):
    @allowed("figures.read")
    @blp.arguments(shapes.BulletinQuery, location="query")
    @blp.response(200, TEXT, content_type="text/plain", description="For a message group; no personal data")
    @tagged(*CONTENT, "form files")
    @told
    def get(self, query: dict[str, Any], number: str) -> Response:
        """The bulletin as a short text in Chinese."""
        reader()
        return Response(
            text_of(described(number, query.get("day"), ())), content_type="text/plain; charset=utf-8"
        )


def text_of(found: dict[str, Any]) -> str:
    groups = wording.layout(gridbook().settings.forms)["message"]
    return message.message(found["content"], groups, _digest(found))


def _digest(found: dict[str, Any]) -> str:
    return "" if found["provisional"] else str(found["bulletin"].digest)


@blp.route("/bulletins/<string:number>/pdf")
class BulletinPdf(MethodView):
    @allowed("figures.read")
    @blp.arguments(shapes.BulletinQuery, location="query")
    @blp.response(200, FILE, content_type="application/pdf", description="A4")
    @untagged(A_FILE)
    @told
    def get(self, query: dict[str, Any], number: str) -> Response:
        """The bulletin on paper."""
        reader()
        return pdf_of(described(number, query.get("day")))


def pdf_of(found: dict[str, Any]) -> Response:
    from server.bulletins import pdf  # 8 MB in every process, for something done once a day

    towns = wording.layout(gridbook().settings.forms)["towns"]
    data = pdf.pdf(found["content"], towns, _digest(found))
    return Response(data, content_type="application/pdf", headers=_named(found, "pdf"))


def _named(found: dict[str, Any], ending: str) -> dict[str, str]:
    """The file's name says when it is provisional."""
    content = found["content"]
    name = f"provisional-{content['day']}" if found["provisional"] else content["number"]
    return {
        "Content-Disposition": f'attachment; filename="bulletin-{name}.{ending}"',
        "Cache-Control": "no-store",
    }


@blp.route("/bulletins/<string:number>/xlsx")
class BulletinWorkbook(MethodView):
    @allowed("figures.read")
    @blp.arguments(shapes.BulletinQuery, location="query")
    @blp.response(
        200, FILE, content_type=XLSX, description="Sheets ①, ② and ⑰, and whatever else shows the bulletin"
    )
    @untagged(A_FILE)
    @told
    def get(self, query: dict[str, Any], number: str) -> Response:
        """The bulletin as a workbook."""
        member = reader()
        return xlsx_of(member, described(number, query.get("day")))


def xlsx_of(member: Staff, found: dict[str, Any]) -> Response:
    shared, content = gridbook(), found["content"]
    area = own_area(member, content["district"]["code"])
    asked = making.asked(shared, area, date.fromisoformat(content["day"]), content)
    wanted = [each for each in making.templates(shared)[0].values() if each.rows in library.OF_BULLETIN]
    makers = [lambda each=each: library.sheet(each, asked, member.name) for each in wanted]
    answer = send_file(making.workbook(shared, makers), mimetype=XLSX)
    answer.headers.update(_named(found, "xlsx"))
    return answer
