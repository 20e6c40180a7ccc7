"""Sequences on the wire: the store's own, which only the database that gave one can read."""

from __future__ import annotations

import re

from sync.store import BEGINNING, BadRequest, Database, Seq

SEQUENCE_CHARACTERS_MAX = 4096

# What any CouchDB gives out begins with a number. What follows differs between stores, and a client that
# comes with the sequence of another one starts from the beginning.
_SEQUENCE = re.compile(r"[0-9]{1,18}(?:[-~][0-9a-zA-Z_~=-]+)?", re.ASCII)


def parsed(database: Database, since: str | None) -> Seq:
    """What to start after. Takes a sequence, with the quotes of its JSON or without, a number, and `now`."""
    if since is None:
        return BEGINNING
    if since == "now":
        return database.seq()
    told = since[1:-1] if len(since) > 2 and since[0] == since[-1] == '"' else since
    if len(told) > SEQUENCE_CHARACTERS_MAX or not _SEQUENCE.fullmatch(told):
        raise BadRequest("Malformed sequence supplied in 'since' parameter.")
    return told
