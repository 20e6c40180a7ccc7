"""Relief: what is due and what was handed out, by area, by item, and entry by entry."""

from __future__ import annotations

from typing import Any

from flask import render_template, request

from server.api import relief as api
from server.api import supply_shapes as shapes
from server.api.access import staff_for
from server.api.beijing import local, today
from server.app import gridbook
from server.people.permissions import may
from server.people.web import require_staff
from server.readmodel import queries
from server.readmodel.relief_queries import INDICATORS, SORTS, STANDINGS
from server.web.addresses import unit_href
from server.web.asking import Names, area_filters, around_list, asked, names
from server.web.choices import choice_label, items_in_words
from server.web.figures import sort_rows
from server.web.language import pick
from server.web.language import translate as t
from server.web.numbers import number
from server.web.pages import blueprint
from server.web.sorting import heads

PAGE = 100
COLUMNS = (
    ("", "roster_entry"),
    ("", "head"),
    ("", "category"),
    ("village", "village"),
    ("", "entitled"),
    ("", "delivered"),
    ("", "state"),
    ("waiting", "waiting"),
    ("", "reason"),
)
SHARE = "D3"


@blueprint.get("/roster")
@require_staff("register.read")
def roster() -> str:
    member = staff_for("register.read")
    query = asked(shapes.ReliefEntriesQuery, limit=str(PAGE))
    area, chosen = area_filters(member, query.get("area"))
    campaign = query.get("campaign") or None
    told = api.read(area, today(), campaign)
    found = api.entries(area["code"], today(), query)
    around = around_list(member, area, chosen, COLUMNS, SORTS, query, found.next_cursor)
    villages = names(around["villages"])
    opens = may(member, "records.read")
    return render_template(
        "relief.html",
        figures=_figures(told["figures"]),
        share=told["figures"][SHARE],
        share_text=number(told["figures"][SHARE]["value"], percent=True),
        items=_items(told["figures"]),
        table=_table(told["items"]),
        entries=[_entry(item, villages, opens=opens) for item in found.items],
        states=STANDINGS,
        campaigns=_campaigns(),
        **around,
    )


def _figures(figures: dict[str, Any]) -> list[dict[str, str]]:
    known = gridbook().declaration.indicators
    return [
        {
            "id": each,
            "name": pick(known[each].name),
            "text": number(figures[each]["value"]),
            "state": known[each].worked_on["state"],
        }
        for each in INDICATORS
        if "state" in known[each].worked_on
    ]


def _items(figures: dict[str, Any]) -> list[dict[str, Any]]:
    """What was handed out of each item, and what is due."""
    return [
        {
            "code": code,
            "name": choice_label("item", code),
            "done": number(part["numerator"]),
            "due": number(part["denominator"]),
            "share": number(part["value"], percent=True),
            "percent": part["value"],
        }
        for code, part in figures[SHARE].get("parts", {}).items()
    ]


def _table(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The areas right inside, with the share last but for the items."""
    known, by = gridbook().declaration.indicators, request.args.get("by", "")
    ids = [*(each for each in INDICATORS if each != SHARE), SHARE]
    by = by if by.removeprefix("-") in ("area", *ids) else "area"
    items = sorted({code for row in rows for code in row["figures"][SHARE].get("parts", {})})
    names = {each: pick(known[each].name) for each in ids}
    return {
        "columns": [
            *heads([("area", "area")], ("area",), by, "by"),
            *heads([(each, names[each]) for each in ids], tuple(ids), by, "by", named=True),
        ],
        "items": [choice_label("item", code) for code in items],
        "rows": [_row(row, ids, items) for row in sort_rows(rows, by)],
    }


def _row(row: dict[str, Any], ids: list[str], items: list[str]) -> dict[str, Any]:
    figures, parts = row["figures"], row["figures"][SHARE].get("parts", {})
    return {
        **row["area"],
        "cells": [number(figures[each]["value"], percent=each == SHARE) for each in ids],
        "percent": figures[SHARE]["value"],
        "items": [
            f"{number(parts[code]['numerator'])} / {number(parts[code]['denominator'])}"
            if code in parts
            else "—"
            for code in items
        ],
    }


def _entry(item: dict[str, Any], villages: Names, *, opens: bool) -> dict[str, Any]:
    entry, days = item["entry"], item["waiting_days"]
    return {
        "id": item["roster_entry_id"],
        "href": unit_href("roster_entry", item["roster_entry_id"], item["village_code"]) if opens else "",
        "head": entry.get("head_name", ""),
        "category": choice_label("special_group", entry.get("category")),
        "village": villages[item["village_code"]],
        "entitled": items_in_words(entry.get("entitlement", [])),
        "delivered": items_in_words(item["delivered"]),
        "state": item["state"],
        "over": item["over"],
        "waiting": "—" if days is None else t("points.days", n=days),
        "reason": _reason(item),
    }


def _reason(item: dict[str, Any]) -> str:
    """Why it was not delivered last; nothing for what was."""
    if item["state"] == "done":
        return ""
    if not item["attempts"]:
        return t("relief.never")
    words = [
        choice_label("delivery_result", item.get("last_result")),
        choice_label("undelivered_reason", item.get("last_reason")),
        t("relief.retry", at=local(item["retry_at"])) if item.get("retry_at") else "",
    ]
    return "；".join(filter(None, words))


def _campaigns() -> list[dict[str, str]]:
    """The office's come first; each register that has entries of one has its copy."""
    district = queries.district(gridbook().readmodel)
    found = (
        queries.units(gridbook().readmodel, "campaign", district["code"], None, 1000).items
        if district
        else []
    )
    by_id = {item["id"]: pick(item["entry"].get("name")) for item in found}
    return [{"id": campaign_id, "name": name} for campaign_id, name in sorted(by_id.items())]
