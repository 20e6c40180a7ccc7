"""Stock: what the stores hold by item, and store by store against the last stocktake."""

from __future__ import annotations

from typing import Any

from flask import render_template, request, url_for

from server.api import stock as api
from server.api import supply_shapes as shapes
from server.api.access import staff_for
from server.api.beijing import local, today
from server.api.catalogue import forms
from server.people.permissions import may
from server.people.web import require_staff
from server.readmodel.stock_queries import INDICATORS, SINCE, SORTS
from server.web.addresses import unit_href
from server.web.asking import Names, area_filters, around_list, asked, names
from server.web.choices import choice_label
from server.web.language import pick
from server.web.language import translate as t
from server.web.numbers import number
from server.web.pages import blueprint
from server.web.sorting import heads

PAGE = 50
COLUMNS = (
    ("", "store"),
    ("village", "village"),
    ("", "item"),
    ("", "balance"),
    ("", "counted"),
    ("", "difference"),
    ("", "stock_in"),
    ("", "stock_out"),
    ("", "stock_used"),
    ("", "stock_damaged"),
)
FORM = "stock_movement"


@blueprint.get("/stock")
@require_staff("register.read")
def stock() -> str:
    member = staff_for("register.read")
    query = asked(shapes.StoresQuery, limit=str(PAGE))
    area, chosen = area_filters(member, query.get("area"))
    told, found = api.read(area, today()), api.stores(area["code"], query)
    around = around_list(member, area, chosen, COLUMNS, SORTS, query, found.next_cursor)
    villages = names(around["villages"])
    opens = may(member, "records.read")
    item = query.get("item", "")
    return render_template(
        "stock.html",
        totals=_totals(told["figures"], item),
        table=_table(told["items"], item) if item else None,
        lines=[_line(store, line, villages, opens=opens) for store in found.items for line in store["lines"]],
        items=_items(),
        **around,
    )


def _items() -> list[dict[str, str]]:
    """The items that the form knows."""
    versions = forms().versions.get(FORM, ())
    known = versions[-1].get("choices", {}).get("item", ()) if versions else ()
    return [{"code": each["name"], "name": pick(each["label"])} for each in known]


def _names(part: str) -> tuple[str, str]:
    """Item and unit of a part, in words."""
    item, _, unit = part.partition(" ")
    return choice_label("item", item), choice_label("unit", unit)


def _parts(figures: dict[str, Any], item: str) -> list[str]:
    """The lines that the area has, or those of one item."""
    found = {part for each in INDICATORS for part in figures[each].get("parts", {})}
    return sorted(part for part in found if item in ("", part.partition(" ")[0]))


def _of(figures: dict[str, Any], indicator: str, part: str) -> float:
    value: float = figures[indicator].get("parts", {}).get(part, {}).get("value", 0)
    return value


def _totals(figures: dict[str, Any], item: str) -> list[dict[str, Any]]:
    return [
        {
            "item": _names(part)[0],
            "unit": _names(part)[1],
            "code": part.partition(" ")[0],
            "cells": [number(_of(figures, each, part)) for each in INDICATORS],
            "negative": _of(figures, INDICATORS[0], part) < 0,
        }
        for part in _parts(figures, item)
    ]


def _table(rows: list[dict[str, Any]], item: str) -> dict[str, Any]:
    """What the areas right inside hold of one item; by the name of the area or by a unit's balance."""
    parts = sorted({part for row in rows for part in _parts(row["figures"], item)})
    by = request.args.get("by", "")
    by = by if by.removeprefix("-") in ("area", *parts) else "area"
    name, falling = by.removeprefix("-"), by.startswith("-")

    def key(row: dict[str, Any]) -> Any:
        return row["area"]["code"] if name == "area" else _of(row["figures"], INDICATORS[0], name)

    return {
        "columns": [
            *heads([("area", "area")], ("area",), by, "by"),
            *heads([(part, "，".join(_names(part))) for part in parts], parts, by, "by", named=True),
        ],
        "numbers": parts,
        "rows": [
            {
                **row["area"],
                "cells": [number(_of(row["figures"], INDICATORS[0], part)) for part in parts],
            }
            for row in sorted(rows, key=key, reverse=falling)
        ],
    }


def _line(store: dict[str, Any], line: dict[str, Any], villages: Names, *, opens: bool) -> dict[str, Any]:
    count, unit = line.get("counted"), choice_label("unit", line["unit"])
    shown = opens and store["registered"]
    return {
        "store": store["name"] or store["station_id"],
        "href": unit_href("station", store["station_id"], store["village_code"]) if shown else "",
        "village": villages[store["village_code"]],
        "item": choice_label("item", line["item_code"]),
        "unit": unit,
        "qty": number(line["qty"]),
        "negative": line["qty"] < 0,
        "since": [{"name": name, "text": number(line["since"][name])} for name in SINCE],
        "count": _count(count, opens=opens) if count else None,
    }


def _count(count: dict[str, Any], *, opens: bool) -> dict[str, Any]:
    difference = count.get("difference")
    return {
        "qty": number(count["qty"]),
        "at": local(count["counted_at"]) or count["work_date"],
        "by": count["filler_id"] or "—",
        "href": url_for("web.record", record_id=count["record_id"]) if opens else "",
        "difference": _difference(difference),
        "differs": bool(difference),
    }


def _difference(difference: float | None) -> str:
    if difference is None:
        return t("stock.first_count")
    if not difference:
        return t("stock.agrees")
    return ("+" if difference > 0 else "−") + number(abs(difference))
