"""Records: the list with filters, what waits in quarantine, one record in full, its review and its photos."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from server.api import attachments, duplicates, shapes
from server.api import records as api
from server.api.access import staff_for
from server.api.beijing import local
from server.api.catalogue import forms, questions, settings_in_labels
from server.api.problems import Problem
from server.api.unmasking import unmasked
from server.app import gridbook
from server.people.permissions import may
from server.people.staff import Staff
from server.people.web import require_csrf, require_staff
from server.web import record_layout as layout
from server.web.addresses import unit_href
from server.web.asking import area_choices, area_filters, asked
from server.web.language import current, pick
from server.web.language import translate as t
from server.web.pages import blueprint

PAGE = 50
FILTER_NAMES = (
    "form",
    "status",
    "filler",
    "device",
    "household",
    "point",
    "roster_entry",
    "rule",
    "behind",
    "text",
    "from",
    "to",
)
VOIDED = "voided"  # stands among the statuses in the list's filter


@blueprint.get("/records", endpoint="records")
@require_staff("records.read")
def records_page() -> str:
    return _list("records", shapes.RecordQuery, only_waiting=False)


@blueprint.get("/quarantine")
@require_staff("records.read")
def quarantine() -> str:
    return _list("quarantine", shapes.QuarantineQuery, only_waiting=True)


def _list(page: str, shape: Any, *, only_waiting: bool) -> str:
    member = staff_for("records.read")
    only_voided = {"status": "", "voided": "1"} if request.args.get("status") == VOIDED else {}
    query = asked(shape, **only_voided)
    _, chosen = area_filters(member, query.get("area"))
    filters = api.read_filters(member, query)
    found = api.page(api.waiting(filters) if only_waiting else filters, query.get("cursor"), PAGE)
    names = _village_names(member)
    given = {name: request.args.get(name, "").strip() for name in FILTER_NAMES}
    return render_template(
        "records.html",
        page=page,
        items=[_item(item, names, opens=may(member, "register.read")) for item in found.items],
        next_cursor=found.next_cursor,
        first=not request.args.get("cursor"),
        filters={**given, **chosen},
        filtered=any(given.values()) or any(request.args.get(name) for name in ("town", "village")),
        form_choices=[
            {"id": form_id, "title": pick(versions[-1]["title"])}
            for form_id, versions in forms().versions.items()
        ],
        statuses=(*shapes.STATUSES, VOIDED),
        **area_choices(member),
    )


def _village_names(member: Staff) -> dict[str, str]:
    return {area["code"]: area["name"] for area in area_choices(member)["villages"]}


def _item(item: Mapping[str, Any], names: Mapping[str, str], *, opens: bool) -> dict[str, Any]:
    compiled = forms().fitting(item["form_id"], item["form_version"])
    return {
        **seen(item),
        "received": local(item["received_at"]),
        "form": pick(compiled["title"]) if compiled else item["form_id"] or t("record.unknown_form"),
        "unit": _unit_id(item) or t("record.no_unit"),
        "unit_href": _unit_href(item) if opens else "",
        "village": names.get(item["village_code"], item["village_code"]),
    }


def seen(item: Mapping[str, Any]) -> dict[str, Any]:
    """What every list of records shows of one: when, by whom, what became of it, what is worst about it."""
    worst = min(item["problems"], key=lambda problem: "EWF".index(problem["severity"]), default=None)
    why = pick(worst["message"]) if worst else ""
    return {
        "record_id": item["record_id"],
        "work_date": item["work_date"] or "—",
        "filler": item["filler_id"] or "—",
        "status": item["status"],
        "superseded": bool(item["superseded_by"]),
        "voided": item["voided"],
        "severity": worst["severity"] if worst else "",
        "why": item["comment"] if item["status"] == "returned" else why,
    }


def _unit_id(item: Mapping[str, Any]) -> str:
    """What the record says it is about."""
    listed = item["household_id"] or item["point_id"] or item["roster_entry_id"]
    if listed:
        return str(listed)
    unit = gridbook().declaration.unit_of_form(item["form_id"])
    answers = item["answers"] if isinstance(item["answers"], dict) else {}
    named = answers.get(unit.forms[item["form_id"]]) if unit else None
    return named if isinstance(named, str) else ""


def _unit_href(item: Mapping[str, Any]) -> str:
    """A record that was found to be about no unit opens none, whatever it names."""
    unit_id = _unit_id(item)
    if not unit_id or not item["unit_kind"]:
        return ""
    return unit_href(item["unit_kind"], unit_id, item["village_code"])


@blueprint.get("/records/<path:record_id>")
@require_staff("records.read")
def record(record_id: str) -> str:
    member = staff_for("records.read")
    return _show(member, api.one(member, record_id), masked=True)


@blueprint.post("/records/<path:record_id>/in-full")
@require_staff("export.unmasked")
@require_csrf
def record_unmasked(record_id: str) -> str:
    """A POST, so that no address and no history entry leads back to the full names."""
    member = staff_for("export.unmasked")
    found = api.one(member, record_id)
    unmasked(member, {"unmask": True, "reason": request.form.get("reason")}, f"record {record_id}")
    return _show(member, found, masked=False)


def _show(member: Staff, in_full: dict[str, Any], *, masked: bool, draft_comment: str = "") -> str:
    found = api.masked_record(in_full) if masked else in_full
    document, verdict = found["document"], found["verdict"]
    compiled = forms().fitting(found["form_id"], found["form_version"]) or {}
    photos = _photos(found, member, masked=masked)
    inserted = settings_in_labels(compiled) | _plain_answers(document.get("answers"))
    setting = layout.Setting(pick, t("yes"), t("no"), photos, verdict["problems"], inserted)
    answers = document.get("answers")
    versions = found["versions"]
    may_review = may(member, "records.review") and (not found.get("superseded_by") or bool(found["void"]))
    return render_template(
        "record.html",
        record_id=found["record_id"],
        heading=" · ".join(
            filter(
                None, (pick(compiled["title"]) if compiled else t("record.unknown_form"), _unit_words(found))
            )
        ),
        unit=_unit_link(found) if may(member, "register.read") else None,
        where=" · ".join(
            filter(
                None,
                (
                    _village_names(member).get(found["village_code"], found["village_code"]),
                    str(found["work_date"] or ""),
                ),
            )
        ),
        status=found["status"],
        superseded_by=found["superseded_by"],
        voided=found["voided"],
        void=_void(found["void"]),
        parts=layout.lay_out(compiled, answers if isinstance(answers, dict) else {}, setting),
        problems=[_problem(problem, compiled, document) for problem in verdict["problems"]],
        comment=verdict["comment"],
        decided=t("record.decided", at=local(verdict["decided_at"]), by=_who(verdict["decided_by"])),
        versions=[version(each, found["record_id"]) for each in versions],
        pairs=duplicates.open_of(member, found["record_id"]),
        version_rows=[row for row in side_by_side(versions, in_full["versions"], setting) if row["changed"]],
        facts=_facts(found, compiled),
        masked=masked,
        may_review=may_review,
        may_unmask=may(member, "export.unmasked"),
        draft_comment=draft_comment,
    )


def _plain_answers(answers: Any) -> dict[str, Any]:
    items = answers.items() if isinstance(answers, dict) else ()
    return {name: value for name, value in items if isinstance(value, str | int | float)}


def side_by_side(
    shown: list[dict[str, Any]], in_full: list[dict[str, Any]], setting: layout.Setting
) -> list[dict[str, Any]]:
    """Every answer of some records, a cell for each; see `layout.compared`."""
    masked, known = ([_lay_out(each, setting) for each in items] for items in (shown, in_full))
    return layout.compared(masked, known, t("record.absent"))


def _lay_out(item: Mapping[str, Any], setting: layout.Setting) -> list[layout.Part]:
    compiled = forms().fitting(item["form_id"], item["form_version"]) or {}
    answers = item["answers"]
    return layout.lay_out(compiled, answers if isinstance(answers, dict) else {}, setting)


def _unit_words(found: Mapping[str, Any]) -> str:
    unit = found.get("unit") or {}
    entry = unit.get("entry") or {}
    name = entry.get("name") or entry.get("head_name") or ""
    number = found["household_id"] or found["point_id"] or found["roster_entry_id"] or ""
    return " ".join(filter(None, (str(number), str(name))))


def _unit_link(found: Mapping[str, Any]) -> dict[str, str] | None:
    unit = found.get("unit")
    if not unit:
        return None
    return {
        "words": t(f"unit.{unit['kind']}_page"),
        "href": unit_href(unit["kind"], unit["id"], unit["village_code"]),
    }


def _problem(
    problem: Mapping[str, Any], compiled: Mapping[str, Any], document: Mapping[str, Any]
) -> dict[str, Any]:
    confirmed = document.get("confirmed")
    pairs = (
        [(c.get("rule"), c.get("path")) for c in confirmed if isinstance(c, dict)]
        if isinstance(confirmed, list)
        else []
    )
    return {
        "severity": problem["severity"],
        "rule": problem["rule"],
        "place": layout.place_words(problem["path"], compiled, pick) or t("record.whole"),
        "words": pick(problem["message"]),
        "confirmed": (problem["rule"], problem["path"]) in pairs,
    }


def _who(decided_by: str) -> str:
    return t("record.by_intake") if decided_by == "intake" else api.who(decided_by)


def _void(void: Mapping[str, str] | None) -> dict[str, str] | None:
    if void is None:
        return None
    return {
        "by": t("record.voided_by", by=_who(void["by"]), at=local(void["at"])),
        "reason": void["reason"],
        "kept": void.get("duplicate_of", ""),
    }


def version(item: Mapping[str, Any], here: str = "") -> dict[str, Any]:
    """The head of a column: when and by whom, what became of it, why it corrects."""
    return {
        **seen(item),
        "here": item["record_id"] == here,
        "title": local(item["captured_at"] or item["received_at"]),
        "reason": _reason(item),
    }


def _reason(item: Mapping[str, Any]) -> str:
    """Why it corrects another, in the form's words."""
    compiled = forms().fitting(item["form_id"], item["form_version"]) or {}
    code = item["correction_reason"]
    listed = compiled.get("choices", {}).get("correction_reason", ())
    words = {choice["name"]: pick(choice["label"]) for choice in listed}
    return words.get(code, code) if isinstance(code, str) else ""


