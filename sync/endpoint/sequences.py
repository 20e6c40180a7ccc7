"""Sequences on the wire: `<number>-<epoch>`.

The epoch names the database's incarnation. A client that comes with a sequence of a database that was
deleted and made anew starts from the beginning instead of missing what it has not seen.
"""

from __future__ import annotations

import re

from sync.store import BadRequest, Database

_SEQUENCE = re.compile(r'"?(\d{1,18})(?:-([0-9a-zA-Z_]{1,64}))?"?', re.ASCII)


def written(database: Database, seq: int) -> str:
    return f"{seq}-{database.epoch}"


def incarnation(database: Database) -> str:
    """CouchDB's `instance_start_time`, by which its replicator notices that a database was made anew."""
    return str(int.from_bytes(database.epoch.encode()))


def parsed(database: Database, since: str | None) -> int:
    """What to start after. Takes a plain number, `now`, and a sequence with the quotes of its JSON."""
    if since is None:
        return 0
    if since == "now":
        return database.seq()
    found = _SEQUENCE.fullmatch(since)
    if found is None:
        raise BadRequest("Malformed sequence supplied in 'since' parameter.")
    if found[2] is not None and found[2] != database.epoch:
        return 0
    return int(found[1])
