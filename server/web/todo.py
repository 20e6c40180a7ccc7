"""What is still to do: households not reached."""

from __future__ import annotations

from typing import Any

from flask import render_template, request

from server.api import shapes
from server.api.access import must_be_counted, staff_for
from server.api.beijing import today
from server.api.registers import masked, paged
from server.app import gridbook
from server.people.permissions import may
from server.people.web import require_staff
from server.readmodel import queries
from server.web.addresses import unit_href
from server.web.asking import Names, area_choices, area_filters, asked, names, path_to
from server.web.choices import choice_label
from server.web.language import translate as t
from server.web.pages import blueprint

PAGE = 100
# Those beginning with # hold numbers. The first opens the household with its history.
COLUMNS = (
    "household", "head", "address", "village", "#attempts", "first_attempt", "last_visit", "last_result",
)  # fmt: skip


@blueprint.get("/not-reached")
@require_staff("register.read")
def not_reached() -> str:
    member = staff_for("register.read")
    query = asked(shapes.NotReachedQuery)
    day = (query.get("day") or today()).isoformat()
    area, chosen = area_filters(member, query.get("area"))
    must_be_counted("households")
    found = paged(
        lambda: queries.not_reached(gridbook().readmodel, area["code"], day, query.get("cursor"), PAGE)
    )
    choices = area_choices(member)
    villages = names(choices["villages"])
    opens = may(member, "records.read")
    return render_template(
        "not_reached.html",
        path=path_to(member, area),
        items=[_household(masked(item), villages, opens=opens) for item in found.items],
        columns=[
            {"words": t(f"field.{name.lstrip('#')}"), "number": name.startswith("#")} for name in COLUMNS
        ],
        summary=t("not_reached.summary", area=area["name"]),
        next_cursor=found.next_cursor,
        first=not request.args.get("cursor"),
        filters=chosen,
        today=today().isoformat(),
        day=day,
        **choices,
    )


def _household(item: dict[str, Any], villages: Names, *, opens: bool) -> dict[str, Any]:
    entry, village = item.get("entry") or {}, item["village_code"]
    result = choice_label("visit_result", item.get("last_result"))
    cells = [item["household_id"], entry.get("head_name", ""), entry.get("address", ""),
             villages[village], item["attempts"],
             item.get("first_attempt_date", "—"), item.get("last_visit_date", "—"), result or
             t("not_reached.never")]  # fmt: skip
    return {"cells": cells, "href": unit_href("household", item["household_id"], village) if opens else ""}
