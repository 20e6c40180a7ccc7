"""The tables of the embedded store. One SQLite file holds every database.

    databases ──< documents ──> revisions ──< attachments >── blobs
              └─< locals

* `documents` has one row a document: where it stands in the changes (`seq`), its winner, and its revision
  tree. `tree` is NULL while the winner is all there is to the tree, which is so for most documents for
  ever; `single` says so, too. Otherwise it is JSON: {"paths": [[newest, …, oldest], …], "deleted": [rev, …],
  "bodies": {rev: number in `revisions`}}.
* `documents_by_seq` holds all that the changes tell of such a document. Neighbours in the changes are
  strangers in `documents`, which is ordered by id: to look up each would be a page of the file a row.
* `revisions` has one row a kept body. A body is the JSON of the document without its special members.
* `blobs` holds attachments once, by content. SHA-256 names them because MD5, which CouchDB's digests use,
  can be forged.
* `databases.moved` and `server.clock` order the writes of all databases. The clock also numbers the
  databases, so that no number is used twice.
* `checksum` covers the other columns of its row (`checksums.py`).

`user_version` counts the layout. A file of a lower one is brought up to date when it is opened
(`migrations.py`). A file of a higher one was written by a newer Gridbook and is refused.
"""

from __future__ import annotations

import sqlite3
import uuid

from sync.embedded import checksums, migrations

LAYOUT = 3

TABLES = """
CREATE TABLE server (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    uuid TEXT NOT NULL,
    clock INTEGER NOT NULL,
    checksum INTEGER NOT NULL
);
CREATE TABLE databases (
    db INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    epoch TEXT NOT NULL,
    seq INTEGER NOT NULL,
    moved INTEGER NOT NULL,
    doc_count INTEGER NOT NULL,
    doc_del_count INTEGER NOT NULL,
    revs_limit INTEGER NOT NULL,
    checksum INTEGER NOT NULL
);
CREATE INDEX databases_by_moved ON databases (moved);
CREATE TABLE documents (
    db INTEGER NOT NULL,
    id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    rev TEXT NOT NULL,
    deleted INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    single INTEGER NOT NULL CHECK (single = (tree IS NULL)),
    tree TEXT,
    checksum INTEGER NOT NULL,
    PRIMARY KEY (db, id)
) WITHOUT ROWID;
CREATE INDEX documents_by_seq ON documents (db, seq, rev, deleted, revision, single);
CREATE TABLE revisions (
    revision INTEGER PRIMARY KEY,
    writer TEXT NOT NULL,
    received_at INTEGER NOT NULL,  -- ms since 1970, UTC
    attachments INTEGER NOT NULL,  -- how many
    checksum INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE TABLE attachments (
    revision INTEGER NOT NULL,
    name TEXT NOT NULL,
    content_type TEXT NOT NULL,
    digest TEXT NOT NULL,
    length INTEGER NOT NULL,
    revpos INTEGER NOT NULL,
    blob INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    PRIMARY KEY (revision, name)
) WITHOUT ROWID;
CREATE INDEX attachments_by_blob ON attachments (blob);
CREATE TABLE blobs (
    blob INTEGER PRIMARY KEY,
    sha256 BLOB NOT NULL UNIQUE,
    data BLOB NOT NULL
);
CREATE TABLE locals (
    db INTEGER NOT NULL,
    id TEXT NOT NULL,
    rev INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (db, id)
) WITHOUT ROWID;
"""


class UnusableStore(RuntimeError):
    """The file cannot be opened as a store; the message says why and which."""


class UnknownLayout(UnusableStore):
    """The file was written by a newer Gridbook."""


def prepare(connection: sqlite3.Connection) -> None:
    """Make the tables in an empty file; bring those of an older layout up to date."""
    layout = connection.execute("PRAGMA user_version").fetchone()[0]
    if layout > LAYOUT:
        raise UnknownLayout(f"the store has layout {layout}; this Gridbook knows layouts up to {LAYOUT}")
    if layout == LAYOUT:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        if layout == 0:
            _fill_empty(connection)
        else:
            migrations.migrate(connection, layout, statements())
        connection.execute(f"PRAGMA user_version = {LAYOUT}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def statements() -> list[str]:
    return [statement.strip() for statement in TABLES.split(";\n") if statement.strip()]


def _fill_empty(connection: sqlite3.Connection) -> None:
    for statement in statements():
        connection.execute(statement)
    name = uuid.uuid4().hex
    connection.execute(
        "INSERT INTO server (only, uuid, clock, checksum) VALUES (1, ?, 0, ?)",
        (name, checksums.of_server(name, 0)),
    )
