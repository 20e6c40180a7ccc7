"""Staff: who may sign in, with which roles and where; added, deactivated and reactivated by an administrator,
who gives a code for the password and never knows it."""

from __future__ import annotations

import logging
from typing import Any

from flask import request
from flask.views import MethodView

from server.api import shapes
from server.api.access import allowed, own_area, staff_for
from server.api.blueprint import Blueprint
from server.api.freshness import tagged
from server.api.problems import Problem
from server.app import gridbook
from server.people import invitations, sessions, staff
from server.people.permissions import ROLES, covers
from server.people.staff import PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN, Staff
from server.people.web import require_csrf
from server.readmodel.paging import BadCursor, Page, decode_cursor, encode_cursor

log = logging.getLogger(__name__)
blp = Blueprint("staff", __name__, url_prefix="/api/v1", description="Who may sign in")

ACTION = "staff.manage"
Query = dict[str, Any]


def listed(member: Staff, query: Query) -> Page:
    """Those of the member's area that fit the query, by user name. Raises Problem."""
    area = own_area(member, query.get("area"))["code"]
    name = "staff:" + "|".join(str(query.get(each) or "") for each in ("area", "role", "state", "text"))
    try:
        place = decode_cursor(name, query.get("cursor"), 1)
    except BadCursor:
        raise Problem("bad-cursor") from None
    found = [
        each
        for each in staff.every(gridbook().people)
        if covers(area, each.area) and _fits(each, query) and (not place or each.username > place[0])
    ]
    limit = query["limit"]
    more = encode_cursor(name, [found[limit - 1].username]) if len(found) > limit else None
    seen = sessions.last_sign_ins(gridbook().people)
    return Page([shown(each, seen) for each in found[:limit]], more)


def _fits(each: Staff, query: Query) -> bool:
    text = (query.get("text") or "").lower()
    return (
        (not query.get("role") or query["role"] in each.roles)
        and (not query.get("state") or each.disabled == (query["state"] == "disabled"))
        and (text in each.username.lower() or text in each.name.lower())
    )


def shown(each: Staff, seen: dict[str, str]) -> dict[str, Any]:
    return {
        "staff_id": each.staff_id,
        "username": each.username,
        "name": each.name,
        "roles": sorted(each.roles),
        "area": each.area,
        "disabled": each.disabled,
        "last_sign_in_at": seen.get(each.staff_id),
    }


def one(member: Staff, staff_id: str) -> Staff:
    """Raises Problem("unknown-staff"), also for one whose area is not in the member's."""
    found = staff.by_id(gridbook().people, staff_id)
    if found is None or not covers(member.area, found.area):
        raise Problem("unknown-staff")
    return found


def told(found: Staff) -> dict[str, Any]:
    return shown(found, sessions.last_sign_ins(gridbook().people))


def add(member: Staff, body: Query) -> dict[str, Any]:
    """{staff, code, expires_at}. Raises Problem."""
    own_area(member, body["area"])
    if unknown := sorted(set(body["roles"]) - ROLES.keys()):
        raise Problem("invalid", errors={"json": {"roles": [f"There is no role {', '.join(unknown)}."]}})
    if staff.by_username(gridbook().people, body["username"]):
        raise Problem("staff-taken", username=body["username"])
    try:
        made = staff.add(gridbook().people, **body, password=invitations.nobodys_password())
    except staff.StaffError:  # roles and area were looked at already
        raise Problem("staff-refused") from None
    log.info("%s added %s as %s of %s", member.writer, made.writer, ", ".join(made.roles), made.area)
    return give_code(member, made.staff_id)


def give_code(member: Staff, staff_id: str) -> dict[str, Any]:
    """{staff, code, expires_at}. Raises Problem."""
    found = one(member, staff_id)
    if found.disabled:
        raise Problem("staff-disabled")
    code, expires_at = invitations.create(gridbook().people, found, member.staff_id)
    log.info("%s made a password code for %s", member.writer, found.writer)
    return {"staff": told(found), "code": code, "expires_at": expires_at}


def switch(member: Staff, staff_id: str, *, on: bool) -> Staff:
    """Reactivate or deactivate. Raises Problem: nobody of this id, oneself."""
    found = one(member, staff_id)
    if found.staff_id == member.staff_id and not on:
        raise Problem("staff-self")
    (staff.enable if on else staff.disable)(gridbook().people, found)
    log.info("%s %s %s", member.writer, "reactivated" if on else "deactivated", found.writer)
    return one(member, staff_id)


def set_password(body: Query) -> Staff:
    """By whoever holds a code. Raises Problem."""
    try:
        found = invitations.redeem(
            gridbook().people, body["username"], body["code"], body["password"], request.remote_addr or ""
        )
    except staff.StaffError:
        raise Problem("password-weak", least=PASSWORD_LENGTH_MIN, most=PASSWORD_LENGTH_MAX) from None
    except invitations.CodeWrong as wrong:
        if wrong.retry_after_s:
            raise Problem("too-many-requests") from None
        raise Problem("password-code") from None
    log.info("%s set a password by a code", found.writer)
    return found


@blp.route("/staff")
class StaffList(MethodView):
    @allowed(ACTION)
    @blp.arguments(shapes.StaffQuery, location="query")
    @blp.response(200, shapes.StaffPage)
    @tagged("staff", "sign-ins")
    def get(self, query: Query) -> dict[str, Any]:
        """Who may sign in, with roles, area and last sign-in."""
        found = listed(staff_for(ACTION), query)
        return {"items": found.items, "next_cursor": found.next_cursor}

    @allowed(ACTION)
    @require_csrf
    @blp.arguments(shapes.NewStaff)
    @blp.response(201, shapes.PasswordCode)
    def post(self, body: Query) -> dict[str, Any]:
        """Add somebody. The answer holds a code with which they set their password; it is shown only here."""
        return add(staff_for(ACTION), body)


@blp.route("/staff/<string:staff_id>")
class StaffOne(MethodView):
    @allowed(ACTION)
    @blp.response(200, shapes.StaffMember)
    @tagged("staff", "sign-ins")
    def get(self, staff_id: str) -> dict[str, Any]:
        """One staff member."""
        return told(one(staff_for(ACTION), staff_id))


@blp.route("/staff/<string:staff_id>/disable")
class Disable(MethodView):
    @allowed(ACTION)
    @require_csrf
    @blp.response(200, shapes.StaffMember)
    def post(self, staff_id: str) -> dict[str, Any]:
        """Deactivate: sessions end and API tokens are revoked; what they did stays theirs."""
        return told(switch(staff_for(ACTION), staff_id, on=False))


@blp.route("/staff/<string:staff_id>/enable")
class Enable(MethodView):
    @allowed(ACTION)
    @require_csrf
    @blp.response(200, shapes.StaffMember)
    def post(self, staff_id: str) -> dict[str, Any]:
        """Reactivate, with the password that they had."""
        return told(switch(staff_for(ACTION), staff_id, on=True))


@blp.route("/staff/<string:staff_id>/password-code")
class NewCode(MethodView):
    @allowed(ACTION)
    @require_csrf
    @blp.response(201, shapes.PasswordCode)
    def post(self, staff_id: str) -> dict[str, Any]:
        """Make a code with which they set another password, once, within a day."""
        return give_code(staff_for(ACTION), staff_id)


@blp.route("/password")
class Password(MethodView):
    @blp.arguments(shapes.SetPassword)
    @blp.response(204, description="It is set; sign in with it")
    def post(self, body: Query) -> None:
        """Set a password with a code; the code is all that is asked for."""
        set_password(body)
