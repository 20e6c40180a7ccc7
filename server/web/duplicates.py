"""Suspected duplicates: the list of pairs, and one pair side by side with the decision about it."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from server.api import duplicates as api
from server.api import records, shapes
from server.api.access import staff_for
from server.api.beijing import local
from server.api.catalogue import forms
from server.api.problems import Problem
from server.people.permissions import may
from server.people.web import require_csrf, require_staff
from server.web import record_layout as layout
from server.web.asking import Names, area_choices, area_filters, asked, names
from server.web.language import pick
from server.web.language import translate as t
from server.web.pages import blueprint
from server.web.records import side_by_side, version

STATES = ("open", "decided")
REFUSALS = ("pair-decided", "pair-gone")
DECISIONS = ("kept_both", "merged")


@blueprint.get("/duplicates", endpoint="duplicates")
@require_staff("records.read")
def duplicates_page() -> str:
    member = staff_for("records.read")
    query = asked(shapes.PairQuery)
    _, chosen = area_filters(member, query.get("area"))
    found = api.listed(member, query)
    choices = area_choices(member)
    villages = names(choices["villages"])
    return render_template(
        "duplicates.html",
        items=[_row(item, villages) for item in found.items],
        next_cursor=found.next_cursor,
        first=not request.args.get("cursor"),
        query=query,
        filters=chosen,
        rules={name: pick(message) for name, message in api.rules().items()},
        states=STATES,
        **choices,
    )


def _row(item: dict[str, Any], villages: Names) -> dict[str, Any]:
    return {
        "pair": item["pair"],
        "unit": _unit(item),
        "village": villages[item["village_code"]],
        "records": [version(record) for record in item["records"]],
        "why": pick(api.rules().get(item["rule"] or "")),
        "since": local(item["since"]),
        "decided": _decided(item),
    }


def _unit(item: dict[str, Any]) -> str:
    """What the pair is about; an unlisted household has no number."""
    first = item["records"][0]
    unit = first["household_id"] or first["point_id"] or first["roster_entry_id"]
    return str(unit or t("record.no_unit"))


def _decided(item: dict[str, Any]) -> str:
    decision = api.told(item["decision"])
    if decision is None:
        return ""
    what = t(f"duplicates.{decision['decision']}")
    return t("duplicates.decided", by=records.who(decision["by"]), at=local(decision["at"]), what=what)


@blueprint.get("/duplicates/<pair>", endpoint="duplicate")
@require_staff("records.read")
def duplicate_page(pair: str) -> str:
    member = staff_for("records.read")
    item = api.one(member, pair)
    villages = names(area_choices(member)["villages"])
    masked = [records.masked_item(record) for record in item["records"]]
    setting = layout.Setting(pick, t("yes"), t("no"), _no_photo)
    rows = _circumstances(item["records"]) + side_by_side(masked, item["records"], setting)
    compiled = forms().fitting(masked[0]["form_id"], masked[0]["form_version"]) or {}
    differing = [row for row in rows if row["changed"]]
    everything = request.args.get("rows") == "all"
    return render_template(
        "duplicate.html",
        pair=pair,
        heading=t("duplicates.one", unit=_unit(item)),
        form=pick(compiled.get("title")),
        where=villages[item["village_code"]],
        why=pick(api.rules().get(item["rule"] or "")),
        versions=[version(record) for record in masked],
        rows=rows if everything else differing,
        everything=everything,
        differing=len(differing),
        decided=_decided(item),
        seen=item["decision"]["number"] if item["decision"] else 0,
        can_decide=item["open"],
        may_review=may(member, "records.review"),
    )


def _no_photo(name: str, question: Any) -> dict[str, str]:
    return {"href": "", "words": name}


def _circumstances(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Which day, who, by which phone: what tells two records of one thing apart."""
    shown = (("field.work_date", "work_date"), ("field.filler", "filler_id"), ("field.device", "device_id"))
    cells = [(t(words), [str(item[name] or "—") for item in items]) for words, name in shown]
    cells.append((t("field.received"), [local(item["received_at"]) for item in items]))
    return [
        {"label": label, "cells": values, "changed": len(set(values)) > 1, "hidden": False}
        for label, values in cells
    ]


@blueprint.post("/duplicates/<pair>/decision")
@require_staff("records.review")
@require_csrf
def duplicate_decision(pair: str) -> BaseResponse:
    member, given = staff_for("records.review"), request.form
    what, seen, comment = given.get("decision", ""), given.get("seen", ""), given.get("comment", "")
    if (
        what not in DECISIONS
        or not (seen.isascii() and seen.isdigit() and len(seen) < 5)
        or len(comment) > 500
    ):
        raise Problem("invalid")
    try:
        api.decide(
            member,
            pair,
            {"decision": what, "keep": given.get("keep"), "seen": int(seen), "comment": comment},
        )
        flash(t(f"duplicates.done_{what}"), "good")
    except Problem as problem:
        if problem.code not in REFUSALS:
            raise
        flash(problem.words(t("lang"))[1], "bad")
        return redirect(url_for("web.duplicate", pair=pair), 303)
    return redirect(url_for("web.duplicates"), 303)
