"""Relief: the figures of one campaign or of all, and the roster's entries by how far each was served."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, or_, select

from server.readmodel import codec
from server.readmodel.area_queries import areas, roster_item
from server.readmodel.declaration import Component, Declaration
from server.readmodel.figures import Figure, Sums, add_to, figure, sums_by_area
from server.readmodel.model import ReadModel
from server.readmodel.paging import Page, clamp
from server.readmodel.selecting import active, keyset, within
from server.readmodel.tables import cells, units
from server.readmodel.unit_queries import state_of, unit_query

INDICATORS = ("D1", "D2", "D3", "D4", "D4_partial", "D5")
STANDINGS = ("outstanding", "open", "partial", "done", "over", "all")
SORTS = {
    "village": (units.c.village_code, units.c.unit_key),
    "waiting": (units.c.active_from, units.c.village_code, units.c.unit_key),
}


def relief_figures(
    rm: ReadModel, area_codes: Sequence[str], day: str, campaign_id: str | None = None
) -> dict[str, dict[str, Figure]]:
    """{area code: {indicator id: figure}} of INDICATORS at the end of `day`: as `figures` has them, or what
    one campaign adds to them. D3 has its parts by item."""
    wanted = [rm.declaration.indicators[name] for name in INDICATORS]
    with rm.engine.connect() as connection:
        if campaign_id is None:
            sums = sums_by_area(connection, area_codes, day, wanted)
        else:
            names = {name for indicator in wanted for name in indicator.components()}
            divisions = divided(rm.declaration)
            parts = {divisions[name].name: name for name in names if name in divisions}
            sums = _sums_of_campaign(connection, area_codes, day, parts, codec.key(campaign_id))
    return {code: {each.id: figure(each, sums[code]) for each in wanted} for code in area_codes}


def divided(declaration: Declaration) -> dict[str, Component]:
    """The components that divide others by campaign, by the name of what they divide."""
    found = declaration.components.values()
    return {each.said: each for each in found if each.of == "${campaign_id}"}


def _sums_of_campaign(
    connection: Connection, area_codes: Sequence[str], day: str, names: Mapping[str, str], campaign: str
) -> dict[str, Sums]:
    """As `sums_by_area` gives them, of what the campaign's entries add; `names`: components that divide, and
    what they divide."""
    of_campaign = or_(cells.c.part == campaign, cells.c.part.startswith(f"{campaign} ", autoescape=True))
    rows = connection.execute(
        select(cells.c.area_code, cells.c.component, cells.c.part, func.sum(cells.c.value))
        .where(cells.c.area_code.in_(area_codes), cells.c.component.in_(sorted(names)))
        .where(cells.c.day <= day, of_campaign)
        .group_by(cells.c.area_code, cells.c.component, cells.c.part)
    )
    result: dict[str, Sums] = {code: {} for code in area_codes}
    for code, component, part, value in rows:
        add_to(result[code], "so_far", names[component], part[len(campaign) :].strip(), int(value))
    return result


def relief_table(
    rm: ReadModel, area_code: str, day: str, campaign_id: str | None = None
) -> list[dict[str, Any]]:
    """[{area: {code, name, level}, figures}] of the areas right inside, which sum to its own figures."""
    inside = areas(rm, area_code)
    found = relief_figures(rm, [child["code"] for child in inside], day, campaign_id)
    return [
        {
            "area": {name: child[name] for name in ("code", "name", "level")},
            "figures": found[child["code"]],
        }
        for child in inside
    ]


def relief_entries(
    rm: ReadModel,
    area_code: str,
    day: str,
    *,
    standing: str = "outstanding",
    campaign_id: str | None = None,
    sort: str = "village",
    cursor: str | None = None,
    limit: int = 50,
) -> Page:
    """Roster entries active on `day` that stand as `standing` (of STANDINGS) says, as everything received
    leaves them: as `roster_outstanding` has them, with {active_from, over, last_reason?, retry_at?}. `sort`
    is of SORTS, falling with `-` before it. Raises BadCursor."""
    with rm.engine.connect() as connection:
        query = (
            unit_query()
            .where(units.c.kind == "roster_entry", units.c.registered, active(units, day))
            .where(within(units, area_code, connection), *_stands(standing, connection))
        )
        if campaign_id is not None:
            query = query.where(units.c.campaign_id == codec.key(campaign_id))
        name = "relief:" + codec.key(f"{area_code}:{day}:{standing}:{campaign_id}:{sort}")
        order = SORTS[sort.removeprefix("-")]
        rows, following = keyset(
            connection, name, query, order, cursor, clamp(limit), falling=sort.startswith("-")
        )
    return Page([_entry(row) for row in rows], following)


def _stands(standing: str, connection: Connection) -> list[ColumnElement[bool]]:
    state = func.coalesce(state_of(connection)["state"].as_string(), "open")
    stands: dict[str, list[ColumnElement[bool]]] = {
        "outstanding": [units.c.open],
        "open": [units.c.open, state == "open"],
        "partial": [units.c.open, state == "partial"],
        "done": [units.c.open.is_(False)],
        "over": [state_of(connection)["over"].as_boolean().is_(True)],
        "all": [],
    }
    return stands[standing]


def _entry(row: Any) -> dict[str, Any]:
    state = codec.decode(row.state)
    item = roster_item(row) | {"active_from": row.active_from, "over": state.get("over", False)}
    return item | {name: state[name] for name in ("last_reason", "retry_at") if name in state}
