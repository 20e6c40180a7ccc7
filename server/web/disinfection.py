"""Disinfection: points that are overdue by their own interval, how it was mixed, hints of misuse; by area, by
point and by record."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import render_template, request, url_for

from server.api import disinfection as api
from server.api import supply_shapes as shapes
from server.api.access import staff_for
from server.api.beijing import local, today
from server.app import gridbook
from server.people.permissions import may
from server.people.staff import Staff
from server.people.web import require_staff
from server.readmodel.disinfection_queries import (
    INDICATORS,
    POINT_SORTS,
    RECORD_SORTS,
    STANDINGS,
    findings,
    hint_rules,
)
from server.web.addresses import unit_href
from server.web.asking import Names, area_filters, around_list, asked, names
from server.web.choices import choice_label
from server.web.figures import is_share, with_unit
from server.web.language import pick
from server.web.language import translate as t
from server.web.numbers import number
from server.web.pages import blueprint
from server.web.sorting import heads

PAGE = 100
STANDING = ("due", "overdue", "never")
COLUMNS = (
    ("", "point"),
    ("", "place_type"),
    ("village", "village"),
    ("", "interval"),
    ("", "last_done"),
    ("", "hours_since"),
    ("due", "overdue"),
)
RECORD_COLUMNS = (
    ("", "point"),
    ("village", "village"),
    ("time", "done_at"),
    ("", "agent"),
    ("", "mix"),
    ("", "sprayed"),
    ("", "hints"),
)


@blueprint.get("/points")
@require_staff("register.read")
def points() -> str:
    member = staff_for("register.read")
    query = asked(shapes.PointListQuery, limit=str(PAGE))
    day = asked(shapes.DayQuery).get("day") or today()
    area, chosen = area_filters(member, query.get("area"))
    at = api.now()
    told, found = api.read(area, day, at), api.points(area["code"], at, query)
    around = around_list(member, area, chosen, COLUMNS, POINT_SORTS, query, found.next_cursor)
    villages = names(around["villages"])
    opens = may(member, "records.read")
    return render_template(
        "disinfection.html",
        day=day.isoformat(),
        today=today().isoformat(),
        standing=told["standing"],
        figures=_figures(told["figures"], member, area, day),
        mixes=_mixes(told["figures"], member, area, day),
        hints=_hints(told["figures"], member, area, day),
        table=_table(told["items"], day, opens=opens),
        items=[_item(item, villages, opens=opens) for item in found.items],
        states=STANDINGS,
        **around,
    )


def _figures(figures: dict[str, Any], member: Staff, area: dict[str, Any], day: date) -> list[dict[str, str]]:
    known = gridbook().declaration.indicators
    return [
        {
            "name": with_unit(pick(known[each].name), pick(known[each].unit)),
            "text": number(figures[each]["value"]),
            "href": _records(member, area, day, "all") if each == "C1" else "",
        }
        for each in INDICATORS
        if each not in ("C5", "C6")
    ]


def _mixes(figures: dict[str, Any], member: Staff, area: dict[str, Any], day: date) -> dict[str, Any]:
    found = figures["C5"]
    counts = {"right": found["numerator"], "wrong": found["denominator"] - found["numerator"]}
    return {
        "value": found["value"],
        "text": number(found["value"], percent=True),
        "rows": [
            {
                "words": t(f"points.finding_{name}"),
                "text": number(count),
                "href": _records(member, area, day, name),
            }
            for name, count in counts.items()
        ],
    }


def _hints(figures: dict[str, Any], member: Staff, area: dict[str, Any], day: date) -> list[dict[str, str]]:
    parts = figures["C6"].get("parts", {})
    return [
        {
            "rule": rule,
            "words": rule_words(rule),
            "text": number(parts.get(rule, {}).get("value", 0)),
            "href": _records(member, area, day, rule),
        }
        for rule in hint_rules(gridbook().declaration)
    ]


def rule_words(rule: str) -> str:
    """What the rule is about in a few words; a rule that has none goes by its number."""
    words = t(f"points.rule_{rule}")
    return rule if words.startswith("points.") else words


def _records(member: Staff, area: dict[str, Any], day: date, finding: str) -> str:
    if not may(member, "records.read"):
        return ""
    return url_for("web.disinfections", area=area["code"], day=day.isoformat(), finding=finding)


def _table(rows: list[dict[str, Any]], day: date, *, opens: bool) -> dict[str, Any]:
    """The areas right inside; of a village, its points."""
    known, by = gridbook().declaration.indicators, request.args.get("by", "")
    by = by if by.removeprefix("-") in ("area", *STANDING, *INDICATORS) else "area"
    of_points = any("point" in row for row in rows)
    words = {name: t(f"points.{name}_n") for name in STANDING} | {
        each: pick(known[each].name) for each in INDICATORS
    }
    return {
        "of_points": of_points,
        "columns": [
            *heads([("area", "point" if of_points else "area")], ("area",), by, "by"),
            *heads(list(words.items()), tuple(words), by, "by", named=True),
        ],
        "numbers": list(words),
        "rows": [_row(row, day, known, opens=opens) for row in _sorted(rows, by)],
    }


def _sorted(rows: list[dict[str, Any]], by: str) -> list[dict[str, Any]]:
    """Rows without a value come last."""
    name, falling = by.removeprefix("-"), by.startswith("-")

    def value(row: dict[str, Any]) -> Any:
        if name == "area":
            return str(row["point"]["id"] if "point" in row else row["area"]["code"])
        return row["standing"][name] if name in STANDING else row["figures"][name]["value"]

    known = sorted((row for row in rows if value(row) is not None), key=value, reverse=falling)
    return known + [row for row in rows if value(row) is None]


def _row(row: dict[str, Any], day: date, known: Any, *, opens: bool) -> dict[str, Any]:
    point = row.get("point")
    cells = [number(row["standing"][name]) for name in STANDING]
    cells += [number(row["figures"][each]["value"], percent=is_share(known[each])) for each in INDICATORS]
    if point is None:
        return {"name": row["area"]["name"], "area": row["area"]["code"], "href": "", "cells": cells}
    href = unit_href("point", point["id"], point["village_code"]) if opens else ""
    name = point["name"] or t("points.adhoc")
    return {"name": name, "area": "", "href": href if point["registered"] else "", "cells": cells}


def _item(item: dict[str, Any], villages: Names, *, opens: bool) -> dict[str, Any]:
    entry, hours = item["entry"], item["hours_since"]
    return {
        "name": entry.get("name") or item["point_id"],
        "href": unit_href("point", item["point_id"], item["village_code"]) if opens else "",
        "place_type": choice_label("place_type", entry.get("place_type")),
        "village": villages[item["village_code"]],
        "interval": t("points.hours", n=entry["interval_h"]) if "interval_h" in entry else "—",
        "last": local(item.get("last_ended_at")),
        "hours": "—" if hours is None else t("points.hours", n=number(hours)),
        "overdue": item["overdue"],
        "late": _late(item),
    }


def _late(item: dict[str, Any]) -> str:
    """By how much the interval has run out, of what was ever disinfected."""
    hours, interval = item["hours_since"], item["entry"].get("interval_h", 0)
    return t("points.late", n=number(max(0, hours - interval))) if hours is not None else t("points.never")


@blueprint.get("/disinfections")
@require_staff("records.read")
def disinfections() -> str:
    member = staff_for("records.read")
    query = asked(shapes.DisinfectionsQuery, limit=str(PAGE))
    day = query.get("day") or today()
    area, chosen = area_filters(member, query.get("area"))
    found = api.disinfections(area["code"], day, query)
    around = around_list(member, area, chosen, RECORD_COLUMNS, RECORD_SORTS, query, found.next_cursor)
    villages = names(around["villages"])
    opens = may(member, "register.read")
    return render_template(
        "disinfections.html",
        day=day.isoformat(),
        today=today().isoformat(),
        items=[_record(item, villages, opens=opens) for item in found.items],
        findings=[(each, _finding_words(each)) for each in findings(gridbook().declaration)],
        **around,
    )


def _finding_words(finding: str) -> str:
    return (
        rule_words(finding)
        if finding in hint_rules(gridbook().declaration)
        else t(f"points.finding_{finding}")
    )


def _record(item: dict[str, Any], villages: Names, *, opens: bool) -> dict[str, Any]:
    point = item["point_id"]
    mixed, aimed = item["conc_mgl"], item["target_mgl"]
    return {
        **item,
        "point": point or t("points.adhoc"),
        "point_href": unit_href("point", point, item["village_code"]) if point and opens else "",
        "record_href": url_for("web.record", record_id=item["record_id"]),
        "village": villages[item["village_code"]],
        "at": local(item["ended_at"]),
        "agent": choice_label("agent", item["agent"]),
        "method": choice_label("method", item["method"]),
        "mix": t("points.mixed", mixed=number(mixed), aimed=number(aimed)) if mixed and aimed else "",
        "sprayed": _sprayed(item),
        "hints": [rule_words(rule) for rule in item["hints"]],
    }


def _sprayed(item: dict[str, Any]) -> str:
    area, litres = item["area_m2"], item["solution_l"]
    told = t("points.area", n=number(area)) if area else ""
    if item["lpm2"] and area and litres:
        told += t("points.per_litre", litres=number(litres), n=number(area / litres))
    return told
