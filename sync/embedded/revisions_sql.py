"""Rows of `revisions`, `attachments` and `blobs`: the bodies, and what hangs on them."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sync.embedded import checksums
from sync.embedded.statements import batched


@dataclass(frozen=True, slots=True)
class StoredAttachment:
    name: str
    content_type: str
    digest: str
    length: int
    revpos: int
    blob: int


@dataclass(frozen=True, slots=True)
class Revision:
    writer: str
    received_at: int  # ms since 1970
    attachments: int
    body: bytes


def load_revision(connection: sqlite3.Connection, revision: int) -> Revision:
    row = connection.execute(
        "SELECT writer, received_at, attachments, body FROM revisions WHERE revision = ?", (revision,)
    ).fetchone()
    return Revision(*row)


def insert_revision(
    connection: sqlite3.Connection,
    body: bytes,
    attachments: Sequence[StoredAttachment],
    writer: str,
    received_at: int,
) -> int:
    checksum = checksums.of_revision(writer, received_at, len(attachments), body)
    cursor = connection.execute(
        "INSERT INTO revisions (writer, received_at, attachments, checksum, body) VALUES (?, ?, ?, ?, ?)",
        (writer, received_at, len(attachments), checksum, body),
    )
    revision = cursor.lastrowid
    assert revision is not None  # noqa: S101
    if attachments:
        _insert_attachments(connection, revision, attachments)
    return revision


def insert_revisions(
    connection: sqlite3.Connection, bodies: Sequence[bytes], writer: str, received_at: int
) -> int:
    """Bodies without attachments; the number of the first, which the others follow."""
    first: int = connection.execute("SELECT coalesce(max(revision), 0) + 1 FROM revisions").fetchone()[0]
    connection.executemany(
        "INSERT INTO revisions (revision, writer, received_at, attachments, checksum, body)"
        " VALUES (?, ?, ?, 0, ?, ?)",
        (
            (number, writer, received_at, checksums.of_revision(writer, received_at, 0, body), body)
            for number, body in enumerate(bodies, first)
        ),
    )
    return first


def _insert_attachments(
    connection: sqlite3.Connection, revision: int, attachments: Sequence[StoredAttachment]
) -> None:
    rows = [(revision, a.name, a.content_type, a.digest, a.length, a.revpos, a.blob) for a in attachments]
    connection.executemany(
        "INSERT INTO attachments (revision, name, content_type, digest, length, revpos, blob, checksum)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [(*row, checksums.of_attachment(*row)) for row in rows],
    )


def load_attachments(connection: sqlite3.Connection, revision: int) -> list[StoredAttachment]:
    rows = connection.execute(
        "SELECT name, content_type, digest, length, revpos, blob FROM attachments WHERE revision = ?"
        " ORDER BY name",
        (revision,),
    )
    return [StoredAttachment(*row) for row in rows]


def keep_blob(connection: sqlite3.Connection, data: bytes) -> int:
    """The number of this content; the same content is kept once."""
    name = hashlib.sha256(data).digest()
    row = connection.execute("SELECT blob FROM blobs WHERE sha256 = ?", (name,)).fetchone()
    if row is None:
        row = connection.execute(
            "INSERT INTO blobs (sha256, data) VALUES (?, ?) RETURNING blob", (name, data)
        ).fetchone()
    return int(row[0])


def load_blob(connection: sqlite3.Connection, blob: int) -> bytes:
    return bytes(connection.execute("SELECT data FROM blobs WHERE blob = ?", (blob,)).fetchone()[0])


def delete_revisions(connection: sqlite3.Connection, revisions: Iterable[int]) -> None:
    """Forget bodies, their attachments, and the blobs that nothing names any more."""
    for some in batched(revisions):
        marks = ",".join("?" * len(some))
        blobs = connection.execute(
            f"DELETE FROM attachments WHERE revision IN ({marks}) RETURNING blob",  # noqa: S608
            some,
        ).fetchall()
        connection.execute(f"DELETE FROM revisions WHERE revision IN ({marks})", some)  # noqa: S608
        connection.executemany(
            "DELETE FROM blobs WHERE blob = ?1 AND NOT EXISTS (SELECT 1 FROM attachments WHERE blob = ?1)",
            set(blobs),
        )
