"""The exceptions board: what stands out, whose it is, until when; and the steps that staff take."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from flask.views import MethodView

from server import clock
from server.api import shapes
from server.api.access import allowed, own_area, staff_for
from server.api.blueprint import Blueprint
from server.api.catalogue import forms
from server.api.freshness import tagged
from server.api.problems import Problem
from server.app import gridbook
from server.exceptions import declaration, steps
from server.exceptions.board import Board, Filters, Item, board, one
from server.exceptions.declaration import Kind
from server.exceptions.finding import Asked
from server.people import staff
from server.people.permissions import may
from server.people.staff import Staff
from server.people.web import require_csrf
from server.readmodel import queries

log = logging.getLogger(__name__)
blp = Blueprint("exceptions", __name__, url_prefix="/api/v1", description="What stands out, and whose it is")

Query = dict[str, Any]
BOARD = ("readmodel", "catalogue", "devices", "steps", "staff", "minute")  # what the board is made of


def kinds() -> Mapping[str, Kind]:
    """What stands on the board, by id."""
    return declaration.kinds(gridbook().readmodel.forms)


def asked_about(area: str) -> Asked:
    shared = gridbook()
    return Asked(shared.readmodel, shared.people, forms().settings, area, clock.stamp(clock.now()))


def read(member: Staff, query: Query) -> Board:
    """The board of the query's area. Raises Problem."""
    area, kind = own_area(member, query.get("area")), query.get("kind")
    if kind and kind not in kinds():
        raise Problem("invalid", errors={"query": {"kind": [f"Must be one of: {', '.join(kinds())}."]}})
    owner = member.staff_id if query.get("owner") == "me" else query.get("owner")
    filters = Filters(query["state"], kind, owner, query["sort"])
    try:
        return board(asked_about(area["code"]), filters, query.get("cursor"), query["limit"])
    except queries.BadCursor:
        raise Problem("bad-cursor") from None


def found(member: Staff, exception_id: str) -> Item:
    """Raises Problem("unknown-exception"), also for one outside the member's area."""
    item = one(asked_about(member.area), exception_id)
    if item is None:
        raise Problem("unknown-exception")
    return item


def names() -> dict[str, str]:
    return {member.staff_id: member.name for member in staff.every(gridbook().people)}


def handlers(village_code: str) -> list[Staff]:
    """Who may handle exceptions of the village."""
    return [
        member
        for member in staff.every(gridbook().people)
        if not member.disabled and _handles(member, village_code)
    ]


def _handles(member: Staff, village_code: str) -> bool:
    """What belongs to no village is the district's."""
    return may(member, "exceptions.handle", village_code or member.area[:6])


def step(member: Staff, exception_id: str, body: Query) -> None:
    """Raises Problem: no such exception, it moved meanwhile, a note is missing, the owner may not."""
    item = found(member, exception_id)
    village = item.found.village_code
    if not _handles(member, village):
        raise Problem("forbidden", action="exceptions.handle")
    if body["what"] == "assign" and body.get("owner") not in {each.staff_id for each in handlers(village)}:
        raise Problem("unknown-owner")
    taken = steps.Step(body["what"], body.get("note", ""), body.get("owner"))
    try:
        steps.add(gridbook().people, exception_id, taken, member.staff_id, body["seen"])
    except steps.StepRefused as refused:
        raise Problem(refused.code) from None
    log.info("%s: %s of exception %s", member.writer, body["what"], item.found.kind)


def shown(item: Item, known: dict[str, str]) -> dict[str, Any]:
    found, standing = item.found, item.standing
    return {
        "id": item.id,
        "kind": found.kind,
        "name": kinds()[found.kind].name,
        "village_code": found.village_code,
        "subject": found.subject,
        "about": found.about,
        "since": found.since,
        "due": item.due,
        "overdue": item.overdue,
        "resolved": standing.resolved,
        "settled": item.settled,
        "owner": person(standing.owner_id, known),
        "steps_count": standing.number,
    }


def person(staff_id: str | None, known: dict[str, str]) -> dict[str, str] | None:
    return {"staff_id": staff_id, "name": known.get(staff_id, staff_id)} if staff_id else None


def told(exception_id: str, known: dict[str, str]) -> list[dict[str, Any]]:
    """Its steps, first step first."""
    return [
        {
            "number": each["number"],
            "what": each["what"],
            "note": each["note"],
            "owner": person(each["owner_id"], known),
            "by": person(each["staff_id"], known),
            "at": each["at"],
        }
        for each in steps.history(gridbook().people, exception_id)
    ]


@blp.route("/exceptions")
class Exceptions(MethodView):
    @allowed("records.read")
    @blp.arguments(shapes.ExceptionQuery, location="query")
    @blp.response(200, shapes.ExceptionPage)
    @tagged(*BOARD)
    def get(self, query: Query) -> dict[str, Any]:
        """What stands out in an area: whose it is, since when, by when it is to be worked off."""
        read_now = read(staff_for("records.read"), query)
        known = names()
        return {
            "items": [shown(item, known) for item in read_now.items],
            "next_cursor": read_now.next_cursor,
            "total": read_now.total,
            "counts": read_now.counts,
        }


@blp.route("/exceptions/<string:exception_id>")
class Exception_(MethodView):
    @allowed("records.read")
    @blp.response(200, shapes.ExceptionItem)
    @tagged(*BOARD)
    def get(self, exception_id: str) -> dict[str, Any]:
        """One exception with what was done about it, also after the data stopped showing it."""
        item = found(staff_for("records.read"), exception_id)
        known = names()
        return shown(item, known) | {"steps": told(exception_id, known)}


@blp.route("/exceptions/<string:exception_id>/steps")
class Steps(MethodView):
    @allowed("exceptions.handle")
    @require_csrf
    @blp.arguments(shapes.ExceptionStepRequest)
    @blp.response(201, shapes.ExceptionItem)
    def post(self, body: Query, exception_id: str) -> dict[str, Any]:
        """Take it, assign or release it, note something, resolve or reopen it. Steps are kept for good; one
        that was decided on an older state (`seen`) is refused."""
        member = staff_for("exceptions.handle")
        step(member, exception_id, body)
        known = names()
        return shown(found(member, exception_id), known) | {"steps": told(exception_id, known)}
