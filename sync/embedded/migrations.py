"""Files of older layouts, brought up to date in one transaction: all of it, or nothing.

Layout 1 had no checksums. Its tables are made anew and filled from the old ones; `blobs` stays as it is. The
file grows by the size of the bodies while this runs and keeps the room for later documents.
"""

from __future__ import annotations

import sqlite3

from sync.embedded.checksums import COVERED

NOT_COVERED = {"server": "only, ", "revisions": "revision, "}


def migrate_from_1(connection: sqlite3.Connection, statements: list[str]) -> None:
    """`statements` makes the tables and indexes of today."""
    for index in ("databases_by_moved", "documents_by_seq", "attachments_by_blob"):
        connection.execute(f"DROP INDEX {index}")
    for table in COVERED:
        connection.execute(f"ALTER TABLE {table} RENAME TO {table}_of_layout_1")
    for statement in statements:
        if not statement.startswith("CREATE TABLE blobs"):
            connection.execute(statement)
    for table in COVERED:
        _refill(connection, table)


def _refill(connection: sqlite3.Connection, table: str) -> None:
    covered, checksum = COVERED[table]
    connection.create_function("checksum_of_row", -1, checksum)
    columns = NOT_COVERED.get(table, "") + covered
    connection.execute(
        f"INSERT INTO {table} ({columns}, checksum)"  # noqa: S608 - names of our own
        f" SELECT {columns}, checksum_of_row({covered}) FROM {table}_of_layout_1"
    )
    connection.execute(f"DROP TABLE {table}_of_layout_1")
