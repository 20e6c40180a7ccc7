"""Rows of answers as JSON, ready to be sent. Pure.

A backend that keeps its documents as JSON answers the calls of `WritesJson` itself and never takes a body
apart. For any other one `Rendered` makes the same rows from its documents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import orjson

from sync.store import Change, Database, Seq


@dataclass(frozen=True, slots=True)
class ChangesJson:
    """`rows` are those of CouchDB's `results`; `last_seq` and `pending` as in ChangesPage. Without `more`
    this was the last page.
    """

    rows: list[bytes]
    last_seq: Seq
    pending: int
    more: bool


@dataclass(frozen=True, slots=True)
class AllDocsJson:
    """`last_id` is the id of the last row: a further page, if there may be `more`, begins `after` it."""

    rows: list[bytes]
    total_rows: int | None
    offset: int | None = None
    last_id: str | None = None
    more: bool = False


@runtime_checkable
class WritesJson(Protocol):
    """What a Database may offer besides the calls of `sync.store`, whose arguments these take.

    Each answers a page: `limit` rows at most, and fewer where the documents are large, but one at least.
    """

    def changes_json(
        self,
        *,
        since: Seq,
        limit: int,
        include_docs: bool,
        all_leaves: bool,
    ) -> ChangesJson:
        """A row has all leaves or the winner alone."""

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
    ) -> AllDocsJson: ...

    def keys_json(
        self, keys: Sequence[str], *, include_docs: bool, conflicts: bool, attachments: bool
    ) -> AllDocsJson:
        """A row for each of the first of `keys`, in their order."""

    def bulk_get_json(self, requests: Sequence[Mapping[str, Any]], **options: bool) -> list[bytes]:
        """A result for each of the first of `requests`, in their order."""


def writing_json(database: Database) -> WritesJson:
    return database if isinstance(database, WritesJson) else Rendered(database)


def change_row(change: Change, *, include_docs: bool, all_leaves: bool) -> dict[str, Any]:
    leaves = change.leaves if all_leaves else change.leaves[:1]
    row: dict[str, Any] = {
        "seq": change.seq,
        "id": change.id,
        "changes": [{"rev": leaf.rev} for leaf in leaves],
    }
    if change.deleted:
        row["deleted"] = True
    if include_docs:
        row["doc"] = change.doc
    return row


@dataclass(frozen=True, slots=True)
class Rendered:
    """WritesJson for a database that does not know it."""

    database: Database

    def changes_json(
        self,
        *,
        since: Seq,
        limit: int,
        include_docs: bool,
        all_leaves: bool,
    ) -> ChangesJson:
        page = self.database.changes(since=since, limit=limit, include_docs=include_docs)
        rows = [
            orjson.dumps(change_row(change, include_docs=include_docs, all_leaves=all_leaves))
            for change in page.rows
        ]
        return ChangesJson(rows, page.last_seq, page.pending, 0 < len(rows) >= limit or page.pending > 0)

    def all_docs_json(
        self, *, startkey: str | None, after: str | None, limit: int, **options: Any
    ) -> AllDocsJson:
        if after is None:
            told = self.database.all_docs(startkey=startkey, limit=limit, **options)
        else:
            # `after` itself may be gone by now, so it is not skipped blindly.
            told = self.database.all_docs(startkey=after, limit=limit + 1, **options)
        rows = [row for row in told["rows"] if row["id"] != after][:limit]
        last = rows[-1]["id"] if rows else None
        told_rows = [orjson.dumps(row) for row in rows]
        more = 0 < len(rows) >= limit
        return AllDocsJson(told_rows, told["total_rows"], told["offset"], last, more)

    def keys_json(self, keys: Sequence[str], **options: bool) -> AllDocsJson:
        told = self.database.all_docs(keys=keys, **options)  # type: ignore[arg-type]
        return AllDocsJson([orjson.dumps(row) for row in told["rows"]], told["total_rows"])

    def bulk_get_json(self, requests: Sequence[Mapping[str, Any]], **options: bool) -> list[bytes]:
        return [orjson.dumps(result) for result in self.database.bulk_get(requests, **options)]
