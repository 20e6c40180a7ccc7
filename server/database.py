"""SQL engines: what every connection of ours needs, whichever tables it serves."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DisconnectionError

BUSY_TIMEOUT_MS = 10_000


def open_engine(url: str, *, lasting: bool = True) -> Engine:
    """An engine whose connections keep what they acknowledged; not with `lasting=False`, which is for what
    would be made anew after a loss of power.

    A SQLite database may be a link that is turned to another file: each connection that the pool hands out
    reads the file of that moment. What a statement was given stands in no error and in no log.
    """
    engine = create_engine(url, hide_parameters=True)
    if make_url(url).get_backend_name() == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "checkout", _checker(make_url(url).database or ""))
        if not lasting:
            event.listen(engine, "connect", _hurry_sqlite)
    elif not lasting:
        event.listen(engine, "connect", _hurry_postgresql)
    return engine


def _prepare_sqlite(connection: Any, record: Any) -> None:
    cursor = connection.cursor()
    # First: changing the journal mode needs a lock that another process may hold.
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    record.info["file"] = cursor.execute("PRAGMA database_list").fetchone()[2]
    cursor.close()


def _checker(path: str) -> Callable[[Any, Any, Any], None]:
    def check(_connection: Any, record: Any, _proxy: Any) -> None:
        """The pool answers this error with another connection."""
        file = record.info.get("file")
        if file and file != os.path.realpath(path):
            raise DisconnectionError(f"{file} was replaced")

    return check


def _hurry_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous = OFF")
    cursor.execute("PRAGMA cache_size = -100000")  # KB
    cursor.close()


def _hurry_postgresql(connection: Any, _record: Any) -> None:
    connection.execute("SET synchronous_commit = off")
    connection.commit()
