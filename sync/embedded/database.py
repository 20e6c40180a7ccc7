"""One database of the embedded store."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

import orjson

from sync import revtree
from sync.embedded import compaction, documents_sql, json_reading, locals_sql, revisions_sql, sequences
from sync.embedded.committing import Committer, Transaction
from sync.embedded.connections import Connections
from sync.embedded.documents_sql import DatabaseRow, IdRange
from sync.embedded.reading import Options, Reader
from sync.embedded.writing import Pen
from sync.incoming import (
    Incoming,
    body_bytes,
    check_attachment_name,
    check_id,
    check_local_id,
    check_rev,
    local_counter,
    parse,
)
from sync.incoming import IncomingAttachment as NewAttachment
from sync.rendering import AllDocsJson, ChangesJson
from sync.store import (
    BEGINNING,
    Attachment,
    BadRequest,
    Change,
    ChangesPage,
    Conflict,
    Doc,
    NotFound,
    Receipt,
    Seq,
    StoreError,
)

DOCUMENTS_PAGE = 500

T = TypeVar("T")


class EmbeddedDatabase:
    """See `sync.store.Database` for what each call promises."""

    def __init__(
        self, connections: Connections, committer: Committer, db: int, name: str, epoch: str
    ) -> None:
        self.name = name
        self.epoch = epoch
        self._connections = connections
        self._committer = committer
        self._db = db

    @contextmanager
    def _reader(self) -> Iterator[Reader]:
        with self._connections.reading() as connection:
            yield Reader.open(connection, self._db)

    def _write(self, writer: str, work: Callable[[Pen], T]) -> T:
        """`work` in a transaction, on disk when this returns; whoever waits for a change is woken."""

        def job(transaction: Transaction) -> T:
            return work(Pen.open(transaction, self._db, writer, time.time_ns() // 1_000_000))

        return self._committer.run(job)

    # The database

    def _row(self) -> DatabaseRow:
        return documents_sql.database_of(self._connections.row(documents_sql.DATABASE, self._db))

    def seq(self) -> Seq:
        return sequences.written(self._row().seq, self.epoch)

    def info(self) -> dict[str, Any]:
        row = self._row()
        return {
            "db_name": self.name,
            "doc_count": row.doc_count,
            "doc_del_count": row.doc_del_count,
            "update_seq": sequences.written(row.seq, self.epoch),
            "purge_seq": 0,
            "compact_running": False,
            "instance_start_time": str(int.from_bytes(self.epoch.encode())),
        }

    def revs_limit(self) -> int:
        return self._row().revs_limit

    def set_revs_limit(self, limit: int) -> None:
        if limit < 1:
            raise BadRequest("`revs_limit` must be a positive integer")
        with self._connections.writing() as connection:
            row = documents_sql.load_database(connection, self._db)
            row.revs_limit = limit
            documents_sql.save_database(connection, row)

    def compact(self) -> None:
        compaction.compact(self._connections.writing, self._db)

    # Reading

    def get(
        self,
        doc_id: str,
        *,
        rev: str | None = None,
        latest: bool = False,
        revs: bool = False,
        revs_info: bool = False,
        conflicts: bool = False,
        deleted_conflicts: bool = False,
        attachments: bool = False,
        local_seq: bool = False,
    ) -> Doc:
        told_seq = local_seq and rev is None
        options = Options(revs, revs_info, conflicts, deleted_conflicts, attachments, latest, told_seq)
        with self._reader() as reader:
            return reader.get(doc_id, rev, options)

    def open_revs(
        self, doc_id: str, open_revs: Sequence[str] | None, **options: bool
    ) -> list[dict[str, Any]]:
        with self._reader() as reader:
            return reader.open_revs(doc_id, open_revs, Options(**options))

    def bulk_get(self, requests: Sequence[Mapping[str, Any]], **options: bool) -> list[dict[str, Any]]:
        wanted = Options(**options)
        with self._reader() as reader:
            return [_bulk_get_result(reader, request, wanted) for request in requests]

    def revs_diff(self, revs: Mapping[str, Sequence[str]]) -> dict[str, dict[str, list[str]]]:
        with self._connections.reading() as connection:
            documents_sql.load_database(connection, self._db)
            entries = documents_sql.load_entries(connection, self._db, list(revs))
        told = {
            doc_id: _difference(entries.get(doc_id), [check_rev(rev) for rev in asked])
            for doc_id, asked in revs.items()
        }
        return {doc_id: difference for doc_id, difference in told.items() if difference}

    def changes(
        self,
        *,
        since: Seq = BEGINNING,
        limit: int | None = None,
        include_docs: bool = False,
        doc_ids: Iterable[str] | None = None,
        receipts: bool = False,
    ) -> ChangesPage:
        with self._reader() as reader:
            return reader.changes(
                sequences.number_of(since, self.epoch),
                limit,
                include_docs=include_docs,
                doc_ids=doc_ids,
                receipts=receipts,
            )

    def changes_backwards(
        self, *, limit: int | None = None, include_docs: bool = False, doc_ids: Iterable[str] | None = None
    ) -> Iterator[Change]:
        wanted = None if doc_ids is None else list(dict.fromkeys(doc_ids))
        left, before = sys.maxsize if limit is None else limit, None
        while left > 0 and before != 0:
            with self._reader() as reader:
                page, before = reader.changes_before(
                    before, min(left, DOCUMENTS_PAGE), include_docs=include_docs, doc_ids=wanted
                )
            yield from page
            left -= len(page)

    def all_docs(
        self,
        *,
        keys: Sequence[str] | None = None,
        startkey: str | None = None,
        endkey: str | None = None,
        inclusive_end: bool = True,
        descending: bool = False,
        skip: int = 0,
        limit: int | None = None,
        include_docs: bool = False,
        conflicts: bool = False,
        attachments: bool = False,
    ) -> dict[str, Any]:
        options = Options(conflicts=conflicts, attachments=attachments)
        with self._reader() as reader:
            if keys is not None:
                wanted = (keys[::-1] if descending else keys)[skip:][:limit]
                return reader.all_docs_of(wanted, options, include_docs=include_docs)
            ids = IdRange(startkey, endkey, inclusive_end, descending)
            return reader.all_docs(ids, skip, limit, options, include_docs=include_docs)

    def changes_json(self, *, since: Seq, limit: int, include_docs: bool, all_leaves: bool) -> ChangesJson:
        number = sequences.number_of(since, self.epoch)
        with self._reader() as reader:
            return json_reading.changes(
                reader, number, limit, include_docs=include_docs, all_leaves=all_leaves
            )

    def all_docs_json(
        self,
        *,
        startkey: str | None,
        endkey: str | None,
        inclusive_end: bool,
        descending: bool,
        after: str | None,
        skip: int,
        limit: int,
        include_docs: bool,
        conflicts: bool,
        attachments: bool,
    ) -> AllDocsJson:
        begin = startkey if after is None else after
        ids = IdRange(begin, endkey, inclusive_end, descending, inclusive_start=after is None)
        options = Options(conflicts=conflicts, attachments=attachments)
        with self._reader() as reader:
            return json_reading.all_docs(reader, ids, skip, limit, options, include_docs=include_docs)

    def keys_json(
        self, keys: Sequence[str], *, include_docs: bool, conflicts: bool, attachments: bool
    ) -> AllDocsJson:
        options = Options(conflicts=conflicts, attachments=attachments)
        with self._reader() as reader:
            return json_reading.all_docs_of(reader, keys, options, include_docs=include_docs)

    def bulk_get_json(self, requests: Sequence[Mapping[str, Any]], **options: bool) -> list[bytes]:
        wanted = Options(**options)
        with self._reader() as reader:
            return json_reading.bulk_get(
                reader, requests, wanted, lambda request: _bulk_get_result(reader, request, wanted)
            )

    def documents(self, prefix: str = "") -> Iterator[Doc]:
        after, inclusive = prefix, True
        while True:
            docs = self._documents_page(after, inclusive)
            for doc in docs:
                if not doc["_id"].startswith(prefix):
                    return
                yield doc
            if len(docs) < DOCUMENTS_PAGE:
                return
            after, inclusive = docs[-1]["_id"], False

    def _documents_page(self, after: str, inclusive: bool) -> list[Doc]:
        ids = IdRange(startkey=after, inclusive_start=inclusive)
        with self._reader() as reader:
            rows = documents_sql.live_rows(reader.connection, self._db, ids, 0, DOCUMENTS_PAGE)
            entries = [documents_sql.entry_of(row) for row in rows]
            return [reader.document(entry, entry.winner) for entry in entries]

    def attachment(self, doc_id: str, name: str, *, rev: str | None = None) -> Attachment:
        with self._reader() as reader:
            return reader.attachment(doc_id, name, rev)

    # Writing

    def put(self, doc: Mapping[str, Any], *, writer: str) -> str:
        incoming = parse(doc)
        return self._write(writer, lambda pen: pen.edit(incoming))

    def bulk_docs(
        self, docs: Sequence[Mapping[str, Any]], *, new_edits: bool = True, writer: str
    ) -> list[dict[str, Any]]:
        incoming = [parse(doc) for doc in docs]
        if new_edits:
            edited = self._write(writer, lambda pen: pen.edit_all(incoming))
            return [_edit_row(one.id, rev) for one, rev in zip(incoming, edited, strict=True)]
        for one in incoming:
            if not one.path:
                raise BadRequest(f"Document {one.id} has no _rev, which new_edits=false needs")
        self._write(writer, lambda pen: pen.graft(incoming))
        return [{"ok": True, "id": one.id, "rev": one.path[0]} for one in incoming]

    def put_attachment(
        self, doc_id: str, name: str, data: bytes, content_type: str, *, rev: str | None, writer: str
    ) -> str:
        check_id(doc_id)
        attachment = NewAttachment(check_attachment_name(name), content_type, data)
        return self._write(
            writer, lambda pen: pen.edit(self._with_attachments(pen, doc_id, rev, name, attachment))
        )

    def delete_attachment(self, doc_id: str, name: str, *, rev: str | None, writer: str) -> str:
        check_id(doc_id)

        def work(pen: Pen) -> str:
            if rev is not None:
                Reader(pen.connection, pen.row).attachment(doc_id, name, rev)
            return pen.edit(self._with_attachments(pen, doc_id, rev, name, None))

        return self._write(writer, work)

    def _with_attachments(
        self, pen: Pen, doc_id: str, rev: str | None, name: str, replacement: NewAttachment | None
    ) -> Incoming:
        """An edit that keeps the body of `rev` and changes one of its attachments."""
        if rev is None:
            return Incoming(doc_id, [], False, b"{}", [replacement] if replacement else [])
        reader = Reader(pen.connection, pen.row)
        try:
            entry = reader.entry(doc_id)
        except NotFound:
            raise Conflict("Document update conflict.") from None
        rev = check_rev(rev)
        if rev not in entry.bodies:
            raise Conflict("Document update conflict.")
        number = entry.bodies[rev]
        others = [
            NewAttachment(kept.name, kept.content_type, None, kept.digest, kept.revpos)
            for kept in revisions_sql.load_attachments(pen.connection, number)
            if kept.name != name
        ]
        body = revisions_sql.load_revision(pen.connection, number).body
        return Incoming(doc_id, [rev], False, body, [*others, *([replacement] if replacement else [])])

    def restore(self, received: Sequence[tuple[Doc, Receipt]]) -> None:
        parsed = [(parse(doc), receipt) for doc, receipt in received]

        def work(pen: Pen) -> None:
            for incoming, receipt in parsed:
                pen.writer, pen.received_at = receipt.writer, _ms_of(receipt.received_at)
                pen.graft([incoming])

        self._write("", work)

    # Local documents

    def get_local(self, local_id: str) -> Doc:
        found = self._connections.row(locals_sql.LOCAL, local_id, self._db)
        if found is None:
            raise NotFound("Database does not exist.")
        rev, body = found
        if rev is None:
            raise NotFound("missing")
        return _local_doc(local_id, rev, body)

    def local_docs(
        self,
        *,
        startkey: str | None,
        endkey: str | None,
        inclusive_end: bool,
        descending: bool,
        skip: int,
        limit: int,
    ) -> list[Doc]:
        ids = IdRange(startkey, endkey, inclusive_end, descending)
        with self._reader() as reader:
            rows = locals_sql.load_locals(reader.connection, self._db, ids, skip, limit)
        return [_local_doc(*row) for row in rows]

    def put_local(self, doc: Mapping[str, Any], local_id: str) -> str:
        check_local_id(local_id)
        rev = local_counter(doc.get("_rev")) + 1
        body = body_bytes(doc, f"_local/{local_id}")

        def work(transaction: Transaction) -> None:
            transaction.database(self._db)
            locals_sql.save_local(transaction.connection, self._db, local_id, rev, body)

        self._committer.run(work)
        return f"0-{rev}"

    def delete_local(self, local_id: str) -> None:
        def work(transaction: Transaction) -> None:
            transaction.database(self._db)
            if not locals_sql.delete_local(transaction.connection, self._db, local_id):
                raise NotFound("missing")

        self._committer.run(work)


def _local_doc(local_id: str, rev: int, body: bytes) -> Doc:
    return {"_id": f"_local/{local_id}", "_rev": f"0-{rev}", **orjson.loads(body)}


def _ms_of(received_at: str) -> int:
    return round(datetime.fromisoformat(received_at).timestamp() * 1000)


def _bulk_get_result(reader: Reader, request: Mapping[str, Any], options: Options) -> dict[str, Any]:
    doc_id, rev = request["id"], request.get("rev")
    try:
        told = reader.open_revs(doc_id, None if rev is None else [rev], options)
    except StoreError as error:
        return {"id": doc_id, "docs": [_bulk_get_error(doc_id, rev, error.error, error.reason)]}
    docs = [
        one if "ok" in one else _bulk_get_error(doc_id, one["missing"], "not_found", "missing")
        for one in told
    ]
    return {"id": doc_id, "docs": docs or [_bulk_get_error(doc_id, None, "not_found", "missing")]}


def _bulk_get_error(doc_id: str, rev: str | None, error: str, reason: str) -> dict[str, Any]:
    return {"error": {"id": doc_id, "rev": rev or "undefined", "error": error, "reason": reason}}


def _difference(entry: documents_sql.Entry | None, revs: list[str]) -> dict[str, list[str]]:
    missing = revtree.missing(entry.tree if entry else None, revs)
    if not missing:
        return {}
    ancestors = revtree.possible_ancestors(entry.tree, missing) if entry else []
    return {"missing": missing} | ({"possible_ancestors": ancestors} if ancestors else {})


def _edit_row(doc_id: str, rev: str | Conflict) -> dict[str, Any]:
    if isinstance(rev, Conflict):
        return {"id": doc_id, "error": rev.error, "reason": rev.reason}
    return {"ok": True, "id": doc_id, "rev": rev}
