"""Stock: what each store holds by its books, with its last stocktake; and what an area's stores hold
together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Row, select

from server.readmodel import codec
from server.readmodel.books import tallies
from server.readmodel.model import ReadModel
from server.readmodel.paging import Page, clamp
from server.readmodel.selecting import keyset, within
from server.readmodel.tables import records, units
from server.readmodel.unit_queries import state_of, unit_query

COMPONENT = "stock"
INDICATORS = ("D7", "D7_in", "D7_out", "D7_used", "D7_damaged")
SORTS = {"village": (units.c.village_code, units.c.unit_key)}
SINCE = ("stock_in", "stock_out", "stock_used", "stock_damaged")

Line = dict[str, Any]


def stores(
    rm: ReadModel,
    area_code: str,
    *,
    item: str | None = None,
    differing: bool = False,
    sort: str = "village",
    cursor: str | None = None,
    limit: int = 50,
) -> Page:
    """Stores with something on their books, by SORTS (falling with `-`): [{station_id, name, village_code,
    town_code, registered, lines}]; a line is {item_code, unit, qty, tallies, since: {SINCE: qty}, counted?:
    {qty, before?, difference?, work_date, record_id, filler_id, counted_at}}. `item` leaves lines of one
    item, `differing` those that do not tally. Raises BadCursor."""
    unit = rm.declaration.components[COMPONENT].unit
    with rm.engine.connect() as connection:
        query = (
            unit_query()
            .where(units.c.kind == unit, units.c.state.contains('"balances":'))
            .where(within(units, area_code, connection))
        )
        if item is not None:
            query = query.where(units.c.state.contains(f'"name":{_begun(item)} ', autoescape=True))
        if differing:
            query = query.where(state_of(connection)["differs"].as_boolean().is_(True))
        name, order = f"stores:{area_code}:{differing}:{sort}:{codec.key(item or '')}", SORTS["village"]
        falling = sort.startswith("-")
        rows, following = keyset(connection, name, query, order, cursor, clamp(limit), falling=falling)
        found = [_store(row, item, differing) for row in rows]
        _add_counters(connection, found)
    return Page(found, following)


def _begun(text: str) -> str:
    """A text as it begins in JSON."""
    return codec.encode(codec.plain(text))[:-1]


def _store(row: Row[Any], item: str | None, differing: bool) -> dict[str, Any]:
    entry = codec.decode(row.entry) if row.entry else {}
    lines = [_line(line) for line in codec.decode(row.state)["balances"] if line["component"] == COMPONENT]
    return {
        "station_id": row.unit_id,
        "name": entry.get("name", ""),
        "village_code": row.village_code,
        "town_code": row.town_code,
        "registered": row.registered,
        "lines": [
            line
            for line in lines
            if item in (None, line["item_code"]) and not (differing and line["tallies"])
        ],
    }


def _line(line: Mapping[str, Any]) -> Line:
    item_code, _, unit = line["name"].partition(" ")
    told = {"item_code": item_code, "unit": unit, "qty": line["qty"], "tallies": tallies(dict(line))}
    told["since"] = {name: line["since"].get(name, 0) for name in SINCE}
    return told | ({"counted": dict(line["counted"])} if "counted" in line else {})


def _add_counters(connection: Connection, found: Iterable[dict[str, Any]]) -> None:
    """Who made each last stocktake, and when."""
    counts = [line["counted"] for store in found for line in store["lines"] if "counted" in line]
    if not counts:
        return
    rows = connection.execute(
        select(records.c.record_id, records.c.filler_id, records.c.happened_at).where(
            records.c.record_id.in_({count["record_id"] for count in counts}), records.c.effective
        )
    )
    known = {row.record_id: (row.filler_id, row.happened_at) for row in rows}
    for count in counts:
        count["filler_id"], count["counted_at"] = known.get(count["record_id"], (None, None))
