"""The overview's map of the villages, one tile each, with the table that it is drawn from; and how well the
area is heard."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import quote

from flask import request, url_for
from markupsafe import Markup, escape

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
    begin, known = escape(address), {code: escape(name) for code, name in towns.items()}
    here = escape(area["name"])
    rows = [
        _tile(row["area"], row["figures"][indicator_id]["value"], percent, begin, known, here)
        for row in found
    ]
    return Markup("".join(rows)), len(rows)  # noqa: S704  of escaped pieces


def _address(day: date, indicator_id: str, span: str) -> str:
    """Of a village's overview, but for its code at the end: put together once, not for each of hundreds."""
    given = {"day": day.isoformat(), "span": span, "indicator": indicator_id}
    chosen: dict[str, Any] = {
        name: value if request.args.get(name) else None for name, value in given.items()
    }
    address = url_for("web.overview", **chosen)
    return f"{address}{'&' if '?' in address else '?'}area="


def _tile(
    village: Mapping[str, str],
    value: float | None,
    percent: bool,
    begin: Markup,
    towns: Mapping[str, Markup],
    here: Markup,
) -> str:
    """A row as HTML: on hundreds of them a template would spend a tenth of the page's time."""
    town, href = towns.get(village["parent"], here), begin + quote(village["code"], safe="")
    return (
        f'<tr><td>{town}</td><th scope="row"><a href="{href}">{escape(village["name"])}</a></th>'
        f'<td class="number" data-value="{"" if value is None else value}">'
        f"{number(value, percent=percent)}</td></tr>"
    )


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
