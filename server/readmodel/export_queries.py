"""All records of a form in order of receipt, a page at a time: no transaction stays open between two pages,
however slow the reader is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import CursorResult, LargeBinary, Select, cast, func, select, tuple_

from server.readmodel import codec
from server.readmodel.model import ReadModel
from server.readmodel.paging import decode_cursor, encode_cursor
from server.readmodel.record_filters import RecordFilters, filtered
from server.readmodel.record_queries import KEPT_COLUMNS
from server.readmodel.tables import records

ROWS_AT_ONCE = 500  # what a processor keeps close by

Place = tuple[str, str, str]  # received_at, record_id, db
_ORDER = (records.c.received_at, records.c.record_id, records.c.db)
_RECORD_ID, _RECEIVED_AT, _DB = (
    KEPT_COLUMNS.index("record_id"),
    KEPT_COLUMNS.index("received_at"),
    len(KEPT_COLUMNS) + 2,
)
_BESIDE_DOC = (
    *(records.c[name] for name in KEPT_COLUMNS),
    *(records.c.voided, records.c.void, records.c.db),
)


def _shown(rm: ReadModel) -> Select[Any]:
    """From SQLite the document comes as bytes: as text it would be decoded and encoded again."""
    as_bytes = rm.engine.dialect.name == "sqlite"
    return select(*_BESIDE_DOC, cast(records.c.doc, LargeBinary) if as_bytes else records.c.doc)


@dataclass(frozen=True, slots=True)
class Span:
    """Records after the place `after` and up to `until`; None is the beginning, or no end."""

    after: Place | None = None
    until: Place | None = None


def export_pages(
    rm: ReadModel, filters: RecordFilters, span: Span, holding: str | None = None, rows: int = ROWS_AT_ONCE
) -> Iterator[Sequence[Any]]:
    """Pages of `rows` rows (KEPT_COLUMNS, voided, void, db, doc); on SQLite a truth is 0 or 1, and doc is
    bytes. With `holding` only those whose document has this text somewhere."""
    query = _within(rm, _shown(rm), filters, span).order_by(*_ORDER).limit(rows)
    if holding:
        query = query.where(records.c.doc.contains(holding, autoescape=True))
    place = span.after
    while True:
        with rm.engine.connect() as connection:
            page = _fetched(connection.execute(query if place is None else query.where(_after(place))))
        if page:
            yield page
        if len(page) < rows:
            return
        place = place_of(page[-1])


def export_one(rm: ReadModel, filters: RecordFilters, record_id: str) -> Sequence[Any] | None:
    """The record of this id as `export_pages` has it, the one that came first; None when there is none."""
    query = filtered(rm.declaration, _shown(rm), filters).where(records.c.record_id == record_id)
    with rm.engine.connect() as connection:
        page = _fetched(connection.execute(query.order_by(*_ORDER).limit(1)))
    return page[0] if page else None


def _fetched(result: CursorResult[Any]) -> Sequence[Any]:
    """The driver's own tuples: a Row for each would take as long as reading it."""
    return result.cursor.fetchall() if result.cursor is not None else ()


def place_of(row: Sequence[Any]) -> Place:
    return (row[_RECEIVED_AT], row[_RECORD_ID], row[_DB])


def count_and_end(rm: ReadModel, filters: RecordFilters, span: Span) -> tuple[int, Place | None]:
    """How many records there are, and the place of the last."""
    counted = _within(rm, select(func.count()).select_from(records), filters, span)
    last = (
        _within(rm, select(*_ORDER), filters, span).order_by(*(column.desc() for column in _ORDER)).limit(1)
    )
    with rm.engine.connect() as connection:
        found = connection.execute(last).first()
        return connection.execute(counted).scalar_one(), (
            found.received_at,
            found.record_id,
            found.db,
        ) if found else None


def _within(rm: ReadModel, query: Select[Any], filters: RecordFilters, span: Span) -> Select[Any]:
    query = filtered(rm.declaration, query, filters)
    if span.after is not None:
        query = query.where(_after(span.after))
    if span.until is not None:
        query = query.where(tuple_(*_ORDER) <= span.until)
    return query


def _after(place: Place) -> Any:
    return tuple_(*_ORDER) > place


def cursor_of(filters: RecordFilters, place: Place) -> str:
    return encode_cursor(_name(filters), list(place))


def place_in(filters: RecordFilters, cursor: str | None) -> Place | None:
    """Raises BadCursor for one of other filters."""
    found = decode_cursor(_name(filters), cursor, 3)
    return (found[0], found[1], found[2]) if found else None


def _name(filters: RecordFilters) -> str:
    return "export:" + codec.key(repr(sorted(asdict(filters).items())))
