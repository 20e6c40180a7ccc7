"""Rows of `locals`. A local document has a body and a counter, and no history."""

from __future__ import annotations

import sqlite3

from sync.embedded import checksums
from sync.embedded.documents_sql import IdRange
from sync.embedded.statements import within_page

# Takes the local document's id and the database; no row without the database, NULLs without the document.
LOCAL = "SELECT l.rev, l.body FROM databases d LEFT JOIN locals l ON l.db = d.db AND l.id = ? WHERE d.db = ?"


def load_locals(
    connection: sqlite3.Connection, db: int, ids: IdRange, skip: int, limit: int
) -> list[tuple[str, int, bytes]]:
    """(id, rev, body), as many as make a page."""
    where, values = ids.conditions("id")
    order = "DESC" if ids.descending else "ASC"
    return within_page(
        connection.execute(
            f"SELECT id, rev, body FROM locals WHERE db = ?{where} ORDER BY id {order} LIMIT ? OFFSET ?",  # noqa: S608
            (db, *values, limit, skip),
        )
    )[0]


def save_local(connection: sqlite3.Connection, db: int, local_id: str, rev: int, body: bytes) -> None:
    connection.execute(
        "REPLACE INTO locals (db, id, rev, checksum, body) VALUES (?, ?, ?, ?, ?)",
        (db, local_id, rev, checksums.of_local(db, local_id, rev, body), body),
    )


def delete_local(connection: sqlite3.Connection, db: int, local_id: str) -> bool:
    cursor = connection.execute("DELETE FROM locals WHERE db = ? AND id = ?", (db, local_id))
    return cursor.rowcount > 0
