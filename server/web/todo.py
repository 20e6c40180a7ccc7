"""What is still to do: households not reached, points overdue."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import render_template, request

from server import clock
from server.api import shapes
from server.api.access import staff_for
from server.api.beijing import local, today
from server.api.registers import masked, paged
from server.app import gridbook
from server.people.permissions import may
from server.people.web import require_staff
from server.readmodel import queries
from server.web.addresses import unit_href
from server.web.asking import area_choices, area_filters, asked, path_to
from server.web.choices import choice_label
from server.web.language import translate as t
from server.web.pages import blueprint

PAGE = 100

Row = tuple[list[Any], tuple[str, str]]  # the cells; kind and id of the unit


@blueprint.get("/not-reached")
@require_staff("register.read")
def not_reached() -> str:
    query = asked(shapes.NotReachedQuery)
    day = (query.get("day") or today()).isoformat()
    return _listing(
        "not_reached",
        query,
        lambda code: queries.not_reached(gridbook().readmodel, code, day, query.get("cursor"), PAGE),
        _household,
        (
            "household",
            "head",
            "address",
            "village",
            "#attempts",
            "first_attempt",
            "last_visit",
            "last_result",
        ),
        with_day=True,
        day=day,
    )


def _household(item: dict[str, Any], village: str) -> Row:
    entry = item.get("entry") or {}
    result = choice_label("visit_result", item.get("last_result"))
    cells = [item["household_id"], entry.get("head_name", ""), entry.get("address", ""), village,
             item["attempts"],
             item.get("first_attempt_date", "—"), item.get("last_visit_date", "—"), result or
             t("not_reached.never")]  # fmt: skip
    return cells, ("household", item["household_id"])


@blueprint.get("/points")
@require_staff("register.read")
def points() -> str:
    query = asked(shapes.PointsQuery)
    moment = clock.stamp(query["at"].astimezone(UTC)) if query.get("at") else clock.stamp(clock.now())

    def point(item: dict[str, Any], village: str) -> Row:
        entry = item["entry"]
        place = choice_label("place_type", entry.get("place_type"))
        done = local(item.get("last_ended_at")) or t("points.never")
        interval = t("points.hours", n=entry["interval_h"]) if "interval_h" in entry else "—"
        cells = [entry.get("name") or item["point_id"], place, village, interval, done,
                 _overdue(item.get("next_due"), moment)]  # fmt: skip
        return cells, ("point", item["point_id"])

    return _listing(
        "points",
        query,
        lambda code: queries.points_overdue(gridbook().readmodel, code, moment, query.get("cursor"), PAGE),
        point,
        ("point", "place_type", "village", "interval", "last_done", "#overdue"),
        personal=False,
    )


def _overdue(due: str | None, now: str) -> str:
    if not due:
        return "—"
    try:
        hours = (datetime.fromisoformat(now) - datetime.fromisoformat(due)).total_seconds() / 3600
    except (TypeError, ValueError):
        return "—"
    return t("points.days", n=int(hours // 24)) if hours >= 48 else t("points.hours", n=max(0, int(hours)))


def _listing(
    page: str,
    query: dict[str, Any],
    ask: Callable[[str], queries.Page],
    cells: Callable[[dict[str, Any], str], Row],
    columns: tuple[str, ...],
    *,
    personal: bool = True,
    **more: Any,
) -> str:
    """`columns` beginning with # hold numbers. The first column opens the unit with its history."""
    member = staff_for("register.read")
    area, chosen = area_filters(member, query.get("area"))
    found = paged(lambda: ask(area["code"]))
    choices = area_choices(member)
    names = {each["code"]: each["name"] for each in choices["villages"]}
    opens = may(member, "records.read")
    items = []
    for item in found.items:
        row, (kind, unit_id) = cells(
            masked(item) if personal else item, names.get(item["village_code"], item["village_code"])
        )
        items.append({"cells": row, "href": unit_href(kind, unit_id, item["village_code"]) if opens else ""})
    return render_template(
        "listing.html",
        page=page,
        path=path_to(member, area),
        items=items,
        columns=[
            {"words": t(f"field.{name.lstrip('#')}"), "number": name.startswith("#")} for name in columns
        ],
        summary=t(f"{page}.summary", area=area["name"]),
        next_cursor=found.next_cursor,
        first=not request.args.get("cursor"),
        filters=chosen,
        today=today().isoformat(),
        with_day=more.pop("with_day", False),
        day=more.pop("day", ""),
        **choices,
    )
