"""A page of a list may take only so long: what would read everything is broken off, and told, instead of
keeping a worker from its other readers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import DBAPIError

PAGE_S = 3.0
STEPS = 10_000  # of SQLite's machine between two looks at the clock
CANCELED = "57014"  # PostgreSQL's code of a statement that took too long


class TooWide(Exception):
    """The question reads too much: fewer days, a village or another filter make it possible."""


@contextmanager
def limited(engine: Engine) -> Iterator[Connection]:
    """A connection whose queries together (on PostgreSQL: each) end within PAGE_S. Raises TooWide."""
    with engine.connect() as connection:
        sqlite = connection.dialect.name == "sqlite"
        raw = connection.connection.driver_connection
        end = time.monotonic() + PAGE_S
        if sqlite and raw is not None:
            raw.set_progress_handler(lambda: time.monotonic() > end, STEPS)
        else:
            limit_ms = str(max(1, int(PAGE_S * 1000)))
            connection.execute(select(func.set_config("statement_timeout", limit_ms, True)))
        try:
            yield connection
        except DBAPIError as error:
            canceled = getattr(error.orig, "sqlstate", "") == CANCELED
            if canceled or (sqlite and str(error.orig) == "interrupted"):
                raise TooWide from None
            raise
        finally:
            if sqlite and raw is not None:
                raw.set_progress_handler(None, 0)
