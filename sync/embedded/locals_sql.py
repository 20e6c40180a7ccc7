"""Rows of `locals`. A local document has a body and a counter, and no history."""

from __future__ import annotations

import sqlite3

from sync.embedded import checksums


def load_local(connection: sqlite3.Connection, db: int, local_id: str) -> tuple[int, bytes] | None:
    row = connection.execute(
        "SELECT rev, body FROM locals WHERE db = ? AND id = ?", (db, local_id)
    ).fetchone()
    return (int(row[0]), bytes(row[1])) if row else None


def save_local(connection: sqlite3.Connection, db: int, local_id: str, rev: int, body: bytes) -> None:
    connection.execute(
        "REPLACE INTO locals (db, id, rev, checksum, body) VALUES (?, ?, ?, ?, ?)",
        (db, local_id, rev, checksums.of_local(db, local_id, rev, body), body),
    )


def delete_local(connection: sqlite3.Connection, db: int, local_id: str) -> bool:
    cursor = connection.execute("DELETE FROM locals WHERE db = ? AND id = ?", (db, local_id))
    return cursor.rowcount > 0
