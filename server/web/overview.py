"""The overview: the day's figures against the day before, a trend, and the areas below."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import render_template, request, url_for

from server import clock
from server.api import shapes
from server.api.access import own_area, staff_for
from server.api.beijing import today
from server.app import gridbook
from server.people.permissions import may
from server.people.staff import Staff
from server.people.web import require_staff
from server.readmodel import queries
from server.readmodel.kept import kept
from server.web import behind, language
from server.web import figures as layout
from server.web.asking import asked, level_of, path_to
from server.web.language import pick
from server.web.language import translate as t
from server.web.numbers import day_words, number
from server.web.pages import blueprint
from server.web.village_map import sync_state, village_map

TREND_DAYS = 14
BELOW = {"district": "town", "town": "village", "village": "grid"}


@blueprint.get("/")
@require_staff("figures.read")
def overview() -> str:
    member = staff_for("figures.read")
    query = asked(shapes.DayQuery)
    area, day = own_area(member, query.get("area")), query.get("day") or today()
    declaration = gridbook().declaration
    figures = of_day = _figures(area["code"], day)
    if (now := _now_if(day)) and (late := declaration.overdue):
        at_this_moment = queries.points_at(gridbook().readmodel, area["code"], now)
        figures = of_day | {late.id: of_day[late.id] | at_this_moment}
    before = _figures(area["code"], day - timedelta(days=1))
    opens = _opens(member, area, day)
    shown: dict[str, list[layout.Shown]] = {}
    for name, each in declaration.indicators.items():
        if layout.has_figure(each):
            addresses = opens(name, "day"), opens(name, "week")
            shown.setdefault(each.group, []).append(
                layout.shown(each, figures[name], before[name], pick, *addresses)
            )
    trend = _trend(area, day)
    quiet = _quiet(figures)
    return render_template(
        "overview.html",
        area=area,
        path=path_to(member, area),
        groups=[{**each, "title": pick(each["name"])} for each in layout.groups(declaration.groups, shown)],
        overdue=declaration.overdue.id if declaration.overdue else "",
        quiet=quiet,
        newest=_newest_day(member, area) if quiet else "",
        sync=sync_state(member, area, day),
        **_days(day),
        **trend,
        **village_map(area, day, (trend["indicator"] or {}).get("id", ""), _span()),
        # The areas' points overdue are those of the day's end: so is their total.
        **_table(member, area, day, of_day),
    )


def _figures(code: str, day: date) -> dict[str, Any]:
    rm, on = gridbook().readmodel, day.isoformat()
    return kept(rm).get(("figures", code, on), lambda: queries.figures(rm, code, on))


def _now_if(day: date) -> str | None:
    """Today's overdue points are those of this moment; the read model wants the moment to lie in the day
    by UTC."""
    moment = clock.stamp(clock.now())
    return moment if moment[:10] == day.isoformat() else None


def _quiet(figures: dict[str, Any]) -> bool:
    """Nothing that is counted by day."""
    known = gridbook().declaration.indicators
    return not any(each["value"] for name, each in figures.items() if not known[name].cumulative)


def _newest_day(member: Staff, area: dict[str, Any]) -> str:
    """The work date of the newest record, so that a quiet day can point to a busy one."""
    level = {"town": "town_code", "village": "village_code"}.get(area["level"])
    filters = queries.RecordFilters(**({level: area["code"]} if level else {}), effective=True)
    page = queries.records(gridbook().readmodel, filters, None, 1) if may(member, "records.read") else None
    return str(page.items[0]["work_date"]) if page and page.items else ""


def _days(day: date) -> dict[str, Any]:
    after = day + timedelta(days=1)
    return {
        "day": day.isoformat(),
        "today": today().isoformat(),
        "day_words": day_words(day, language.current()),
        "day_before": (day - timedelta(days=1)).isoformat(),
        "day_after": after.isoformat() if after <= today() else None,
    }


def _opens(member: Staff, area: dict[str, Any], day: date) -> Callable[[str, str], str]:
    """The address of what a figure counts, of the day or of seven days."""
    address, late = behind.address_of(member, day=day.isoformat()), gridbook().declaration.overdue

    def opens(indicator_id: str, span: str) -> str:
        # The page's figure is of this moment, and so is that list; rows behind a figure are of the day's end.
        if late and indicator_id == late.id and address and _now_if(day):
            return url_for("web.points", **level_of(area))
        return behind.href(address, indicator_id, area["code"], span="week" if span == "week" else None)

    return opens


def _trend(area: dict[str, Any], day: date) -> dict[str, Any]:
    known = gridbook().declaration.indicators
    chosen = known.get(request.args.get("indicator", ""), gridbook().declaration.first_lead)
    if chosen is None:
        return {"indicator": None, "trend": [], "trend_choices": []}
    first = (day - timedelta(days=TREND_DAYS - 1)).isoformat()
    rm, asked_for = gridbook().readmodel, (area["code"], chosen.id, first, day.isoformat())
    points = kept(rm).get(("trend", *asked_for), lambda: queries.trend(rm, *asked_for))
    percent = layout.is_share(chosen)
    return {
        "indicator": {
            "id": chosen.id,
            "name": pick(chosen.name),
            "percent": percent,
            "by_day": not chosen.cumulative,
        },
        "trend_choices": [
            {"id": each.id, "name": pick(each.name)} for each in known.values() if layout.has_figure(each)
        ],
        "trend": [
            {
                "day": point["day"][5:],
                "raw": "" if point["value"] is None else point["value"],
                "text": number(point["value"], percent=percent),
                "week": number(point.get("seven_days"), percent=percent),
            }
            for point in points
        ],
    }


def _table(member: Staff, area: dict[str, Any], day: date, own: dict[str, Any]) -> dict[str, Any]:
    known = gridbook().declaration.indicators
    grouped = [group for group in gridbook().declaration.groups.values() if group.columns]
    ids = [each for group in grouped for each in group.columns]
    sort = request.args.get("sort", "")
    sort = sort if sort.removeprefix("-") in ("area", *ids) else ""
    rm, code, on = gridbook().readmodel, area["code"], day.isoformat()
    found = (
        kept(rm).get(("table", code, on), lambda: queries.area_table(rm, code, on, ids))
        if area["level"] in BELOW
        else []
    )
    span = _span()
    cells = _Cells(behind.address_of(member, day=day.isoformat()), span)
    if span == "week":
        own, found = layout.of_week(own), [row | {"figures": layout.of_week(row["figures"])} for row in found]
    return {
        "child_level": BELOW.get(area["level"], "none"),
        "sort": {"given": sort},
        "span": span,
        "ranked": sort.removeprefix("-") not in ("", "area"),
        "column_groups": [{"title": pick(group.name), "span": len(group.columns)} for group in grouped],
        "columns": [_column("area", t(f"field.{BELOW.get(area['level'], 'village')}"), sort)]
        + [_column(each, pick(known[each].name), sort) for each in ids],
        "rows": [_row(row, ids, area, cells) for row in layout.sort_rows(found, sort)],
        "totals": [cells.cell(each, own[each], area["code"]) for each in ids],
    }


def _span() -> str:
    return "week" if request.args.get("span") == "week" else "day"


def _column(column: str, name: str, sort: str) -> dict[str, Any]:
    """Figures sort falling at the first click, names rising."""
    first, second = (column, f"-{column}") if column == "area" else (f"-{column}", column)
    direction = {column: "ascending", f"-{column}": "descending"}.get(sort or "area")
    return {"name": name, "sorted": direction, "sort_next": second if (sort or "area") == first else first}


def _row(row: dict[str, Any], ids: list[str], area: dict[str, Any], cells: _Cells) -> dict[str, Any]:
    """Grids have no page of their own; their figures open all the same."""
    code, name = row["area"]["code"], row["area"]["name"]
    if row["area"]["level"] == "grid":
        found = [cells.cell(each, row["figures"][each], area["code"], code) for each in ids]
        return {"code": code, "name": name or t("overview.no_grid"), "href": "", "cells": found}
    day = request.args.get("day")
    href = url_for("web.overview", area=code, day=day or None, span=request.args.get("span") or None)
    found = [cells.cell(each, row["figures"][each], code) for each in ids]
    return {"code": code, "name": name, "href": href, "cells": found}


@dataclass(frozen=True, slots=True)
class _Cells:
    """`address` is that of what is behind a figure, "" for who may not read it."""

    address: str
    span: str

    def cell(
        self, indicator_id: str, figure: dict[str, Any], area_code: str, grid: str | None = None
    ) -> dict[str, Any]:
        declaration = gridbook().declaration
        indicator = declaration.indicators[indicator_id]
        percent, value = layout.is_share(indicator), figure["value"]
        week = "week" if self.span == "week" and not indicator.cumulative else None
        return {
            "id": indicator_id,
            "text": number(value, percent=percent),
            "percent": value if percent and value is not None else None,
            "bar": percent and value is not None and declaration.groups[indicator.group].lead == indicator_id,
            "href": behind.href(self.address, indicator_id, area_code, span=week, grid=grid),
        }