def _facts(found: Mapping[str, Any], compiled: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The envelope: who, when, with what; labels from the form."""
    document = found["document"]
    labels = {
        row["name"]: layout.label_of(row, pick) for row in questions(list(compiled.get("envelope", ())))
    }
    setting = layout.Setting(pick, t("yes"), t("no"), lambda _n, _q: {})
    rows = {row["name"]: row for row in questions(list(compiled.get("envelope", ())))}
    shown = [
        (
            labels.get(name, name),
            layout.answer_text(rows[name], value, setting, compiled.get("choices", {}))
            if name in rows
            else str(value),
            False,
        )
        for name, value in document.items()
        if not name.startswith("_") and name not in ("type", "answers", "confirmed")
    ]
    server = [
        (t("record.id"), found["record_id"], True),
        (t("field.received"), local(found["received_at"]), False),
        (t("record.writer"), found["writer"], True),
        (t("record.effective"), t("yes") if found["effective"] else t("no"), False),
    ]
    return [{"label": label, "text": text, "code": code} for label, text, code in [*server, *shown]]


def _photos(found: Mapping[str, Any], member: Staff, *, masked: bool) -> Any:
    """Photos of class P0 for all; others for reviewers only, because a face or a signature cannot be
    masked."""
    arrived = found["document"].get("_attachments") or {}

    def photo(name: str, question: Mapping[str, Any]) -> dict[str, str]:
        if name not in arrived:
            return {"href": "", "words": t("record.photo_coming")}
        if not may_see(member, question):
            return {"href": "", "words": t("record.photo_hidden")}
        return {"href": url_for("web.attachment", record_id=found["record_id"], name=name), "words": name}

    return photo


def may_see(member: Staff, question: Mapping[str, Any]) -> bool:
    return question.get("pii", "P2") == "P0" or may(member, "records.review")


@blueprint.get("/records/<path:record_id>/attachments/<path:name>")
@require_staff("records.read")
def attachment(record_id: str, name: str) -> Response:
    """A photo, a signature, a remark by voice."""
    return attachments.attachment(staff_for("records.read"), record_id, name)


SAID_ON_THE_PAGE = ("comment-missing", "void-reason", "voided-already", "not-voided")


@blueprint.post("/records/<path:record_id>/review")
@require_staff("records.review")
@require_csrf
def review(record_id: str) -> BaseResponse:
    member = staff_for("records.review")
    decision, comment = api.DECISIONS.get(request.form.get("decision", "")), request.form.get("comment", "")
    if decision is None or len(comment) > 500:
        raise Problem("invalid")
    try:
        api.review(member, record_id, decision, comment)
        flash(t(f"review.done_{decision}"), "good")
    except Problem as problem:
        if problem.code not in SAID_ON_THE_PAGE:
            raise
        told = problem.code == "comment-missing"
        flash(t("review.comment_missing") if told else problem.words(current())[1], "bad")
    return redirect(url_for("web.record", record_id=record_id), 303)
