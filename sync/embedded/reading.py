"""Reading documents inside a transaction: from rows to CouchDB's JSON form."""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from typing import Any

import orjson

from sync import revtree
from sync.embedded import documents_sql, revisions_sql, sequences
from sync.embedded.documents_sql import DatabaseRow, DocumentRow, Entry, IdRange
from sync.embedded.revisions_sql import StoredAttachment
from sync.embedded.statements import PAGE_BYTES
from sync.incoming import check_rev
from sync.store import Attachment, Change, ChangesPage, Doc, Leaf, NotFound, Seq

PENDING_COUNTED_MAX = 1_000
OFFSET_COUNTED_MAX = 10_000
ROWS_PASSED_MAX = 20  # for each id that is looked for; to look it up by itself takes as long
WITHOUT_LIMIT = -1  # SQLite's word for it


@dataclass(frozen=True, slots=True)
class Options:
    """What to tell about a document besides its body."""

    revs: bool = False
    revs_info: bool = False
    conflicts: bool = False
    deleted_conflicts: bool = False
    attachments: bool = False
    latest: bool = False
    local_seq: bool = False


PLAIN = Options()


@dataclass(slots=True)
class Reader:
    """One transaction's view of one database."""

    connection: sqlite3.Connection
    row: DatabaseRow
    bytes_read: int = 0  # of bodies, for who ends a page when it has become large

    @classmethod
    def open(cls, connection: sqlite3.Connection, db: int) -> Reader:
        return cls(connection, documents_sql.load_database(connection, db))

    # One document

    def entry(self, doc_id: str) -> Entry:
        found = documents_sql.load_entry(self.connection, self.row.db, doc_id)
        if found is None:
            raise NotFound("missing")
        return found

    def get(self, doc_id: str, rev: str | None, options: Options) -> Doc:
        entry = self.entry(doc_id)
        return self.document(entry, chosen_rev(entry, rev, latest=options.latest), options)

    def open_revs(self, doc_id: str, revs: Sequence[str] | None, options: Options) -> list[dict[str, Any]]:
        entry = documents_sql.load_entry(self.connection, self.row.db, doc_id)
        if entry is None:
            return [{"missing": rev} for rev in revs or ()]
        told: dict[str, dict[str, Any]] = {}
        for rev in revtree.leaves(entry.tree) if revs is None else [check_rev(rev) for rev in revs]:
            found = revtree.latest(entry.tree, rev) if options.latest and rev in entry.tree else [rev]
            for leaf in found:
                told[leaf] = self._one_of_open_revs(entry, leaf, options)
        return list(told.values())

    def _one_of_open_revs(self, entry: Entry, rev: str, options: Options) -> dict[str, Any]:
        return {"ok": self.document(entry, rev, options)} if rev in entry.bodies else {"missing": rev}

    def document(self, entry: Entry, rev: str, options: Options = PLAIN) -> Doc:
        if rev not in entry.bodies:
            raise NotFound("missing")
        number = entry.bodies[rev]
        revision = revisions_sql.load_revision(self.connection, number)
        self.bytes_read += len(revision.body)
        doc: Doc = {"_id": entry.id, "_rev": rev, **orjson.loads(revision.body)}
        if rev in entry.tree.deleted:
            doc["_deleted"] = True
        doc |= _told_of_tree(entry, rev, options)
        if revision.attachments:
            doc["_attachments"] = self._attachments(number, with_data=options.attachments)
        return doc

    def _attachments(self, revision: int, *, with_data: bool) -> dict[str, dict[str, Any]]:
        return {
            attachment.name: self._with_data(attachment) if with_data else _stub(attachment)
            for attachment in revisions_sql.load_attachments(self.connection, revision)
        }

    def _with_data(self, attachment: StoredAttachment) -> dict[str, Any]:
        data = revisions_sql.load_blob(self.connection, attachment.blob)
        return _described(attachment) | {"data": base64.b64encode(data).decode()}

    def attachment(self, doc_id: str, name: str, rev: str | None) -> Attachment:
        entry = self.entry(doc_id)
        chosen = chosen_rev(entry, rev)
        if chosen not in entry.bodies:
            raise NotFound("missing")
        for found in revisions_sql.load_attachments(self.connection, entry.bodies[chosen]):
            if found.name == name:
                data = revisions_sql.load_blob(self.connection, found.blob)
                return Attachment(found.content_type, found.digest, found.length, data)
        raise NotFound("Document is missing attachment")

    # Changes

    def changes(
        self,
        since: int,
        limit: int | None,
        *,
        include_docs: bool,
        doc_ids: Iterable[str] | None,
        receipts: bool = False,
    ) -> ChangesPage:
        if include_docs and receipts and doc_ids is None:
            most = WITHOUT_LIMIT if limit is None else limit
            full, is_cut = documents_sql.rows_with_receipts_since(self.connection, self.row.db, since, most)
            changes = [self._change_with_receipt(row) for row in full]
            seqs = [row[1] for row in full]
            is_full = is_cut or _fills(limit, full)
        else:
            rows, is_full = self._changed_rows(since, limit, doc_ids)
            changes = list(self._changes_of(rows, include_docs=include_docs, receipts=receipts))
            seqs = [row[1] for row in rows[: len(changes)]]
            is_full = is_full or len(changes) < len(rows)
        last_seq, pending = self.end_of_page(seqs, since, is_full=is_full)
        return ChangesPage(changes, last_seq, pending)

    def changes_before(
        self, before: int | None, limit: int, *, include_docs: bool, doc_ids: Iterable[str] | None
    ) -> tuple[list[Change], int]:
        """A page of the latest changes before `before`, and what the next page is before: 0 is the end."""
        below = self.row.seq + 1 if before is None else before
        if doc_ids is None:
            rows = list(documents_sql.rows_before(self.connection, self.row.db, below, limit))
        else:
            every = documents_sql.rows_before(self.connection, self.row.db, below, WITHOUT_LIMIT)
            rows = self._rows_named(set(doc_ids), every, range(below - 1, 0, -1), limit)
        changes = list(self._changes_of(rows, include_docs=include_docs))
        is_end = len(changes) == len(rows) < limit
        return changes, 0 if is_end else rows[len(changes) - 1][1]

    def _changes_of(
        self, rows: Iterable[DocumentRow], *, include_docs: bool, receipts: bool = False
    ) -> Iterator[Change]:
        """Of as many of the first rows as make a page."""
        for row in rows:
            yield self.change(row, include_docs=include_docs, receipts=receipts)
            if include_docs and self.bytes_read > PAGE_BYTES:
                return

    def end_of_page(self, seqs: Sequence[int], since: int, *, is_full: bool) -> tuple[Seq, int]:
        """(last_seq, pending) of a page of changes with the sequences `seqs`."""
        last = seqs[-1] if is_full else max(since, self.row.seq)
        return sequences.written(last, self.row.epoch), self._pending(last) if is_full else 0

    def _changed_rows(
        self, since: int, limit: int | None, doc_ids: Iterable[str] | None
    ) -> tuple[list[DocumentRow], bool]:
        """True if the page is full: there may be more."""
        most = WITHOUT_LIMIT if limit is None else limit
        if doc_ids is None:
            rows = list(documents_sql.rows_since(self.connection, self.row.db, since, most))
        else:
            every = documents_sql.rows_since(self.connection, self.row.db, since, WITHOUT_LIMIT)
            rows = self._rows_named(set(doc_ids), every, range(since + 1, self.row.seq + 1), limit)
        return rows, _fills(limit, rows)

    def _rows_named(
        self, ids: set[str], every: Iterator[DocumentRow], seqs: range, limit: int | None
    ) -> list[DocumentRow]:
        """Those of `every` row, all at the sequences `seqs`, that have one of `ids`: found among all, or each
        by its id, whichever takes less.
        """
        if len(seqs) < ROWS_PASSED_MAX * len(ids):
            return list(islice((row for row in every if row[0] in ids), limit))
        backwards = seqs.step < 0
        found = [one for one in documents_sql.seqs_of(self.connection, self.row.db, ids) if one[0] in seqs]
        named = [doc_id for _, doc_id in sorted(found, reverse=backwards)[:limit]]
        rows = documents_sql.rows_named(self.connection, self.row.db, named)
        return sorted(rows, key=lambda row: row[1], reverse=backwards)

    def _pending(self, last: int) -> int:
        """How many documents changed after `last`: exact when few, else at most so many."""
        counted = documents_sql.count_since(self.connection, self.row.db, last, PENDING_COUNTED_MAX)
        if counted < PENDING_COUNTED_MAX:
            return counted
        return min(self.row.seq - last, self.row.doc_count + self.row.doc_del_count)

    def change(self, row: DocumentRow, *, include_docs: bool, receipts: bool = False) -> Change:
        entry = documents_sql.entry_of(row)
        leaves = tuple(self._leaf(entry, rev, receipts) for rev in revtree.leaves(entry.tree))
        doc = self.document(entry, leaves[0].rev) if include_docs else None
        seq = sequences.written(entry.seq, self.row.epoch)
        return Change(seq, entry.id, leaves[0].deleted, leaves, doc)

    def _change_with_receipt(self, row: tuple[Any, ...]) -> Change:
        """Of a row of WITH_RECEIPTS: what most rows need has been read already."""
        doc_id, seq, rev, deleted, _, tree, attachments, writer, received_at, body = row
        if tree is not None or attachments:
            return self.change(row[:6], include_docs=True, receipts=True)
        leaf = Leaf(rev, bool(deleted), writer, _rfc3339(received_at))
        doc = _plain_document(doc_id, rev, body, bool(deleted))
        return Change(sequences.written(seq, self.row.epoch), doc_id, bool(deleted), (leaf,), doc)

    def _leaf(self, entry: Entry, rev: str, receipts: bool) -> Leaf:
        deleted = rev in entry.tree.deleted
        if not receipts:
            return Leaf(rev, deleted)
        revision = revisions_sql.load_revision(self.connection, entry.bodies[rev])
        return Leaf(rev, deleted, revision.writer, _rfc3339(revision.received_at))

    # Ids

    def all_docs(
        self, ids: IdRange, skip: int, limit: int | None, options: Options, *, include_docs: bool
    ) -> dict[str, Any]:
        most = WITHOUT_LIMIT if limit is None else limit
        rows = documents_sql.live_rows(self.connection, self.row.db, ids, skip, most)
        return {
            "total_rows": self.row.doc_count,
            "offset": self.offset(ids, skip),
            "rows": [
                self.all_docs_row(documents_sql.entry_of(row), options, include_docs=include_docs)
                for row in rows
            ],
        }

    def all_docs_of(self, keys: Sequence[str], options: Options, *, include_docs: bool) -> dict[str, Any]:
        read = documents_sql.rows_with_bodies if include_docs else documents_sql.rows_named
        found = {row[0]: row for row in read(self.connection, self.row.db, list(dict.fromkeys(keys)))}
        rows = [
            self._all_docs_row_of(found[key], options, include_docs=include_docs)
            if key in found
            else {"key": key, "error": "not_found"}
            for key in keys
        ]
        return {"total_rows": self.row.doc_count, "offset": None, "rows": rows}

    def _all_docs_row_of(
        self, row: tuple[Any, ...], options: Options, *, include_docs: bool
    ) -> dict[str, Any]:
        """Of a row of WITH_BODIES, or, without documents, of BARE."""
        doc_id, _, rev, deleted, _, tree = row[:6]
        if tree is not None or deleted or (include_docs and (options != PLAIN or row[6])):
            return self.all_docs_row(documents_sql.entry_of(row[:6]), options, include_docs=include_docs)
        told: dict[str, Any] = {"id": doc_id, "key": doc_id, "value": {"rev": rev}}
        return told | {"doc": _plain_document(doc_id, rev, row[7], False)} if include_docs else told

    def all_docs_row(self, entry: Entry, options: Options, *, include_docs: bool) -> dict[str, Any]:
        winner = entry.winner
        deleted = winner in entry.tree.deleted
        value: dict[str, Any] = {"rev": winner, "deleted": True} if deleted else {"rev": winner}
        row: dict[str, Any] = {"id": entry.id, "key": entry.id, "value": value}
        if include_docs:
            row["doc"] = None if deleted else self.document(entry, winner, options)
        return row

    def offset(self, ids: IdRange, skip: int) -> int | None:
        """None, which CouchDB answers too at times, where counting would take long."""
        if ids.startkey is not None and self.row.doc_count > OFFSET_COUNTED_MAX:
            return None
        return min(
            documents_sql.live_count_before(self.connection, self.row.db, ids) + skip, self.row.doc_count
        )


