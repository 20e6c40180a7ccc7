"""Files of older layouts, brought up to date in one transaction: all of it, or nothing.

| layout | what it lacked |
|---|---|
| 1 | checksums |
| 2 | `documents.single`, and all but the sequence in `documents_by_seq` |

What has changed is made anew and filled from the old tables. The file grows by their size while this runs
(from layout 1 by that of the bodies, too) and keeps the room for later documents.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from sync.embedded.checksums import COVERED

# table → its columns that no checksum covers, and where an older layout has them
NOT_COVERED = {
    "server": {"only": "only"},
    "revisions": {"revision": "revision"},
    "documents": {"single": "tree IS NULL"},
}
INDEXES = {1: ("databases_by_moved", "documents_by_seq", "attachments_by_blob"), 2: ("documents_by_seq",)}
TABLES: dict[int, Sequence[str]] = {1: tuple(COVERED), 2: ("documents",)}


def migrate(connection: sqlite3.Connection, layout: int, statements: list[str]) -> None:
    """Bring a file of `layout` up to date. `statements` makes the tables and indexes of today."""
    for index in INDEXES[layout]:
        connection.execute(f"DROP INDEX {index}")
    for table in TABLES[layout]:
        connection.execute(f"ALTER TABLE {table} RENAME TO {table}_of_layout_{layout}")
    tables = [one for one in statements if one.startswith("CREATE TABLE")]
    _make_missing(connection, tables)
    for table in TABLES[layout]:
        _refill(connection, table, layout)
    # An index of a full table is sorted once; filled beside it, it would be written all over.
    _make_missing(connection, [one for one in statements if one not in tables])


def _make_missing(connection: sqlite3.Connection, statements: list[str]) -> None:
    there = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema")}
    for statement in statements:
        if statement.split()[2] not in there:
            connection.execute(statement)


def _refill(connection: sqlite3.Connection, table: str, layout: int) -> None:
    covered, checksum = COVERED[table]
    connection.create_function("checksum_of_row", -1, checksum)
    others = NOT_COVERED.get(table, {})
    columns = ", ".join([covered, *others])
    values = ", ".join([covered, *others.values()])
    # A checksum that is there stays: one that does not match must not be made to.
    checked = f"checksum_of_row({covered})" if layout == 1 else "checksum"
    connection.execute(
        f"INSERT INTO {table} ({columns}, checksum)"  # noqa: S608 - names of our own
        f" SELECT {values}, {checked} FROM {table}_of_layout_{layout}"
    )
    connection.execute(f"DROP TABLE {table}_of_layout_{layout}")
