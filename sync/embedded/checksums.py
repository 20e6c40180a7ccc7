"""Checksums of rows: how `checking` finds a byte that the disk, or somebody's editor, has changed.

CRC-32 finds every flipped byte and costs about a microsecond a row. It is no protection from forgery. Blobs
need none of these: they are named by their SHA-256.
"""

from __future__ import annotations

from collections.abc import Callable
from zlib import crc32


def of_server(uuid: str, clock: int) -> int:
    return _of(uuid, clock)


def of_database(
    db: int, name: str, epoch: str, seq: int, moved: int, doc_count: int, doc_del_count: int, revs_limit: int
) -> int:
    return _of(db, name, epoch, seq, moved, doc_count, doc_del_count, revs_limit)


def of_document(
    db: int, doc_id: str, seq: int, rev: str, deleted: int, revision: int, tree: str | None
) -> int:
    return crc32(f"{db}\0{doc_id}\0{seq}\0{rev}\0{deleted}\0{revision}\0{tree}".encode())


def of_revision(writer: str, received_at: int, attachments: int, body: bytes) -> int:
    return crc32(body, crc32(f"{writer}\0{received_at}\0{attachments}".encode()))


def of_attachment(
    revision: int, name: str, content_type: str, digest: str, length: int, revpos: int, blob: int
) -> int:
    return _of(revision, name, content_type, digest, length, revpos, blob)


def of_local(db: int, local_id: str, rev: int, body: bytes) -> int:
    return crc32(body, _of(db, local_id, rev))


def _of(*values: object) -> int:
    return crc32("\0".join(map(str, values)).encode())


# table → its columns that `checksum` covers, in the order in which the function takes them
COVERED: dict[str, tuple[str, Callable[..., int]]] = {
    "server": ("uuid, clock", of_server),
    "databases": (
        "db, name, epoch, seq, moved, doc_count, doc_del_count, revs_limit",
        of_database,
    ),
    "documents": ("db, id, seq, rev, deleted, revision, tree", of_document),
    "revisions": ("writer, received_at, attachments, body", of_revision),
    "attachments": ("revision, name, content_type, digest, length, revpos, blob", of_attachment),
    "locals": ("db, id, rev, body", of_local),
}
