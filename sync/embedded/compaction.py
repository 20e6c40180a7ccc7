"""Forgetting: old bodies, and whole databases."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager

from sync import revtree
from sync.embedded import documents_sql, revisions_sql

BATCH = 500

Writing = Callable[[], AbstractContextManager[sqlite3.Connection]]


def compact(writing: Writing, db: int) -> None:
    """Forget the bodies of all revisions that are not leaves. Others may write between two batches."""
    after: str | None = ""
    while after is not None:
        with writing() as connection:
            documents_sql.load_database(connection, db)
            after = _compact_some(connection, db, after)


def _compact_some(connection: sqlite3.Connection, db: int, after: str) -> str | None:
    rows = connection.execute(
        f"SELECT {documents_sql.COLUMNS} FROM documents d"  # noqa: S608
        " WHERE d.db = ? AND d.id > ? AND d.tree IS NOT NULL ORDER BY d.id LIMIT ?",
        (db, after, BATCH),
    ).fetchall()
    for row in rows:
        _forget_inner_bodies(connection, db, documents_sql.entry_of(row))
    return str(rows[-1][0]) if rows else None


def _forget_inner_bodies(connection: sqlite3.Connection, db: int, entry: documents_sql.Entry) -> None:
    leaves = set(revtree.leaves(entry.tree))
    inner = [rev for rev in entry.bodies if rev not in leaves]
    if inner:
        revisions_sql.delete_revisions(connection, [entry.bodies.pop(rev) for rev in inner])
        documents_sql.save_entry(connection, db, entry)


def forget_database(connection: sqlite3.Connection, db: int) -> None:
    """Everything of one database, in one transaction."""
    after = ""
    while rows := connection.execute(
        f"SELECT {documents_sql.COLUMNS} FROM documents d"  # noqa: S608
        " WHERE d.db = ? AND d.id > ? ORDER BY d.id LIMIT ?",
        (db, after, BATCH),
    ).fetchall():
        for row in rows:
            revisions_sql.delete_revisions(connection, documents_sql.entry_of(row).bodies.values())
        after = rows[-1][0]
    connection.execute("DELETE FROM documents WHERE db = ?", (db,))
    connection.execute("DELETE FROM locals WHERE db = ?", (db,))
    connection.execute("DELETE FROM databases WHERE db = ?", (db,))
