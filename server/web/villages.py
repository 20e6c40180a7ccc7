"""Which villages reported on a day, had nothing to report, or were silent; nil reports are entered here."""

from __future__ import annotations

from collections import Counter
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from marshmallow import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from server.api import shapes
from server.api import villages as api
from server.api.access import staff_for
from server.api.beijing import local, today
from server.api.problems import Problem
from server.app import gridbook
from server.people.permissions import may
from server.people.web import require_csrf, require_staff
from server.villages import states
from server.web.asking import area_choices, area_filters, asked, names, path_to
from server.web.language import pick
from server.web.language import translate as t
from server.web.numbers import number
from server.web.pages import blueprint

REFUSALS = (
    "nil-future",
    "nil-no-village",
    "nil-reported",
    "nil-said",
    "nil-not-said",
    "nil-moved",
    "nil-too-often",
)


@blueprint.get("/villages", endpoint="villages")
@require_staff("figures.read")
def villages_page() -> str:
    member = staff_for("figures.read")
    query = asked(shapes.DayQuery)
    area, chosen = area_filters(member, query.get("area"))
    day = query.get("day") or today()
    found = states.villages(gridbook(), area["code"], day.isoformat())
    state = request.args.get("state", "")
    state = state if state in states.STATES else ""
    choices = area_choices(member)
    towns = names(choices["towns"])
    return render_template(
        "villages.html",
        path=path_to(member, area),
        area=area,
        items=[_row(each, towns) for each in found if not state or each["state"] == state],
        counts=Counter(each["state"] for each in found),
        states=states.STATES,
        reports=[pick(name) for name in gridbook().declaration.reports.values()],
        state=state,
        day=day.isoformat(),
        today=today().isoformat(),
        filters=chosen,
        may_say=may(member, "nil.report"),
        may_read=may(member, "records.read"),
        **choices,
    )


def _row(item: dict[str, Any], towns: dict[str, str]) -> dict[str, Any]:
    area, nil = item["area"], item.get("nil")
    return {
        "code": area["code"],
        "name": area["name"],
        "town": towns.get(area["parent"], ""),
        "state": item["state"],
        "counts": [number(item["counts"][name]) for name in gridbook().declaration.reports],
        "quarantined": item["quarantined"],
        "last": local(item.get("last_received_at")),
        "nil": nil and {"at": local(nil["at"]), "by": nil["by"]["name"], "note": nil.get("note", "")},
    }


@blueprint.post("/villages/nil-report")
@require_staff("nil.report")
@require_csrf
def nil_report() -> BaseResponse:
    """Back to the list as it was; what could not be done is said there."""
    given = {
        name: request.form[name] for name in ("village", "day", "what", "note") if request.form.get(name)
    }
    try:
        api.say(staff_for("nil.report"), dict(shapes.NilReport().load(given)))
    except ValidationError:
        raise Problem("invalid") from None
    except Problem as problem:
        if problem.code not in REFUSALS:
            raise
        flash(problem.words(t("lang"))[1], "bad")
    else:
        flash(t(f"villages.done_{given.get('what', 'said')}"), "good")
    query = request.form.get("list", "").lstrip("?")
    return redirect(f"{url_for('web.villages')}?{query}", 303)
