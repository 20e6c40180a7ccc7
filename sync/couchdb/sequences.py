"""The CouchDB store's sequences: `<CouchDB's own>~<birth>`.

CouchDB's own are opaque. `birth` is when the database was made (CouchDB's `instance_start_time`, the same on
all nodes), so that the sequence of another store, or of a database restored elsewhere, is known as such.
"""

from __future__ import annotations

from sync.store import BEGINNING, Seq

MARK = "~"


def written(seq: object, birth: str) -> Seq:
    return f"{seq}{MARK}{birth}"


def own_of(since: Seq, birth: str) -> str:
    """CouchDB's own sequence in `since`; the beginning if another database gave it."""
    own, mark, told = since.rpartition(MARK)
    return own if mark and told == birth else BEGINNING
