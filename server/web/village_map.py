"""The overview's map of the villages, one tile each, with the table that it is drawn from; and how well the
area is heard."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import quote

from flask import get_template_attribute, request, url_for
from markupsafe import Markup

from server.api.beijing import local
from server.api.villages import heard
from server.app import gridbook
from server.people.permissions import may
from server.people.staff import Staff
from server.readmodel import queries
from server.readmodel.kept import kept
from server.web import figures as layout
from server.web.asking import level_of, names
from server.web.numbers import number

WITH_MAP = ("district", "town")


def village_map(area: dict[str, Any], day: date, indicator_id: str, span: str) -> dict[str, Any]:
    """{map_rows: the table's rows as HTML, map_count, map_sort}: by town and code, or by value."""
    sort = request.args.get("tiles", "")
    sort = sort if sort in ("value", "-value") else ""
    if area["level"] not in WITH_MAP or not indicator_id:
        return {"map_rows": Markup(), "map_count": 0, "map_sort": sort}
    address = _address(day, indicator_id, span)
    rows, count = kept(gridbook().readmodel).get(
        ("map", area["code"], day, indicator_id, span, sort, address),
        lambda: _rows(area, day, indicator_id, span, sort, address),
    )
    return {"map_rows": rows, "map_count": count, "map_sort": sort}


def _rows(
    area: dict[str, Any], day: date, indicator_id: str, span: str, sort: str, address: str
) -> tuple[Markup, int]:
    """Hundreds of rows that say the same in every language, to whoever may see the area."""
    found = queries.village_table(gridbook().readmodel, area["code"], day.isoformat(), [indicator_id])
    if span == "week":
        found = [row | {"figures": layout.of_week(row["figures"])} for row in found]
    if sort:
        found = layout.sort_rows(found, sort.replace("value", indicator_id))
    towns = names(queries.areas(gridbook().readmodel, parent=area["code"]))
    percent = layout.is_share(gridbook().declaration.indicators[indicator_id])
    rows = []
    for row in found:
        town = towns.get(row["area"]["parent"], area["name"])
        rows.append(_tile(row, town, indicator_id, percent, address))
    return get_template_attribute("map_rows.html", "map_rows")(rows), len(rows)


def _address(day: date, indicator_id: str, span: str) -> str:
    """Of a village's overview, but for its code at the end: put together once, not for each of hundreds."""
    given = {"day": day.isoformat(), "span": span, "indicator": indicator_id}
    chosen: dict[str, Any] = {
        name: value if request.args.get(name) else None for name, value in given.items()
    }
    address = url_for("web.overview", **chosen)
    return f"{address}{'&' if '?' in address else '?'}area="


def _tile(row: dict[str, Any], town: str, indicator_id: str, percent: bool, address: str) -> dict[str, Any]:
    value = row["figures"][indicator_id]["value"]
    return {
        "town": town,
        "code": row["area"]["code"],
        "name": row["area"]["name"],
        "href": address + quote(row["area"]["code"], safe=""),
        "raw": "" if value is None else value,
        "text": number(value, percent=percent),
    }


def sync_state(member: Staff, area: dict[str, Any], day: date) -> dict[str, Any]:
    """What of the day may still be missing; each figure with the page that lists what is behind it."""
    found = heard(area, day)
    villages, phones, waiting, lists = (found[name] for name in ("villages", "devices", "waiting", "lists"))
    level = level_of(area)
    shown = {
        "day": day.isoformat(),
        **level,
    }
    records = may(member, "records.read")
    return {
        "villages": [
            {"state": state, "count": villages[state], "href": url_for("web.villages", state=state, **shown)}
            for state in ("reported", "nil", "silent")
        ],
        "phones": {
            **phones,
            "since": local(phones["since"]),
            "href": url_for("web.devices") if may(member, "devices.manage") else "",
        },
        "last": local(found.get("last_received_at")),
        "waiting": [
            {"status": status, "count": count, "href": _waiting_href(status, level) if records else ""}
            for status, count in waiting.items()
        ],
        "lists": {
            **lists,
            "text": number(lists["share"], percent=True),
            "href": url_for("web.lists") if may(member, "lists.reconcile") else "",
        },
    }


def _waiting_href(status: str, level: dict[str, str]) -> str:
    if status == "quarantined":
        return url_for("web.quarantine", **level)  # type: ignore[arg-type]
    if status == "unjudged":  # no list has them before they are judged
        return ""
    return url_for("web.records", status=status, **level)  # type: ignore[arg-type]
