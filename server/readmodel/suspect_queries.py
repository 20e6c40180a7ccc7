"""Pairs of records that may say the same: those that wait for a decision, and what was decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Connection, Row, Select, and_, or_, select

from server.readmodel import codec
from server.readmodel.model import ReadModel
from server.readmodel.paging import Page, clamp, decode_cursor, encode_cursor
from server.readmodel.record_queries import record_item
from server.readmodel.tables import duplicates, records, suspects

KEPT_BOTH = "kept_both"


@dataclass(frozen=True, slots=True)
class PairFilters:
    """`area` is the code of a district, a town or a village; `rule` the name of a rule that suspects."""

    area: str
    rule: str | None = None


def suspected_pairs(rm: ReadModel, filters: PairFilters, cursor: str | None = None, limit: int = 50) -> Page:
    """Those that nobody decided to keep, the latest first: {pair, rule, unit_kind, unit_id, village_code,
    since, decision, records: two as a page of records lists them, the earlier first}. Raises BadCursor."""
    query = _open()
    if len(filters.area) > 6:
        level = suspects.c.town_code if len(filters.area) == 9 else suspects.c.village_code
        query = query.where(level == filters.area)
    if filters.rule:
        query = query.where(suspects.c.rule == filters.rule)
    name = f"suspects:{filters.area}:{filters.rule or ''}"
    return _page(rm, name, query, (suspects.c.since, suspects.c.pair_key), cursor, limit, _suspect_item)


def suspected_pairs_of(rm: ReadModel, record_id: str) -> list[dict[str, Any]]:
    """Those that hold the record."""
    either = or_(suspects.c.first_id == record_id, suspects.c.second_id == record_id)
    with rm.engine.connect() as connection:
        items = [_suspect_item(row) for row in connection.execute(_open().where(either).limit(50))]
        _add_records(connection, items)
    return items


def _open() -> Select[Any]:
    undecided = duplicates.c.decision.is_(None)
    return _suspected().where(or_(undecided, duplicates.c.decision != KEPT_BOTH))


def decided_pairs(rm: ReadModel, filters: PairFilters, cursor: str | None = None, limit: int = 50) -> Page:
    """Those that were decided, the last decision first, in the shape of `suspected_pairs`."""
    query = select(duplicates)
    if len(filters.area) > 6:
        query = query.where(duplicates.c.village_code.startswith(filters.area, autoescape=True))
    order = (duplicates.c.decided_at, duplicates.c.pair_key)
    return _page(rm, f"duplicates:{filters.area}", query, order, cursor, limit, _decided_item)


def pair(rm: ReadModel, pair_key: str) -> dict[str, Any] | None:
    """One pair, suspected or decided; `open` says whether it can be decided now. None when there is none."""
    with rm.engine.connect() as connection:
        row = connection.execute(_suspected().where(suspects.c.pair_key == pair_key)).first()
        decided = connection.execute(select(duplicates).where(duplicates.c.pair_key == pair_key)).first()
        if row is None and decided is None:
            return None
        found = _suspect_item(row) if row is not None else _decided_item(cast(Row[Any], decided))
        _add_records(connection, [found])
    return found | {"open": row is not None}


def _suspected() -> Select[Any]:
    return select(suspects, duplicates.c.doc).outerjoin(
        duplicates, duplicates.c.pair_key == suspects.c.pair_key
    )


def _page(
    rm: ReadModel, name: str, query: Select[Any], order: Any, cursor: str | None, limit: int, item: Any
) -> Page:
    limit = clamp(limit)
    at, key = order
    place = decode_cursor(name, cursor, 2)
    if place:
        query = query.where(at <= place[0], or_(at < place[0], and_(at == place[0], key < place[1])))
    with rm.engine.connect() as connection:
        rows = connection.execute(query.order_by(at.desc(), key.desc()).limit(limit + 1)).all()
        items = [item(row) for row in rows[:limit]]
        _add_records(connection, items)
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(items, encode_cursor(name, [getattr(last, at.name), last.pair_key]) if last else None)


def _suspect_item(row: Row[Any]) -> dict[str, Any]:
    names = ("rule", "unit_kind", "unit_id", "village_code", "since")
    return {name: getattr(row, name) for name in names} | {
        "pair": row.pair_key,
        "record_ids": [row.first_id, row.second_id],
        "decision": codec.decode(row.doc) if row.doc else None,
    }


def _decided_item(row: Row[Any]) -> dict[str, Any]:
    doc = codec.decode(row.doc)
    return {
        "pair": row.pair_key,
        "rule": None,
        "village_code": row.village_code,
        "since": row.decided_at,
        "record_ids": doc["record_ids"],
        "decision": doc,
    }


def _add_records(connection: Connection, items: Sequence[dict[str, Any]]) -> None:
    ids = {record_id for item in items for record_id in item["record_ids"]}
    query = select(records).where(records.c.record_id.in_(ids)).order_by(records.c.effective)
    found = {row.record_id: record_item(row) for row in connection.execute(query)} if ids else {}
    for item in items:
        item["records"] = [found[each] for each in item["record_ids"] if each in found]
