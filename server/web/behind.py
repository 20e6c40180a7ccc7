"""What stands behind a figure: its numbers, the areas below, and everything that one number counts, row by
row."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from flask import render_template, request, url_for
from marshmallow import fields, validate

from server.api import behind as api
from server.api import behind_shapes as shapes
from server.api import bulletins
from server.api.access import staff_for
from server.api.beijing import local, today
from server.api.problems import Problem
from server.app import gridbook
from server.bulletins import archive
from server.bulletins.refusals import Refused
from server.people.permissions import may
from server.people.staff import Staff
from server.people.web import require_staff
from server.readmodel import queries
from server.readmodel.disinfection_queries import hint_rules
from server.web import figures as layout
from server.web.addresses import unit_href
from server.web.asking import Names, area_choices, area_filters, asked, level_of, names, path_to
from server.web.choices import choice_label
from server.web.frame import here
from server.web.language import pick
from server.web.language import translate as t
from server.web.numbers import number
from server.web.pages import blueprint

PAGE = 50
HREFS_KEPT = 1024  # an overview has some two hundred
READS = ("register.read", "records.read")
# Where an indicator's `worked_on` leads; the first of them show a day.
OF_DAY = ("not_reached",)
WORKED_ON = (*OF_DAY, "points", "roster", "exceptions")


def address_of(member: Staff, **query: str | None) -> str:
    """Of the page behind a figure, up to `indicator` and the area, which come last; "" for who may not read
    it."""
    if not all(may(member, action) for action in READS):
        return ""
    kept = {name: value for name, value in query.items() if value}
    return f"{url_for('web.figure')}?{urlencode(kept)}{'&' if kept else ''}"


@lru_cache(HREFS_KEPT)
def href(address: str, indicator_id: str, area_code: str, **more: str | None) -> str:
    """`address` with what it counts, and where."""
    if not address:
        return ""
    asked_for = {"indicator": indicator_id, "area": area_code, **more}
    return address + urlencode({name: value for name, value in asked_for.items() if value})


class _Query(shapes.BehindQuery):
    """Besides, the number of the bulletin that led here."""

    bulletin = fields.String(validate=validate.Regexp(rf"^{archive.NUMBER.pattern}$"))


@blueprint.get("/figure")
@require_staff("register.read")
def figure() -> str:
    staff_for("register.read")
    member = staff_for("records.read")
    query = asked(_Query, limit=str(PAGE))
    area, chosen = area_filters(member, query.get("area"))
    day = query.get("day") or today()
    side, grid = api.one_side(query, day), api.one_grid(query, area)
    page = api.page(member, side, area["code"], grid, query.get("cursor"), PAGE)
    indicator, percent = side.indicator, layout.is_share(side.indicator)
    figures = _figures(side, area, grid)
    called = names(queries.areas(gridbook().readmodel))
    return render_template(
        "figure.html",
        area=area,
        path=path_to(member, area),
        grid=called.get(grid, t("figure.no_grid")) if grid else "",
        given_grid=grid,
        indicator=indicator,
        name=layout.with_unit(pick(indicator.name), "" if percent else pick(indicator.unit)),
        note=pick(indicator.note),
        headline=number(side.of_span(figures)["value"], percent=percent),
        sides=_sides(side, figures),
        parts=_parts(side, figures),
        spans=() if indicator.cumulative else queries.SPANS,
        side=side,
        total=_total(side, area, grid),
        frozen=_frozen(query.get("bulletin"), side, area, figures) if grid is None else None,
        below=_below(side, area) if grid is None else [],
        below_level={"district": "town", "town": "village"}.get(area["level"], "grid"),
        rows=[_row(item, called) for item in page.items],
        counts_one=all(item["amount"] == 1 for item in page.items),
        with_ranges=any("parts" in item for item in page.items),
        next_cursor=page.next_cursor,
        first=not request.args.get("cursor"),
        worked_on=_worked_on(indicator.id, area, day),
        as_records=_as_records(side, area) if grid is None else "",
        filters=chosen,
        day=day.isoformat(),
        today=today().isoformat(),
        **area_choices(member),
    )


def _figures(side: queries.Side, area: Mapping[str, Any], grid: str | None) -> dict[str, Any]:
    """The whole figure of the area or the grid."""
    rm, name = gridbook().readmodel, side.indicator.id
    if grid is None:
        return queries.figures(rm, area["code"], side.day, [name])[name]
    rows = queries.area_table(rm, area["code"], side.day, [name])
    empty: dict[str, Any] = {"value": None, "parts": {}}
    found = [row["figures"][name] for row in rows if row["area"]["code"] == grid]
    return found[0] if found else {**empty, "seven_days": empty}


def _frozen(
    number_given: str | None, side: queries.Side, area: Mapping[str, Any], figures: Mapping[str, Any]
) -> dict[str, Any] | None:
    """{number, until, figure, now, same}: what that bulletin of the day froze; None where it does not tell
    this, or for who may not read it."""
    if number_given is None:
        return None
    try:
        bulletins.reader()
        content = archive.content(gridbook().store, number_given)
    except (Problem, Refused):
        return None
    told = content["figures"].get(area["code"], {}).get(side.indicator.id)
    if told is None or content["day"] != side.day or (side.span == "week" and "seven_days" not in told):
        return None
    before, now = side.told(told), side.told(figures)
    return {
        "number": number_given,
        "until": local(content["as_of"]),
        "figure": number(before),
        "now": number(now),
        "same": round(now - before, 6) == 0,
    }


def _sides(side: queries.Side, figures: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The numbers to choose from, where there are several."""
    known = queries.sides_of(side.indicator, side.part or None)
    day, span, part = side.day, side.span, side.part or None
    sides = [queries.side(side.indicator, day, span, of, part) for of in known]
    return [
        {
            "words": t(f"figure.of_{each.of}"),
            "text": number(each.told(figures)),
            "here": each.of == side.of,
            "href": here(of=each.of),
        }
        for each in sides
        if len(sides) > 1
    ]


