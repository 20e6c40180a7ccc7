"""A page's query: checked by the API's shapes, but empty fields of a form are no filters and unknown ones
are ignored."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from flask import request
from marshmallow import EXCLUDE, Schema, ValidationError

from server.api.access import own_area
from server.api.problems import Problem
from server.app import gridbook
from server.people.permissions import covers
from server.people.staff import Staff
from server.readmodel import queries
from server.web.sorting import heads


def asked(shape: type[Schema], **more: Any) -> dict[str, Any]:
    """The query, or the form that was posted, as `shape` reads it; town and village become `area`. Raises
    Problem("invalid") naming what is wrong."""
    fields = request.form if request.method == "POST" else request.args
    given = {name: value.strip() for name, value in fields.items() if value.strip()}
    given["area"] = given.get("village") or given.get("town") or given.get("area") or ""
    try:
        return dict(
            shape(unknown=EXCLUDE).load({name: value for name, value in (given | more).items() if value})
        )
    except ValidationError as error:
        raise Problem("invalid", errors={"query": error.messages}) from None


def path_to(member: Staff, area: dict[str, Any]) -> list[dict[str, Any]]:
    """The areas from the member's own down to `area`."""
    path = [area]
    while path[0]["code"] != member.area and path[0].get("parent"):
        above = queries.area(gridbook().readmodel, path[0]["parent"])
        if above is None or not covers(member.area, above["code"]):
            break
        path.insert(0, above)
    return path


def area_choices(member: Staff) -> dict[str, list[dict[str, Any]]]:
    """Towns and villages that the member may choose from: {towns, villages}."""
    found = [area for area in queries.areas(gridbook().readmodel) if covers(member.area, area["code"])]
    return {
        "towns": [area for area in found if area["level"] == "town"],
        "villages": [area for area in found if area["level"] == "village"],
    }


def level_of(area: Mapping[str, Any]) -> dict[str, Any]:
    """The area as a page's query names it: {town} or {village}; nothing for the whole district."""
    return {area["level"]: area["code"]} if area["level"] in ("town", "village") else {}


class Names(dict[str, str]):
    """What areas are called; a code that is none of theirs stands for itself."""

    def __missing__(self, code: str) -> str:
        return code


def names(areas: Iterable[dict[str, Any]]) -> Names:
    return Names({each["code"]: each["name"] for each in areas})


def area_filters(member: Staff, code: str | None) -> tuple[dict[str, Any], dict[str, str]]:
    """The area asked for, and which town and village that sets in the form's fields."""
    area = own_area(member, code)
    level = area["level"]
    town = area["code"] if level == "town" else area["parent"] if level == "village" else ""
    return area, {"town": town, "village": area["code"] if level == "village" else ""}


def around_list(
    member: Staff,
    area: dict[str, Any],
    chosen: dict[str, str],
    columns: Iterable[tuple[str, str]],
    sorts: Collection[str],
    query: dict[str, Any],
    next_cursor: str | None,
) -> dict[str, Any]:
    """What the page of a list below `area` has around its rows: where it is, the heads of its columns, where
    it goes on, and the fields of its filters."""
    return {
        "area": area,
        "path": path_to(member, area),
        "columns": heads(columns, sorts, query["sort"], "sort"),
        "next_cursor": next_cursor,
        "first": not request.args.get("cursor"),
        "query": query,
        "filters": chosen,
        **area_choices(member),
    }