def _fills(limit: int | None, rows: Sequence[Any]) -> bool:
    """Whether there may be more rows than these."""
    return limit is not None and 0 < len(rows) >= limit


def _plain_document(doc_id: str, rev: str, body: bytes, deleted: bool) -> Doc:
    """Of a revision that has no attachments."""
    doc: Doc = {"_id": doc_id, "_rev": rev, **orjson.loads(body)}
    return doc | {"_deleted": True} if deleted else doc


def chosen_rev(entry: Entry, rev: str | None, *, latest: bool = False) -> str:
    """The revision that a reader of `rev` gets; the winner without one. Raises NotFound."""
    if rev is None:
        winner = entry.winner
        if winner in entry.tree.deleted:
            raise NotFound("deleted")
        return winner
    rev = check_rev(rev)
    if latest and rev in entry.tree:
        return revtree.latest(entry.tree, rev)[0]
    return rev


def _told_of_tree(entry: Entry, rev: str, options: Options) -> Doc:
    told: Doc = {}
    if options.revs:
        told["_revisions"] = revtree.revisions_member(entry.tree, rev)
    if options.revs_info:
        told["_revs_info"] = [_rev_info(entry, step) for step in revtree.ancestry(entry.tree, rev)]
    if options.local_seq:
        told["_local_seq"] = entry.seq
    if options.conflicts and (others := revtree.conflicts(entry.tree)):
        told["_conflicts"] = others
    if options.deleted_conflicts and (others := revtree.deleted_conflicts(entry.tree)):
        told["_deleted_conflicts"] = others
    return told


def _rev_info(entry: Entry, rev: str) -> dict[str, str]:
    if rev not in entry.bodies:
        return {"rev": rev, "status": "missing"}
    return {"rev": rev, "status": "deleted" if rev in entry.tree.deleted else "available"}


def _described(attachment: StoredAttachment) -> dict[str, Any]:
    return {
        "content_type": attachment.content_type,
        "revpos": attachment.revpos,
        "digest": attachment.digest,
    }


def _stub(attachment: StoredAttachment) -> dict[str, Any]:
    return _described(attachment) | {"length": attachment.length, "stub": True}


@lru_cache(maxsize=64)  # what was pushed together was received together
def _rfc3339(received_at: int) -> str:
    moment = datetime.fromtimestamp(received_at / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
