"""The exceptions board: what stands out by kind, the list with its filters, and one exception to work off."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from server import clock
from server.api import exceptions as api
from server.api import shapes
from server.api.access import staff_for
from server.api.beijing import local
from server.api.problems import Problem
from server.exceptions.board import SORTS, STATES, Item
from server.exceptions.steps import MOVES
from server.people.permissions import may
from server.people.staff import Staff
from server.people.web import require_csrf, require_staff
from server.readmodel.moments import parse
from server.web.addresses import history_href
from server.web.asking import Names, area_choices, area_filters, around_list, asked, names
from server.web.language import pick
from server.web.language import translate as t
from server.web.pages import blueprint

REFUSALS = ("exception-moved", "exception-state", "note-missing", "unknown-owner")
COLUMNS = (
    ("kind", "kind"),
    ("", "subject"),
    ("village", "village"),
    ("since", "since"),
    ("due", "due"),
    ("", "owner"),
)


@blueprint.get("/exceptions", endpoint="exceptions")
@require_staff("records.read")
def exceptions_page() -> str:
    member = staff_for("records.read")
    query = asked(shapes.ExceptionQuery)
    area, chosen = area_filters(member, query.get("area"))
    found = api.read(member, query)
    around = around_list(member, area, chosen, COLUMNS, SORTS, query, found.next_cursor)
    villages, known = names(around["villages"]), api.names()
    counts = {kind: {**found.counts[kind], "name": pick(api.kinds()[kind].name)} for kind in api.kinds()}
    return render_template(
        "exceptions.html",
        items=[_row(item, villages, known) for item in found.items],
        total=found.total,
        counts=counts,
        capped=[each["name"] for each in counts.values() if each["capped"]],
        states=STATES,
        may_handle=may(member, "exceptions.handle"),
        **around,
    )


def _row(item: Item, villages: Names, known: dict[str, str]) -> dict[str, Any]:
    found, standing = item.found, item.standing
    return {
        "id": item.id,
        "kind": pick(api.kinds()[found.kind].name),
        "subject": _subject(item),
        "village": villages[found.village_code],
        "since": local(found.since),
        "age": _hours_since(found.since),
        "due": local(item.due),
        "overdue": item.overdue,
        "resolved": standing.resolved,
        "settled": item.settled,
        "owner": known.get(standing.owner_id or "", ""),
        "number": standing.number,
    }


def _subject(item: Item) -> str:
    about = item.found.about
    if about.get("filler_id"):
        return f"{about['filler_id']} {about.get('day', '')}"
    for name in ("household_id", "point_id", "roster_entry_id"):
        if about.get(name):
            place = t("exceptions.person", n=about["place"]) if about.get("place") else ""
            return f"{about[name]} {place}".strip()
    return about.get("words") or item.found.subject.partition("#")[0]


def _hours_since(moment: str) -> str:
    start = parse(moment)
    hours = (clock.now() - start).total_seconds() / 3600 if start else 0
    return t("points.days", n=int(hours // 24)) if hours >= 48 else t("points.hours", n=max(0, int(hours)))


@blueprint.get("/exceptions/<exception_id>", endpoint="exception")
@require_staff("records.read")
def exception_page(exception_id: str) -> str:
    member = staff_for("records.read")
    item, known = api.found(member, exception_id), api.names()
    villages = names(area_choices(member)["villages"])
    handlers = [each for each in api.handlers(item.found.village_code) if each.staff_id != member.staff_id]
    return render_template(
        "exception.html",
        item=_row(item, villages, known),
        help=pick(api.kinds()[item.found.kind].help),
        links=_links(item, member),
        steps=[{**each, "at": local(each["at"])} for each in api.told(exception_id, known)],
        moves=[move for move, resolved in MOVES.items() if resolved == item.standing.resolved],
        owned=item.standing.owner_id is not None,
        mine=item.standing.owner_id == member.staff_id,
        handlers=handlers,
        may_handle=may(member, "exceptions.handle"),
    )


def _links(item: Item, member: Staff) -> list[dict[str, str]]:
    """Where the matter itself is looked at and mended."""
    about = item.found.about
    found = []
    if about.get("record_id"):
        found.append(("record", url_for("web.record", record_id=about["record_id"])))
    if about.get("filler_id"):
        day = about.get("day", "")
        of_day: dict[str, Any] = {"filler": about["filler_id"], "from": day, "to": day}
        found.append(("filler", url_for("web.records", **of_day)))
    for name in ("household", "point", "roster_entry"):
        if about.get(f"{name}_id"):
            found.append((name, history_href(member, name, about[f"{name}_id"], item.found.village_code)))
    if about.get("device_id"):
        found.append(("device", url_for("web.devices")))
    return [{"words": t(f"exceptions.open_{name}"), "href": href} for name, href in found]


@blueprint.post("/exceptions/<exception_id>/steps")
@require_staff("exceptions.handle")
@require_csrf
def exception_step(exception_id: str) -> BaseResponse:
    """Back to the list when the form came from there, with its filters."""
    member, given = staff_for("exceptions.handle"), request.form
    what, seen = given.get("what", ""), given.get("seen", "")
    if what not in MOVES or not (seen.isascii() and seen.isdigit() and len(seen) < 9):
        raise Problem("invalid")
    body = {"what": what, "seen": int(seen), "note": given.get("note", ""), "owner": given.get("owner")}
    try:
        api.step(member, exception_id, body)
        flash(t(f"exceptions.done_{what}"), "good")
    except Problem as problem:
        if problem.code not in REFUSALS:
            raise
        flash(problem.words(t("lang"))[1], "bad")
    return redirect(_back(exception_id), 303)


def _back(exception_id: str) -> str:
    query = request.form.get("list")
    page = url_for("web.exception", exception_id=exception_id)
    return page if query is None else f"{url_for('web.exceptions')}?{query.lstrip('?')}"
