"""Rows of answers as JSON, spliced from the bytes that are kept.

    {"seq":…,"id":…,"changes":[…],"doc":{"_id":…,"_rev":…,  ◄── the body without its brace

That is the way of a document with one revision and no attachments, which nearly all are; any other goes
through `reading`, and both write the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from sync.embedded import documents_sql, sequences
from sync.embedded.documents_sql import IdRange
from sync.embedded.reading import Options, Reader
from sync.embedded.statements import PAGE_BYTES, within_page
from sync.rendering import AllDocsJson, ChangesJson, change_row

_EMPTY = b"{}"
_GONE = b',"_deleted":true'


def changes(reader: Reader, since: int, limit: int, *, include_docs: bool, all_leaves: bool) -> ChangesJson:
    rows, is_cut = documents_sql.rows_with_bodies_since(
        reader.connection, reader.row.db, since, limit, include_docs=include_docs
    )
    told = [
        _plain_change(row, reader.row.epoch, include_docs=include_docs)
        if _is_plain(row)
        else orjson.dumps(
            change_row(
                reader.change(row[:6], include_docs=include_docs),
                include_docs=include_docs,
                all_leaves=all_leaves,
            )
        )
        for row in rows
    ]
    is_full = is_cut or 0 < len(rows) >= limit
    last_seq, pending = reader.end_of_page([row[1] for row in rows], since, is_full=is_full)
    return ChangesJson(told, last_seq, pending, is_full)


def all_docs(
    reader: Reader, ids: IdRange, skip: int, limit: int, options: Options, *, include_docs: bool
) -> AllDocsJson:
    db, is_cut = reader.row.db, False
    if include_docs:
        rows, is_cut = documents_sql.live_rows_with_bodies(reader.connection, db, ids, skip, limit)
    else:
        rows = documents_sql.live_rows(reader.connection, db, ids, skip, limit)
    told = [_all_docs_row(reader, row, options, include_docs=include_docs) for row in rows]
    last_id = rows[-1][0] if rows else None
    more = is_cut or 0 < len(rows) >= limit
    return AllDocsJson(told, reader.row.doc_count, reader.offset(ids, skip), last_id, more)


def all_docs_of(reader: Reader, keys: Sequence[str], options: Options, *, include_docs: bool) -> AllDocsJson:
    """Rows of the first of `keys`, as many as make a page."""
    db, ids, is_cut = reader.row.db, list(dict.fromkeys(keys)), False
    if include_docs:
        found, is_cut = within_page(documents_sql.rows_with_bodies(reader.connection, db, ids))
    else:
        found = list(documents_sql.rows_named(reader.connection, db, ids))
    if is_cut and len(keys) > 1:
        return all_docs_of(reader, keys[: len(keys) // 2], options, include_docs=include_docs)
    rows = {row[0]: row for row in found}
    told = [
        _all_docs_row(reader, rows[key], options, include_docs=include_docs)
        if key in rows
        else b'{"key":%b,"error":"not_found"}' % orjson.dumps(key)
        for key in keys
    ]
    return AllDocsJson(told, reader.row.doc_count)


def _all_docs_row(reader: Reader, row: Sequence[Any], options: Options, *, include_docs: bool) -> bytes:
    if not include_docs or _is_plain(row):
        return _plain_all_docs_row(row, include_docs=include_docs)
    entry = documents_sql.entry_of(row[:6])  # type: ignore[arg-type]
    return orjson.dumps(reader.all_docs_row(entry, options, include_docs=True))


def bulk_get(
    reader: Reader,
    requests: Sequence[Mapping[str, Any]],
    options: Options,
    otherwise: Callable[[Mapping[str, Any]], dict[str, Any]],
) -> list[bytes]:
    """Answers to the first of `requests`, as many as make a page. `otherwise` answers what is not plain, or
    not there.
    """
    ids = list({request["id"] for request in requests})
    found, is_cut = within_page(documents_sql.rows_with_bodies(reader.connection, reader.row.db, ids))
    if is_cut and len(requests) > 1:
        return bulk_get(reader, requests[: len(requests) // 2], options, otherwise)
    rows = {row[0]: row for row in found}
    told: list[bytes] = []
    for request in requests:
        if reader.bytes_read > PAGE_BYTES:
            return told
        row = rows.get(request["id"])
        if row is not None and _is_plain(row) and request.get("rev") in (None, row[2]):
            told.append(_plain_result(row, revs=options.revs))
        else:
            told.append(orjson.dumps(otherwise(request)))
    return told


def _is_plain(row: Sequence[Any]) -> bool:
    """`tree` and `attachments`; see documents_sql.WITH_BODIES."""
    return row[5] is None and row[6] == 0


def _plain_change(row: Sequence[Any], epoch: str, *, include_docs: bool) -> bytes:
    doc_id, rev = orjson.dumps(row[0]), orjson.dumps(row[2])
    return b'{"seq":"%b","id":%b,"changes":[{"rev":%b}]%b%b}' % (
        sequences.written(row[1], epoch).encode(),
        doc_id,
        rev,
        b',"deleted":true' if row[3] else b"",
        b',"doc":' + _document(doc_id, rev, _GONE if row[3] else b"", row[7]) if include_docs else b"",
    )


def _plain_all_docs_row(row: Sequence[Any], *, include_docs: bool) -> bytes:
    doc_id, rev, doc = orjson.dumps(row[0]), orjson.dumps(row[2]), b""
    if include_docs:
        doc = b',"doc":' + (b"null" if row[3] else _document(doc_id, rev, b"", row[7]))
    gone = b',"deleted":true' if row[3] else b""
    return b'{"id":%b,"key":%b,"value":{"rev":%b%b}%b}' % (doc_id, doc_id, rev, gone, doc)


def _plain_result(row: Sequence[Any], *, revs: bool) -> bytes:
    doc_id, rev = orjson.dumps(row[0]), orjson.dumps(row[2])
    more = _GONE if row[3] else b""
    if revs:
        start, _, name = row[2].partition("-")
        more += b',"_revisions":{"start":%d,"ids":[%b]}' % (int(start), orjson.dumps(name))
    return b'{"id":%b,"docs":[{"ok":%b}]}' % (doc_id, _document(doc_id, rev, more, row[7]))


def _document(doc_id: bytes, rev: bytes, more: bytes, body: bytes) -> bytes:
    rest = b"}" if body == _EMPTY else b"," + body[1:]
    return b'{"_id":%b,"_rev":%b%b%b' % (doc_id, rev, more, rest)
