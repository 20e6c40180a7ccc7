"""Records as staff look for them: filtered pages, one record with everything around it, and the rows of an
export."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Row, select

from server.readmodel import codec
from server.readmodel.model import ReadModel
from server.readmodel.paging import Page, clamp, decode_cursor, encode_cursor
from server.readmodel.record_filters import RecordFilters, filtered, older, page_keys
from server.readmodel.tables import flags, forms, records, reviews, revisions, units
from server.readmodel.time_limit import limited
from server.readmodel.unit_queries import unit_item, unit_query
from sync.store import Doc, NotFound, Store

EXPORT_ROWS_AT_ONCE = 1000
ENVELOPE = (
    "work_date",
    "captured_at",
    "started_at",
    "ended_at",
    "clock_skew_s",
    "entry_mode",
    "paper_ref",
    "device_id",
    "filler_id",
    "filler_role",
    "town_code",
    "village_code",
    "grid_code",
    "gps",
    "supersedes",
    "correction_reason",
    "voided",
    "remark",
)


RECEIVED = ("received_at", "record_id", "db")
WORKED = ("work_date", "happened_at", "record_id", "db")  # of records about a unit: they all have a day


def records_page(
    rm: ReadModel,
    filters: RecordFilters,
    cursor: str | None = None,
    limit: int = 50,
    order: tuple[str, ...] = RECEIVED,
) -> Page:
    """Newest first, by `order`. Raises BadCursor, and TooWide for filters that would read too much."""
    limit, columns = clamp(limit), [records.c[name] for name in order]
    name = f"records:{order[0]}:" + codec.key(repr(sorted(asdict(filters).items())))
    place = decode_cursor(name, cursor, len(order))
    found = page_keys(rm.declaration, filters, columns, place, limit + 1).subquery()
    query = select(records).join(
        found, (records.c.db == found.c.db) & (records.c.record_id == found.c.record_id)
    )
    with limited(rm.engine) as connection:
        rows = connection.execute(query.order_by(*(column.desc() for column in columns))).all()
        items = [record_item(row) for row in rows[:limit]]
        _add_flags(connection, items)
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(items, encode_cursor(name, [getattr(last, each) for each in order]) if last else None)


def record_item(row: Row[Any]) -> dict[str, Any]:
    """One record as a page lists it; personal answers are not masked."""
    doc = codec.decode(row.doc)
    item = {name: getattr(row, name) for name in ITEM}
    item["problems"] = codec.decode(row.problems)
    item["captured_at"] = doc.get("captured_at")
    item["filler_role"] = doc.get("filler_role")
    item["correction_reason"] = doc.get("correction_reason")
    item["answers"] = doc.get("answers", {})
    item["void"] = codec.decode(row.void) if row.void else None
    return item


ITEM = (
    "record_id",
    "form_id",
    "form_version",
    "work_date",
    "received_at",
    "status",
    "effective",
    "closed",
    "superseded_by",
    "voided",
    "supersedes",
    "device_id",
    "filler_id",
    "village_code",
    "town_code",
    "grid_code",
    "household_id",
    "point_id",
    "roster_entry_id",
    "unit_kind",
    "comment",
    "decided_at",
    "decided_by",
    "writer",
)


def _add_flags(connection: Connection, items: list[dict[str, Any]]) -> None:
    ids = {item["record_id"] for item in items}
    rows = (
        connection.execute(select(flags.c.record_id, flags.c.problem).where(flags.c.record_id.in_(ids)))
        if ids
        else ()
    )
    by_id: dict[str, list[dict[str, Any]]] = {}
    for record_id, problem in rows:
        by_id.setdefault(record_id, []).append(codec.decode(problem))
    for item in items:
        item["problems"] = [*item["problems"], *by_id.get(item["record_id"], [])]


def record(rm: ReadModel, store: Store, record_id: str) -> dict[str, Any] | None:
    """Everything about one record; None when there is none. `document` is the record as it arrived; `answers`
    are as checked.

    {…as in a page, document, verdict:{status, problems, comment, decided_at, decided_by, voided},
    versions:[…oldest first], unit?:{kind, id, village_code, registered, entry?, state},
    revisions:[{rev, deleted, writer, received_at, problem}], reviews:[…]}
    """
    with rm.engine.connect() as connection:
        row = _best_row(connection, codec.key(record_id))
        if row is None:
            return None
        item = record_item(row)
        _add_flags(connection, [item])
        item["versions"] = _versions(connection, row.root_id)
        item["unit"] = _unit(connection, row)
        item["revisions"] = _revisions(connection, row)
        item["reviews"] = _reviews(connection, row.record_id)
    item["document"] = _document(store, row)
    item["verdict"] = {
        name: item[name] for name in ("status", "problems", "comment", "decided_at", "decided_by")
    } | {"voided": item["void"]}
    return item


def _best_row(connection: Connection, record_id: str) -> Row[Any] | None:
    """The same id may have been pushed into two inboxes: the one that counts first."""
    query = (
        select(records)
        .where(records.c.record_id == record_id)
        .order_by(records.c.effective.desc(), records.c.received_at)
    )
    return connection.execute(query.limit(1)).first()


def _versions(connection: Connection, root_id: str) -> list[dict[str, Any]]:
    query = (
        select(records)
        .where(records.c.root_id == root_id)
        .order_by(records.c.happened_at, records.c.received_at)
    )
    return [record_item(row) for row in connection.execute(query.limit(100))]


def _unit(connection: Connection, row: Row[Any]) -> dict[str, Any] | None:
    if row.unit_key is None:
        return None
    found = connection.execute(
        unit_query().where(units.c.kind == row.unit_kind, units.c.unit_key == row.unit_key)
    ).first()
    return unit_item(found) if found else None


def _revisions(connection: Connection, row: Row[Any]) -> list[dict[str, Any]]:
    query = select(revisions).where(revisions.c.db == row.db, revisions.c.record_id == row.record_id)
    return [
        revision_item(found)
        for found in connection.execute(query.order_by(revisions.c.received_at).limit(100))
    ]


def revision_item(row: Row[Any]) -> dict[str, Any]:
    item = {name: getattr(row, name) for name in ("record_id", "rev", "deleted", "writer", "received_at")}
    return item | {"problem": codec.decode(row.problem)}


def late_revisions(rm: ReadModel, cursor: str | None = None, limit: int = 50) -> Page:
    """Revisions and deletions of records that were already judged, newest first: quarantined each by
    itself."""
    limit = clamp(limit)
    place = decode_cursor("late_revisions", cursor, 3)
    order = (revisions.c.received_at, revisions.c.record_id, revisions.c.rev)
    query = select(revisions).order_by(*(column.desc() for column in order))
    if place:
        query = query.where(older(order, place))
    with rm.engine.connect() as connection:
        rows = connection.execute(query.limit(limit + 1)).all()
    last = rows[limit - 1] if len(rows) > limit else None
    next_cursor = (
        encode_cursor("late_revisions", [last.received_at, last.record_id, last.rev]) if last else None
    )
    return Page([revision_item(row) for row in rows[:limit]], next_cursor)


def _reviews(connection: Connection, record_id: str) -> list[dict[str, Any]]:
    query = select(reviews.c.doc).where(reviews.c.record_id == record_id).order_by(reviews.c.written_at)
    return [codec.decode(doc) for doc in connection.execute(query.limit(100)).scalars()]


def _document(store: Store, row: Row[Any]) -> Doc:
    """From the store, at the revision that was judged; the read model's copy when the store has let go of
    it."""
    kept: Doc = codec.decode(row.doc)
    try:
        return store.open(row.db).get(str(kept.get("_id", row.record_id)), rev=row.rev)
    except NotFound:
        return kept


def export_columns(rm: ReadModel, form_id: str) -> list[str]:
    """The columns of `export_rows`: what the server knows, the envelope, the answers of every version (the
    newest version's order first)."""
    with rm.engine.connect() as connection:
        return [*SERVER_COLUMNS, *ENVELOPE, *_answer_columns(connection, form_id)]


VOID_COLUMNS = {"voided_at": "at", "voided_by": "by", "void_reason": "reason", "duplicate_of": "duplicate_of"}
KEPT_COLUMNS = (
    "record_id",
    "form_id",
    "form_version",
    "status",
    "effective",
    "superseded_by",
    "received_at",
    "rules",
)
SERVER_COLUMNS = (*KEPT_COLUMNS, *VOID_COLUMNS)


def compiled_forms(rm: ReadModel, form_id: str | None = None) -> list[dict[str, Any]]:
    """The compiled forms as the catalogue has them, newest version of each form first."""
    query = select(forms) if form_id is None else select(forms).where(forms.c.form_id == form_id)
    with rm.engine.connect() as connection:
        rows = connection.execute(query).all()
    rows = sorted(rows, key=lambda row: (row.form_id, [-part for part in version_key(row.version)]))
    return [codec.decode(row.compiled) for row in rows]


def version_key(version: str) -> list[int]:
    return [int(part) if part.isdecimal() else 0 for part in version.split(".")]


def _answer_columns(connection: Connection, form_id: str) -> list[str]:
    from server.readmodel.form_columns import answer_names

    rows = connection.execute(
        select(forms.c.version, forms.c.compiled).where(forms.c.form_id == form_id)
    ).all()
    newest_first = sorted(rows, key=lambda row: version_key(row.version), reverse=True)
    names: dict[str, None] = {}
    for row in newest_first:
        names.update(dict.fromkeys(answer_names(codec.decode(row.compiled))))
    return [name for name in names if name not in SERVER_COLUMNS and name not in ENVELOPE] + [
        f"answers.{name}" for name in names if name in SERVER_COLUMNS or name in ENVELOPE
    ]


def export_rows(
    rm: ReadModel, form_id: str, filters: RecordFilters | None = None
) -> Iterator[dict[str, Any]]:
    """Every record of the form in order of receipt, read as it is asked for: {column: value}, a repeat is a
    list of objects. A question
    named like an envelope field, such as the disinfection's `started_at`, has the column
    `answers.started_at`."""
    filters = RecordFilters(**{**asdict(filters or RecordFilters()), "form_id": form_id})
    order = (records.c.received_at, records.c.record_id, records.c.db)
    query = filtered(rm.declaration, select(records), filters).order_by(*order)
    columns = export_columns(rm, form_id)
    with rm.engine.connect().execution_options(
        stream_results=True, max_row_buffer=EXPORT_ROWS_AT_ONCE
    ) as connection:
        for row in connection.execute(query):
            yield _export_row(row, columns)


def export_of(
    rm: ReadModel, form_id: str, keys: Collection[tuple[str, str]]
) -> dict[tuple[str, str], dict[str, Any]]:
    """{(database, record id): what `export_rows` has} of single records."""
    columns, wanted = export_columns(rm, form_id), set(keys)
    query = select(records).where(records.c.record_id.in_(sorted({record_id for _, record_id in wanted})))
    with rm.engine.connect() as connection:
        rows = connection.execute(query).all()
    return {
        (row.db, row.record_id): _export_row(row, columns)
        for row in rows
        if (row.db, row.record_id) in wanted
    }


def void_values(void: str | None) -> tuple[str | None, ...]:
    """What VOID_COLUMNS have of the column `void`."""
    if void is None:
        return (None,) * len(VOID_COLUMNS)
    said = codec.decode(void)
    return tuple(said.get(name) for name in VOID_COLUMNS.values())


def _export_row(row: Row[Any], columns: list[str]) -> dict[str, Any]:
    doc: Mapping[str, Any] = codec.decode(row.doc)
    answers = doc.get("answers")
    answers = answers if isinstance(answers, dict) else {}
    values = {name: getattr(row, name) for name in KEPT_COLUMNS}
    values |= dict(zip(VOID_COLUMNS, void_values(row.void), strict=True))
    values |= {name: doc[name] for name in ENVELOPE if name in doc}
    values |= {"rules": row.rules.strip(), "voided": row.voided or None}
    values |= {
        column: answers[name]
        for column in columns
        if (name := column.removeprefix("answers.")) in answers and column not in ENVELOPE
    }
    return {column: values.get(column) for column in columns}
