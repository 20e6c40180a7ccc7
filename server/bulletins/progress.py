"""Whether intake has handled everything that was received up to a moment: only then can figures be frozen.

A rebuild is no obstacle: the tables that are read are kept up while others are filled beside them. Tables
that were made of another store or by another declaration are, until they are replaced.
"""

from __future__ import annotations

import time

from sqlalchemy import Connection, select

from server import clock
from server.bulletins.refusals import Refused
from server.intake.feed import rank
from server.intake.rebuilding import expected_end
from server.readmodel.declaration import Declaration
from server.readmodel.model import ReadModel, read_meta
from server.readmodel.moments import BEIJING
from server.readmodel.tables import checkpoints
from sync.store import BEGINNING, NotFound, Seq, Store

CHANGES_MAX = 1000
PAUSE_S = 0.2


def wait_until_handled(
    store: Store, readmodel: ReadModel, declaration: Declaration, moment: str, wait_s: float
) -> None:
    """Raises Refused when the tables are out of date, or intake is still behind after `wait_s`."""
    end = time.monotonic() + wait_s
    while True:
        with readmodel.engine.connect() as connection:
            out_of_date = is_out_of_date(connection, store, declaration)
            behind = None if out_of_date else behind_in(connection, store, moment)
        if not out_of_date and behind is None:
            return
        if time.monotonic() >= end:
            if out_of_date:
                raise Refused("bulletin-rebuilding", until=until(readmodel))
            raise Refused("bulletin-behind", db=behind)
        time.sleep(PAUSE_S)


def until(readmodel: ReadModel) -> dict[str, str]:
    """In words, when tables that are out of date will be replaced."""
    end = expected_end(readmodel, clock.now())
    if end is None:
        return {"zh": "刚开始，还不能估计何时完成", "en": "it has just begun"}
    at = end.astimezone(BEIJING).strftime("%H:%M")
    return {"zh": f"预计 {at} 完成", "en": f"it should be done at {at}, Beijing time"}


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