def _parts(side: queries.Side, figures: Mapping[str, Any]) -> list[dict[str, Any]]:
    parts = side.of_span(figures).get("parts", {})
    percent = bool(side.indicator.parts_numerator)
    rows = [
        {
            "words": part_words(side.indicator, part),
            "text": number(each["value"], percent=percent),
            "here": part == side.part,
            "href": here(part=part, of=None),
        }
        for part, each in parts.items()
    ]
    if not rows or not queries.sides_of(side.indicator):
        return rows
    whole = {"words": t("figure.whole"), "text": "", "here": not side.part, "href": here(part=None, of=None)}
    return [whole, *rows]


def part_words(indicator: Any, part: str) -> str:
    """`MASK piece` as the item and its unit, a place by its name, a range by its end, a rule by what it says;
    else the code."""
    if indicator.percentile is not None:
        return t("figure.up_to", n=part)
    rule = next((each for each in gridbook().declaration.rules.values() if each.rule == part), None)
    if rule or part in hint_rules(gridbook().declaration):
        return pick(rule.message) if rule else t(f"points.rule_{part}")
    item, _, unit = part.partition(" ")
    named = next(
        (words for words in (choice_label(each, item) for each in PART_LISTS) if words != item), item
    )
    return f"{named} {choice_label('unit', unit)}".strip()


# The choices that parts are told by: items, and where people come from.
PART_LISTS = ("item", "city", "province")


def _total(side: queries.Side, area: Mapping[str, Any], grid: str | None) -> dict[str, Any]:
    found = api.total(side, area["code"], grid)
    return {
        "figure": number(found["figure"]),
        "sum": None if found["sum"] is None else number(found["sum"]),
        "units": found["units"],
        "agrees": found["sum"] is None or round(found["sum"] - found["figure"], 6) == 0,
    }


def _below(side: queries.Side, area: Mapping[str, Any]) -> list[dict[str, str]]:
    """The areas right inside that add something; they sum to the number."""
    name = side.indicator.id
    rows = queries.area_table(gridbook().readmodel, area["code"], side.day, [name])
    found = [(row["area"], side.told(row["figures"][name])) for row in rows]
    return [
        {
            "name": each["name"] or t("figure.no_grid"),
            "text": number(value),
            "href": here(grid=each["code"]) if each["level"] == "grid" else _here_in(each["code"]),
        }
        for each, value in found
        if value
    ]


def _here_in(area_code: str) -> str:
    return here(area=area_code, town=None, village=None, grid=None)


def _row(item: Mapping[str, Any], called: Names) -> dict[str, Any]:
    entry, answers = item.get("entry") or {}, item.get("answers") or {}
    village = item["village_code"]
    name = entry.get("head_name") or entry.get("name") or answers.get("person_name") or ""
    kind, unit_id = item["kind"], item["id"]
    if kind not in gridbook().declaration.units and item.get("household_id"):
        kind, unit_id = "household", item["household_id"]
    return {
        "id": _unit_words(item),
        "name": pick(name),
        "href": unit_href(kind, unit_id, village) if kind in gridbook().declaration.units else "",
        "village": called[village],
        "grid": called.get(item["grid_code"], t("figure.no_grid")),
        "amount": number(item["amount"]),
        "ranges": "、".join(
            f"{t('figure.up_to', n=part)} ×{number(n)}" for part, n in item.get("parts", {}).items()
        ),
        "records": [
            {"day": each["work_date"], "href": url_for("web.record", record_id=each["record_id"])}
            for each in item["records"]
        ],
    }


def _unit_words(item: Mapping[str, Any]) -> str:
    """A unit by its id; one that no register lists by what it is."""
    kind, unit_id = item["kind"], item["id"]
    if unit_id.startswith("~"):
        return t("figure.unlisted")
    return unit_id or item.get("household_id") or t(f"figure.kind_{kind}")


def _as_records(side: queries.Side, area: Mapping[str, Any]) -> str:
    """The list of records, where the number counts those and nothing narrower is asked for."""
    if side.part or not queries.counts_records(gridbook().declaration, side.indicator, side.of):
        return ""
    days: dict[str, Any] = {"from": side.first_day, "to": side.day}
    return url_for("web.records", behind=side.indicator.id, of=side.of, **days, **level_of(area))


def _worked_on(indicator_id: str, area: Mapping[str, Any], day: date) -> str:
    """The page on which staff work with what the figure counts, as it is now."""
    wanted = dict(gridbook().declaration.indicators[indicator_id].worked_on)
    page = wanted.pop("page", "")
    if page not in WORKED_ON:
        return ""
    of_day = {"day": day.isoformat()} if page in OF_DAY else {}
    return url_for(f"web.{page}", **(wanted | of_day | level_of(area)))
