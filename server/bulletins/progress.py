"""Whether intake has handled everything that was received up to a moment: only then can figures be frozen."""

from __future__ import annotations

import time

from sqlalchemy import Connection, select

from server.bulletins.refusals import Refused
from server.intake.follower import REQUEST, rank
from server.readmodel.declaration import Declaration
from server.readmodel.model import ReadModel, read_meta
from server.readmodel.tables import checkpoints
from sync.store import BEGINNING, NotFound, Seq, Store

CHANGES_MAX = 1000
PAUSE_S = 0.2


def wait_until_handled(
    store: Store, readmodel: ReadModel, declaration: Declaration, moment: str, wait_s: float
) -> None:
    """Raises Refused when the read model is being made again, or intake is still behind after `wait_s`."""
    end = time.monotonic() + wait_s
    while True:
        with readmodel.engine.connect() as connection:
            rebuilding = is_rebuilding(connection, store, declaration)
            behind = None if rebuilding else behind_in(connection, store, moment)
        if not rebuilding and behind is None:
            return
        if time.monotonic() >= end:
            raise Refused("bulletin-rebuilding") if rebuilding else Refused("bulletin-behind", db=behind)
        time.sleep(PAUSE_S)


def is_rebuilding(connection: Connection, store: Store, declaration: Declaration) -> bool:
    """A rebuild was asked for, or the tables are out of date."""
    return read_meta(connection, REQUEST) == "rebuild" or is_out_of_date(connection, store, declaration)


def is_out_of_date(connection: Connection, store: Store, declaration: Declaration) -> bool:
    """The tables were made of another store or by another declaration, or are empty still."""
    made_of = read_meta(connection, "store"), read_meta(connection, "declaration")
    return made_of != (store.uuid, declaration.digest)


def behind_in(connection: Connection, store: Store, moment: str) -> str | None:
    """A database with changes of up to `moment` that intake has not handled; None when there is none."""
    done = dict(connection.execute(select(checkpoints.c.db, checkpoints.c.since)).all())
    for name in store.updates()[0]:
        if rank(name) is not None and _is_behind(store, name, done.get(name, BEGINNING), moment):
            return name
    return None


def _is_behind(store: Store, name: str, since: Seq, moment: str) -> bool:
    try:
        page = store.open(name).changes(since=since, limit=CHANGES_MAX, receipts=True)
    except NotFound:
        return False
    if page.pending:
        return True
    return any(leaf.received_at <= moment for row in page.rows for leaf in row.leaves)
