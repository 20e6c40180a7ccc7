"""Staff: the list with filters, adding somebody, deactivating, a code for the password; and the page where a
code becomes a password."""

from __future__ import annotations

from typing import Any

from flask import flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from server.api import shapes
from server.api import staff as api
from server.api.access import staff_for
from server.api.beijing import local
from server.api.problems import Problem
from server.app import gridbook
from server.people import invitations
from server.people.permissions import ROLES, covers
from server.people.staff import PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN, Staff
from server.people.web import require_csrf, require_staff
from server.readmodel import queries
from server.web.asking import asked
from server.web.language import current
from server.web.language import translate as t
from server.web.pages import blueprint
from server.web.sign_in import from_this_site

REFUSALS = ("staff-taken", "staff-refused", "staff-self", "staff-disabled", "invalid")


@blueprint.get("/people", endpoint="people")
@require_staff(api.ACTION)
def people_page() -> str:
    member = staff_for(api.ACTION)
    found = api.listed(member, asked(shapes.StaffQuery))
    areas = [area for area in queries.areas(gridbook().readmodel) if covers(member.area, area["code"])]
    names = {area["code"]: area["name"] for area in areas}
    waiting = invitations.waiting(gridbook().people)
    given = {name: request.args.get(name, "").strip() for name in ("role", "state", "text", "area")}
    return render_template(
        "people.html",
        people=[_person(each, names, waiting, member) for each in found.items],
        next_cursor=found.next_cursor,
        first=not request.args.get("cursor"),
        filters=given,
        filtered=any(given.values()),
        roles={role: role_name(role) for role in ROLES},
        areas=[area for area in areas if area["level"] != "grid"],
    )


def role_name(role: str) -> str:
    """As the table of permissions names it; English names are the roles' own, without their underscores."""
    return ROLES[role][0] if current() == "zh" else role.replace("_", " ").capitalize()


def _person(each: dict[str, Any], names: dict[str, str], waiting: set[str], member: Staff) -> dict[str, Any]:
    return {
        **each,
        "roles": "、".join(role_name(role) for role in each["roles"] if role in ROLES),
        "where": names.get(each["area"], each["area"]),
        "last": local(each["last_sign_in_at"]) or t("people.never"),
        "waiting": each["staff_id"] in waiting and not each["disabled"],
        "own": each["staff_id"] == member.staff_id,
    }


@blueprint.post("/people")
@require_staff(api.ACTION)
@require_csrf
def add_person() -> BaseResponse | str:
    given = request.form
    body = {
        "username": given.get("username", "").strip()[:65],
        "name": given.get("name", "").strip()[:80],
        "roles": given.getlist("role"),
        "area": given.get("area", ""),
    }
    if not body["roles"]:
        raise Problem("invalid", errors={"json": {"roles": ["Shorter than minimum length 1."]}})
    return _code_or_back(lambda member: api.add(member, body))


@blueprint.post("/people/<staff_id>/password-code")
@require_staff(api.ACTION)
@require_csrf
def password_code(staff_id: str) -> BaseResponse | str:
    return _code_or_back(lambda member: api.give_code(member, staff_id))


def _code_or_back(make: Any) -> BaseResponse | str:
    """The code is the answer itself: it is shown once and kept nowhere in the clear."""
    try:
        made = make(staff_for(api.ACTION))
    except Problem as problem:
        if problem.code not in REFUSALS:
            raise
        flash(problem.words(t("lang"))[1], "bad")
        return redirect(url_for("web.people"), 303)
    found = made["staff"]
    return render_template(
        "password_code.html",
        name=found["name"],
        code=made["code"],
        username=found["username"],
        address=f"{gridbook().settings.public_url}{url_for('web.set_password')}",
        until=local(made["expires_at"]),
    )


@blueprint.post("/people/<staff_id>/<what>")
@require_staff(api.ACTION)
@require_csrf
def switch_person(staff_id: str, what: str) -> BaseResponse:
    if what not in ("disable", "enable"):
        raise Problem("not-found")
    try:
        found = api.switch(staff_for(api.ACTION), staff_id, on=what == "enable")
        flash(t(f"people.done_{what}", name=found.name), "good")
    except Problem as problem:
        if problem.code not in REFUSALS:
            raise
        flash(problem.words(t("lang"))[1], "bad")
    return redirect(url_for("web.people"), 303)


@blueprint.get("/password", endpoint="set_password")
def password_page() -> str:
    return _password_page()


def _password_page(username: str = "", complaint: str = "") -> str:
    return render_template(
        "password.html",
        username=username,
        complaint=complaint,
        least=PASSWORD_LENGTH_MIN,
        most=PASSWORD_LENGTH_MAX,
    )


@blueprint.post("/password")
def set_password_by_code() -> BaseResponse:
    from_this_site()
    given = request.form
    username = given.get("username", "").strip()[:64]
    if given.get("password") != given.get("again"):
        return make_response(_password_page(username, t("password.differ")), 422)
    body = {"username": username, "code": given.get("code", "")[:40], "password": given.get("password", "")}
    try:
        api.set_password(body)
    except Problem as problem:
        return make_response(_password_page(username, problem.words(t("lang"))[1]), problem.status)
    flash(t("password.done"), "good")
    return redirect(url_for("web.sign_in_page"), 303)
