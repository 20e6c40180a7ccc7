"""Records that have arrived and that no verdict answers yet, by what the follower has read of each inbox.

An inbox in which nothing waited is looked at again when it moves, or when the follower stands elsewhere in
it, so that asking costs little while nothing happens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import select

from server.intake.tools import village_of
from server.readmodel.model import ReadModel
from server.readmodel.tables import checkpoints
from sync.store import BEGINNING, NotFound, Seq, Store

INBOX = "inbox-"


@dataclass(frozen=True, slots=True)
class Unjudged:
    """How many, and when the oldest was received (RFC 3339 UTC), where the store knows that."""

    records: int
    oldest_received_at: str | None


@dataclass(frozen=True, slots=True)
class _Known:
    """As far as the store had moved: the inboxes in which something waited, and how far the others were
    read."""

    moved: Seq = BEGINNING
    waits: frozenset[str] = frozenset()
    settled: Mapping[str, Seq] = field(default_factory=dict)


_known: dict[tuple[str, str], _Known] = {}


def unjudged(store: Store, readmodel: ReadModel) -> dict[str, Unjudged]:
    """{village code: what waits there}, of villages in which something does. Raises StoreError."""
    key = (store.uuid, str(readmodel.engine.url))
    known = _known.get(key, _Known())
    names, moved = store.updates(known.moved)
    with readmodel.engine.connect() as connection:
        read: dict[str, Seq] = dict(connection.execute(select(checkpoints.c.db, checkpoints.c.since)).all())
    elsewhere = {name for name, since in known.settled.items() if read.get(name, BEGINNING) != since}
    looked_at = {name for name in names if name.startswith(INBOX)} | known.waits | elsewhere
    found = {name: _waiting_in(store, name, read.get(name, BEGINNING)) for name in looked_at}
    waiting = {name: each for name, each in found.items() if each}
    settled = {**known.settled, **{name: read.get(name, BEGINNING) for name in looked_at - waiting.keys()}}
    _known[key] = _Known(moved, frozenset(waiting), settled)
    return {village_of(name): each for name, each in waiting.items()}


def _waiting_in(store: Store, name: str, since: Seq) -> Unjudged | None:
    try:
        page = store.open(name).changes(since=since, limit=1, receipts=True)
    except NotFound:
        return None
    if not page.rows:
        return None
    received = (leaf.received_at for leaf in page.rows[0].leaves)
    return Unjudged(len(page.rows) + page.pending, min(filter(None, received), default=None))
