"""Superiors' lists: all of them, one with its outcomes, one name beside whom it may be."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from marshmallow import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from server.api import list_shapes as shapes
from server.api import lists as api
from server.api.access import staff_for
from server.api.beijing import ZONE, local
from server.api.jobs import mine
from server.api.problems import Problem
from server.api.shapes import Moment
from server.api.unmasking import unmasked
from server.app import gridbook
from server.jobs.events import is_busy
from server.lists import archive, reconciling
from server.lists import template as templates
from server.lists.outcomes import OPEN, OUTCOMES, STATES
from server.lists.refusals import Refused
from server.people.permissions import may
from server.people.staff import Staff
from server.people.web import require_csrf, require_staff
from server.readmodel import queries
from server.web import language
from server.web.addresses import history_href
from server.web.asking import asked
from server.web.jobs import of_lists, waiting
from server.web.language import pick
from server.web.language import translate as t
from server.web.pages import blueprint

PAGE = 50
REMARKED_SHOWN = 200


# All lists, one list


@blueprint.get("/lists", endpoint="lists")
@require_staff(api.ACTION)
def lists_page() -> str:
    member = staff_for(api.ACTION)
    found, complaints = templates.templates(gridbook().settings.forms)
    heads = reversed(archive.every(gridbook().store))
    return render_template(
        "lists.html",
        items=[_item(api.shown(each, member)) for each in heads],
        may_import=_whole_district(member) and bool(found),
        under_way=[waiting(job) for job in mine(member) if of_lists(job) and is_busy(job)],
        complaints=complaints if may(member, "forms.publish") else [],
    )


def _whole_district(member: Staff) -> bool:
    return len(member.area) == 6


def _item(shown: dict[str, Any]) -> dict[str, Any]:
    counts = shown["counts"]
    total = sum(counts.values())
    return {
        **shown,
        "at": local(shown["imported_at"]),
        "by": shown["imported_by"]["name"],
        "total": total,
        "open": counts[OPEN],
        "done": total - counts[OPEN],
        "missed": counts["missed"],
    }


@blueprint.get("/lists/<list_id>")
@require_staff(api.ACTION)
@api.told
def one_list(list_id: str) -> str:
    member = staff_for(api.ACTION)
    query = asked(shapes.RowQuery, limit=str(PAGE))
    found = reconciling.reconciled(gridbook(), list_id, member.area)
    page = api.rows_page(member, list_id, query)
    counts = found.standing.counts()
    whole = _whole_district(member)
    return render_template(
        "list.html",
        item=_item({**api.shown(found.head, member)}),
        matched=local(found.matched_at),
        outcomes=[{"value": each, "words": _words(each), "count": counts[each]} for each in STATES],
        chosen=query.get("outcome", ""),
        rows=[_row(found.areas, each) for each in page.items],
        next_cursor=page.next_cursor,
        first=not request.args.get("cursor"),
        answers=[_answer(each) for each in reversed(archive.answers(gridbook().store, list_id))]
        if whole
        else [],
        may_answer=whole and not found.head.superseded_by,
        may_download=may(member, "export.unmasked"),
    )


def _words(state: str) -> str:
    return pick(OUTCOMES[state]) if state in OUTCOMES else t("lists.open")


def _row(areas: dict[int, str], row: dict[str, Any]) -> dict[str, Any]:
    decision = row["decision"] or {}
    by = decision.get("decided_by")
    return {
        **row,
        "words": _words(row["state"]),
        "place": _place(areas.get(row["row"], "")) or row["values"].get("village", ""),
        "decided": local(decision.get("decided_at")) if row["state"] != OPEN else "",
        "by": by["name"] if by else t("lists.by_match") if row["state"] != OPEN else "",
        "remark": decision.get("remark", ""),
    }


def _place(code: str) -> str:
    area = queries.area(gridbook().readmodel, code) if code else None
    return str(area["name"]) if area else ""


def _answer(answer: archive.Answer) -> dict[str, Any]:
    return {
        "n": answer.n,
        "as_of": local(answer.as_of),
        "at": local(answer.made_at),
        "by": answer.made_by["name"],
        "open": answer.counts[OPEN],
        "reason": answer.reason,
        "digest": answer.digest[:12],
    }


# One name


@blueprint.get("/lists/<list_id>/rows/<int:number>")
@require_staff(api.ACTION)
@api.told
def list_row(list_id: str, number: int) -> str:
    return _row_page(list_id, number, in_full=False)


@blueprint.post("/lists/<list_id>/rows/<int:number>/unmasked")
@require_staff(api.ACTION)
@require_csrf
@api.told
def list_row_unmasked(list_id: str, number: int) -> str:
    query = {"unmask": True, "reason": request.form.get("reason")}
    in_full = unmasked(staff_for(api.ACTION), query, f"list {list_id}, row {number}")
    return _row_page(list_id, number, in_full)


def _row_page(list_id: str, number: int, in_full: bool) -> str:
    member = staff_for(api.ACTION)
    found = reconciling.reconciled(gridbook(), list_id, member.area)
    row = api.one_row(member, list_id, number, in_full)
    fields = [
        name for name in templates.COLUMNS if name in row["values"] or name in ("name", "phone", "village")
    ]
    decision = row["decision"] or {"n": 0, "outcome": None, "candidate": None, "rejected": [], "remark": ""}
    return render_template(
        "list_row.html",
        item=_item(api.shown(found.head, member)),
        row=_row(found.areas, row),
        fields=[{"name": name, "words": t(f"lists.field_{name}")} for name in fields],
        decision=decision,
        candidates=[_candidate(each, member) for each in row["candidates"]],
        outcomes=[{"value": each, "words": _words(each)} for each in OUTCOMES],
        in_full=in_full,
        may_unmask=may(member, "export.unmasked"),
        history=[_history(each) for each in reversed(archive.decisions(gridbook().store, list_id, number))],
    )


def _candidate(each: dict[str, Any], member: Staff) -> dict[str, Any]:
    values = each["values"]
    household = values.get("household_id")
    return {
        **each,
        "kind": t(f"lists.kind_{each['key'].partition(':')[0]}"),
        "values": {**values, "village": _place(values.get("village_code", ""))},
        "reasons": [t(f"lists.reason_{reason}") for reason in each["reasons"]],
        "href": history_href(member, "household", household, values["village_code"]) if household else "",
    }


def _history(each: Any) -> dict[str, str]:
    return {
        "at": local(each.decided_at),
        "by": each.by["name"] if each.by else t("lists.by_match"),
        "words": _words(each.outcome or OPEN),
        "remark": each.remark,
    }


@blueprint.post("/lists/<list_id>/rows/<int:number>")
@require_staff(api.ACTION)
@require_csrf
@api.told
def decide_row(list_id: str, number: int) -> BaseResponse:
    """Saved, and on to the next name that is open; what cannot be saved is said above the same form."""
    member, given = staff_for(api.ACTION), request.form
    try:
        reconciling.decide(
            gridbook(),
            list_id,
            number,
            member,
            seen=int(given.get("seen", "0")) if given.get("seen", "0").isdecimal() else -1,
            outcome=given.get("outcome", ""),
            candidate=given.get("candidate", ""),
            rejected=given.getlist("rejected"),
            remark=given.get("remark", ""),
        )
    except Refused as refused:
        flash(Problem(refused.code, **refused.fields).words(language.current())[1], "bad")
        return redirect(url_for("web.list_row", list_id=list_id, number=number), 303)
    flash(t("lists.decided", row=number), "good")
    following = _next_open(member, list_id, number) if given.get("then") == "next" else None
    if following is None:
        return redirect(url_for("web.one_list", list_id=list_id), 303)
    return redirect(url_for("web.list_row", list_id=list_id, number=following), 303)


def _next_open(member: Staff, list_id: str, after: int) -> int | None:
    found = reconciling.reconciled(gridbook(), list_id, member.area)
    numbers = [row.number for row in found.rows if found.standing.state(row.number) == OPEN]
    return next((number for number in numbers if number > after), numbers[0] if numbers else None)


# Matching again, answering


@blueprint.post("/lists/<list_id>/match")
@require_staff(api.ACTION)
@require_csrf
@api.told
def match_list(list_id: str) -> BaseResponse:
    job = api.order_match(api.of_district(), list_id)
    return redirect(url_for("web.job", job_id=job.job_id), 303)


@blueprint.post("/lists/<list_id>/answers")
@require_staff(api.ACTION)
@require_csrf
@api.told
def answer_list(list_id: str) -> BaseResponse:
    member, reason = api.of_district(), request.form.get("reason", "").strip()
    if not 4 <= len(reason) <= 200:
        raise Problem("reason-missing")
    job = api.order_answer(member, list_id, reason, _moment(request.form.get("as_of", "")))
    return redirect(url_for("web.job", job_id=job.job_id), 303)


def _moment(given: str) -> datetime | None:
    """Beijing's time, as the field of the form writes it."""
    try:
        local_time = datetime.fromisoformat(given).replace(tzinfo=ZONE) if given else None
        return Moment().deserialize(local_time.isoformat()) if local_time else None
    except (ValueError, ValidationError):
        raise Problem("invalid", errors={"form": {"as_of": ["Not a valid datetime."]}}) from None


@blueprint.post("/lists/<list_id>/answers/<int:n>/file")
@require_staff("export.unmasked")
@require_csrf
@api.told
def list_answer_file(list_id: str, n: int) -> Response:
    return api.answer_file(list_id, n, request.form.get("reason"))
