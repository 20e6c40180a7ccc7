"""Up to when the read model has seen everything, so that what is asked for later than that loses nothing."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from server import clock
from server.app import Gridbook
from server.readmodel.tables import checkpoints
from sync.store import BEGINNING, NotFound, Seq, Store

COMMITTED_WITHIN = timedelta(seconds=10)  # from the stamp of a push to its commit
LOOKED_AT = 100


def settled_at(shared: Gridbook) -> str:
    """A moment (UTC): every record that was received before it is in the read model."""
    moments = [clock.stamp(clock.now() - COMMITTED_WITHIN)]
    with shared.readmodel.engine.connect() as connection:
        rows = connection.execute(select(checkpoints.c.db, checkpoints.c.since)).all()
    handled = {row.db: row.since for row in rows}
    for name in shared.store.updates()[0]:
        if name.startswith("inbox-"):
            moments += _waiting(shared.store, name, handled.get(name, BEGINNING))
    return min(moments)


def _waiting(store: Store, name: str, since: Seq) -> list[str]:
    """When the first changes of an inbox were received that intake has not handled."""
    try:
        page = store.open(name).changes(since=since, limit=LOOKED_AT, receipts=True)
    except NotFound:
        return []
    return [leaf.received_at for row in page.rows for leaf in row.leaves]
