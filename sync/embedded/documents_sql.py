"""Rows of `databases` and `documents`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from sync import revtree
from sync.embedded import checksums
from sync.embedded.statements import LARGE_PAGE_BYTES, batched, within_page
from sync.store import NotFound


@dataclass(slots=True)
class DatabaseRow:
    """The counters of one database. A writer changes them and saves them once."""

    db: int
    name: str
    epoch: str
    seq: int
    doc_count: int
    doc_del_count: int
    revs_limit: int


DATABASE = "SELECT db, name, epoch, seq, doc_count, doc_del_count, revs_limit FROM databases WHERE db = ?"


def load_database(connection: sqlite3.Connection, db: int) -> DatabaseRow:
    return database_of(connection.execute(DATABASE, (db,)).fetchone())


def database_of(row: tuple[Any, ...] | None) -> DatabaseRow:
    """A row of DATABASE. Raises NotFound."""
    if row is None:
        raise NotFound("Database does not exist.")
    return DatabaseRow(*row)


def tick(connection: sqlite3.Connection) -> int:
    """The next moment of the clock that all databases share."""
    uuid, clock = connection.execute("SELECT uuid, clock FROM server").fetchone()
    moment = int(clock) + 1
    connection.execute(
        "UPDATE server SET clock = ?, checksum = ?", (moment, checksums.of_server(uuid, moment))
    )
    return moment


def save_database(connection: sqlite3.Connection, row: DatabaseRow) -> None:
    """Save the counters; the database has moved."""
    _save_database(connection, row, tick(connection))


def create_database(connection: sqlite3.Connection, name: str, epoch: str, revs_limit: int) -> None:
    moment = tick(connection)
    _save_database(connection, DatabaseRow(moment, name, epoch, 0, 0, 0, revs_limit), moment)


def _save_database(connection: sqlite3.Connection, row: DatabaseRow, moved: int) -> None:
    values = (row.db, row.name, row.epoch, row.seq, moved, row.doc_count, row.doc_del_count, row.revs_limit)
    connection.execute(
        "REPLACE INTO databases (db, name, epoch, seq, moved, doc_count, doc_del_count, revs_limit, checksum)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*values, checksums.of_database(*values)),
    )


@dataclass(slots=True)
class Entry:
    """A document without its bodies: `bodies` tells for each kept revision its number in `revisions`."""

    id: str
    tree: revtree.Tree
    bodies: dict[str, int] = field(default_factory=dict)
    seq: int = 0

    @property
    def winner(self) -> str:
        return revtree.winner(self.tree)

    def is_live(self) -> bool:
        return bool(self.bodies) and self.winner not in self.tree.deleted


COLUMNS = "d.id, d.seq, d.rev, d.deleted, d.revision, d.tree"
DocumentRow = tuple[str, int, str, int, int, str | None]
# … and what the winner's body is: a row of COLUMNS, `attachments` (how many), `body`
WITH_BODIES = f"SELECT {COLUMNS}, r.attachments, r.body FROM documents d JOIN revisions r USING (revision)"  # noqa: S608
BARE = f"SELECT {COLUMNS} FROM documents d"  # noqa: S608
# … and how that came: a row of WITH_BODIES with `writer` and `received_at` before the body
WITH_RECEIPTS = WITH_BODIES.replace("r.body", "r.writer, r.received_at, r.body")
# The same, for reading by `seq`: the index has everything but the trees.
_TREE = "(SELECT t.tree FROM documents t WHERE t.db = d.db AND t.id = d.id)"
COLUMNS_BY_SEQ = f"d.id, d.seq, d.rev, d.deleted, d.revision, CASE WHEN NOT d.single THEN {_TREE} END"
BARE_BY_SEQ = f"SELECT {COLUMNS_BY_SEQ} FROM documents d"  # noqa: S608
WITH_BODIES_BY_SEQ = WITH_BODIES.replace(COLUMNS, COLUMNS_BY_SEQ)
WITH_RECEIPTS_BY_SEQ = WITH_RECEIPTS.replace(COLUMNS, COLUMNS_BY_SEQ)


def entry_of(row: DocumentRow) -> Entry:
    doc_id, seq, rev, deleted, revision, tree = row[:6]
    if tree is None:
        return Entry(doc_id, revtree.Tree({rev: set()}, {rev} if deleted else set()), {rev: revision}, seq)
    told = orjson.loads(tree)
    return Entry(doc_id, revtree.from_paths(told["paths"], told["deleted"]), told["bodies"], seq)


def load_entry(connection: sqlite3.Connection, db: int, doc_id: str) -> Entry | None:
    row = connection.execute(
        f"SELECT {COLUMNS} FROM documents d WHERE d.db = ? AND d.id = ?",  # noqa: S608
        (db, doc_id),
    ).fetchone()
    return entry_of(row) if row else None


def load_entries(connection: sqlite3.Connection, db: int, doc_ids: Sequence[str]) -> dict[str, Entry]:
    """By id, those that exist."""
    return {row[0]: entry_of(row) for row in rows_named(connection, db, doc_ids)}


def rows_named(connection: sqlite3.Connection, db: int, doc_ids: Sequence[str]) -> Iterator[DocumentRow]:
    """The rows of those documents that exist, in no order."""
    return _in_bulk(connection, f"{BARE} WHERE d.db = ? AND d.id IN", db, doc_ids)


def known_ids(connection: sqlite3.Connection, db: int, doc_ids: Sequence[str]) -> set[str]:
    rows = _in_bulk(connection, "SELECT d.id FROM documents d WHERE d.db = ? AND d.id IN", db, doc_ids)
    return {row[0] for row in rows}


def _in_bulk(
    connection: sqlite3.Connection, statement: str, db: int, values: Iterable[str]
) -> Iterator[tuple[Any, ...]]:
    for some in batched(values):
        marks = ",".join("?" * len(some))
        yield from connection.execute(f"{statement} ({marks})", (db, *some))


def insert_documents(
    connection: sqlite3.Connection, db: int, documents: Iterable[tuple[str, int, str, bool, int]]
) -> None:
    """Documents that are not there yet, with one revision each: (id, seq, rev, deleted, revision)."""
    rows = ((db, doc_id, seq, rev, int(gone), body, None) for doc_id, seq, rev, gone, body in documents)
    connection.executemany(
        "INSERT INTO documents (db, id, seq, rev, deleted, revision, tree, single, checksum)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?)",
        ((*row, checksums.of_document(*row)) for row in rows),
    )


def save_entry(connection: sqlite3.Connection, db: int, entry: Entry) -> None:
    winner = entry.winner
    deleted = int(winner in entry.tree.deleted)
    values = (db, entry.id, entry.seq, winner, deleted, entry.bodies[winner], _tree_column(entry))
    connection.execute(
        "INSERT INTO documents (db, id, seq, rev, deleted, revision, tree, single, checksum)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7 IS NULL, ?8)"
        " ON CONFLICT (db, id) DO UPDATE SET seq = excluded.seq, rev = excluded.rev,"
        " deleted = excluded.deleted, revision = excluded.revision, tree = excluded.tree,"
        " single = excluded.single, checksum = excluded.checksum",
        (*values, checksums.of_document(*values)),
    )


def _tree_column(entry: Entry) -> str | None:
    if len(entry.tree.parents) == 1:
        return None
    told = {
        "paths": revtree.to_paths(entry.tree),
        "deleted": sorted(entry.tree.deleted),
        "bodies": entry.bodies,
    }
    return orjson.dumps(told).decode()


def rows_since(connection: sqlite3.Connection, db: int, since: int, limit: int) -> Iterator[DocumentRow]:
    return connection.execute(
        f"{BARE_BY_SEQ} WHERE d.db = ? AND d.seq > ? ORDER BY d.seq LIMIT ?", (db, since, limit)
    )


def rows_before(connection: sqlite3.Connection, db: int, before: int, limit: int) -> Iterator[DocumentRow]:
    """The latest first."""
    return connection.execute(
        f"{BARE_BY_SEQ} WHERE d.db = ? AND d.seq < ? ORDER BY d.seq DESC LIMIT ?", (db, before, limit)
    )


def rows_with_bodies_since(
    connection: sqlite3.Connection, db: int, since: int, limit: int, *, include_docs: bool
) -> tuple[list[tuple[Any, ...]], bool]:
    """Rows of WITH_BODIES; without docs, of BARE padded to their width. True if the page is cut short."""
    columns = WITH_BODIES_BY_SEQ if include_docs else f"SELECT {COLUMNS_BY_SEQ}, 0, NULL FROM documents d"  # noqa: S608
    return within_page(
        connection.execute(
            f"{columns} WHERE d.db = ? AND d.seq > ? ORDER BY d.seq LIMIT ?", (db, since, limit)
        )
    )


def rows_with_receipts_since(
    connection: sqlite3.Connection, db: int, since: int, limit: int
) -> tuple[list[tuple[Any, ...]], bool]:
    """Rows of WITH_RECEIPTS. True if the page is cut short."""
    rows = connection.execute(
        f"{WITH_RECEIPTS_BY_SEQ} WHERE d.db = ? AND d.seq > ? ORDER BY d.seq LIMIT ?", (db, since, limit)
    )
    return within_page(rows, LARGE_PAGE_BYTES)


def rows_with_bodies(
    connection: sqlite3.Connection, db: int, doc_ids: Sequence[str]
) -> Iterator[tuple[Any, ...]]:
    """Rows of WITH_BODIES in no order."""
    return _in_bulk(connection, f"{WITH_BODIES} WHERE d.db = ? AND d.id IN", db, doc_ids)


def seqs_of(connection: sqlite3.Connection, db: int, doc_ids: Iterable[str]) -> list[tuple[int, str]]:
    """(seq, id) of those documents that exist, in no order."""
    statement = "SELECT d.seq, d.id FROM documents d WHERE d.db = ? AND d.id IN"
    return list(_in_bulk(connection, statement, db, doc_ids))


def count_since(connection: sqlite3.Connection, db: int, since: int, most: int) -> int:
    """How many documents changed after `since`; counting stops at `most`."""
    row = connection.execute(
        "SELECT count(*) FROM (SELECT 1 FROM documents WHERE db = ? AND seq > ? LIMIT ?)", (db, since, most)
    ).fetchone()
    return int(row[0])


@dataclass(frozen=True, slots=True)
class IdRange:
    """Ids between two ends in the order of their bytes; `descending` turns start and end around, as in
    CouchDB.
    """

    startkey: str | None = None
    endkey: str | None = None
    inclusive_end: bool = True
    descending: bool = False
    inclusive_start: bool = True

    def conditions(self, column: str = "d.id") -> tuple[str, list[str]]:
        low, high = (">=", "<=") if not self.descending else ("<=", ">=")
        parts, values = [], []
        if self.startkey is not None:
            parts.append(f" AND {column} {low if self.inclusive_start else low[0]} ?")
            values.append(self.startkey)
        if self.endkey is not None:
            parts.append(f" AND {column} {high if self.inclusive_end else high[0]} ?")
            values.append(self.endkey)
        return "".join(parts), values


def live_rows(connection: sqlite3.Connection, db: int, ids: IdRange, skip: int, limit: int) -> list[Any]:
    """Rows of BARE."""
    return _live_rows(connection, BARE, db, ids, skip, limit).fetchall()


def live_rows_with_bodies(
    connection: sqlite3.Connection, db: int, ids: IdRange, skip: int, limit: int
) -> tuple[list[tuple[Any, ...]], bool]:
    """Rows of WITH_BODIES. True if the page is cut short."""
    return within_page(_live_rows(connection, WITH_BODIES, db, ids, skip, limit))


def _live_rows(
    connection: sqlite3.Connection, columns: str, db: int, ids: IdRange, skip: int, limit: int
) -> sqlite3.Cursor:
    where, values = ids.conditions()
    order = "DESC" if ids.descending else "ASC"
    return connection.execute(
        f"{columns} WHERE d.db = ? AND d.deleted = 0{where} ORDER BY d.id {order} LIMIT ? OFFSET ?",
        (db, *values, limit, skip),
    )


def live_count_before(connection: sqlite3.Connection, db: int, ids: IdRange) -> int:
    """How many live documents come before the range's start."""
    if ids.startkey is None:
        return 0
    before = ">" if ids.descending else "<"
    row = connection.execute(
        f"SELECT count(*) FROM documents d WHERE d.db = ? AND d.deleted = 0 AND d.id {before} ?",  # noqa: S608
        (db, ids.startkey),
    ).fetchone()
    return int(row[0])
