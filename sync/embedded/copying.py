"""Copies of a store's file, made while others write to it, and what a copy must change to take its place."""

from __future__ import annotations

import os
import secrets
import sqlite3
import uuid
from contextlib import closing
from pathlib import Path

from sync.embedded import checksums

BUSY_TIMEOUT_MS = 30_000


def copy_store(source: Path, target: Path) -> None:
    """Write one moment of `source` to the file `target`, which must not exist; on disk when this returns.

    Whatever was acknowledged before the call is in it. Readers and writers go on meanwhile; the write-ahead
    log grows by what they write until the copy is done. Raises sqlite3.Error.
    """
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with closing(_connect(source)) as connection:
        connection.execute("VACUUM INTO ?", (str(target),))
    flush(target)


def become_another(path: Path) -> None:
    """Make the copy `path` a store of its own: a new name in the world, new epochs, no local documents.

    A copy is older than what its clients know. Their checkpoints name this store, count in its sequences and
    tell of documents that it may lack; and its next sequences belong to other documents than the lost ones
    did. So every client has to compare from the beginning, which moves nothing that both sides have.
    """
    with closing(_connect(path)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("DELETE FROM locals")
        (clock,) = connection.execute("SELECT clock FROM server").fetchone()
        name = uuid.uuid4().hex
        checksum = checksums.of_server(name, clock)
        connection.execute("UPDATE server SET uuid = ?, checksum = ?", (name, checksum))
        columns, checksum_of = checksums.COVERED["databases"]
        for row in connection.execute(f"SELECT {columns} FROM databases").fetchall():  # noqa: S608
            db, database_name, _epoch, *counters = row
            values = (db, database_name, secrets.token_hex(4), *counters)
            connection.execute(
                "UPDATE databases SET epoch = ?, checksum = ? WHERE db = ?",
                (values[2], checksum_of(*values), db),
            )
        connection.execute("COMMIT")
    flush(path)


def flush(path: Path) -> None:
    """Have a file, or a folder's list of names, on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, isolation_level=None)
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA synchronous = FULL")
    return connection
