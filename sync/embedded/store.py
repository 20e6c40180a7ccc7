"""The embedded store: every database of one server in one SQLite file."""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from sync import revtree
from sync.embedded import compaction, documents_sql, sequences
from sync.embedded.committing import Committer
from sync.embedded.connections import Connections
from sync.embedded.database import EmbeddedDatabase
from sync.embedded.wakes import Wakes
from sync.naming import check_database_name
from sync.store import BEGINNING, Database, FileExists, NotFound, Seq, ensured


class EmbeddedStore:
    """See `sync.store.Store` for what each call promises. Usable from threads, greenlets and forked
    processes.
    """

    def __init__(self, path: Path, *, is_made: bool) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._wakes = Wakes(path.parent / "run", self._moved)
        self._connections = Connections(path, is_made=is_made)
        self._committer = Committer(self._connections, self._wakes.nudge)

    @cached_property
    def uuid(self) -> str:
        (uuid,) = self._connections.row("SELECT uuid FROM server") or ("",)
        return str(uuid)

    def create(self, name: str) -> Database:
        check_database_name(name)
        with self._connections.writing() as connection:
            if self._find(connection, name):
                raise FileExists("The database could not be created, the file already exists.")
            documents_sql.create_database(connection, name, secrets.token_hex(4), revtree.REVS_LIMIT)
        self._wakes.nudge()
        return self.open(name)

    def open(self, name: str) -> Database:
        found = self._connections.row("SELECT db, epoch FROM databases WHERE name = ?", name)
        if found is None:
            raise NotFound("Database does not exist.")
        db, epoch = found
        return EmbeddedDatabase(self._connections, self._committer, db, name, epoch)

    def ensure(self, name: str) -> Database:
        return ensured(self, name)

    def delete(self, name: str) -> None:
        with self._connections.writing() as connection:
            found = self._find(connection, name)
            if found is None:
                raise NotFound("Database does not exist.")
            compaction.forget_database(connection, found[0])
            documents_sql.tick(connection)
        self._wakes.nudge()

    def names(self) -> list[str]:
        with self._connections.reading() as connection:
            return [row[0] for row in connection.execute("SELECT name FROM databases ORDER BY name")]

    def updates(self, since: Seq = BEGINNING) -> tuple[list[str], Seq]:
        names, clock = self._moved(_tick(since))
        return names, str(clock)

    def _moved(self, since: int) -> tuple[list[str], int]:
        with self._connections.reading() as connection:
            clock = int(connection.execute("SELECT clock FROM server").fetchone()[0])
            rows = connection.execute("SELECT name FROM databases WHERE moved > ? ORDER BY moved", (since,))
            return [row[0] for row in rows], clock

    def wait(self, since: Seq, timeout_s: float) -> bool:
        tick = _tick(since)
        return self._sleep(None, lambda: self._clock() > tick, timeout_s)

    def wait_for(self, database: Database, since: Seq, timeout_s: float) -> bool:
        moved = _asks_whether_moved(database, since)
        return moved() if timeout_s <= 0 else self._sleep(database.name, moved, timeout_s)

    def call_when_moved(self, database: Database, since: Seq, call: Callable[[], None]) -> Callable[[], None]:
        moved = _asks_whether_moved(database, since)
        forget = self._wakes.call(database.name, call)
        try:
            if moved():
                call()
        except NotFound:
            call()
        return forget

    def close(self) -> None:
        self._wakes.close()
        self._connections.close()

    def _clock(self) -> int:
        (clock,) = self._connections.row("SELECT clock FROM server") or (0,)
        return int(clock)

    def _sleep(self, key: str | None, moved: Callable[[], bool], timeout_s: float) -> bool:
        end = time.monotonic() + timeout_s
        with self._wakes.waiting(key) as event:
            while not moved():
                left = end - time.monotonic()
                if left <= 0:
                    return False
                event.wait(left)
                event.clear()
            return True

    @staticmethod
    def _find(connection: sqlite3.Connection, name: str) -> tuple[int, str] | None:
        row: tuple[int, str] | None = connection.execute(
            "SELECT db, epoch FROM databases WHERE name = ?", (name,)
        ).fetchone()
        return row


def _asks_whether_moved(database: Database, since: Seq) -> Callable[[], bool]:
    if not isinstance(database, EmbeddedDatabase):
        raise TypeError("a database of another store")
    epoch = database.epoch
    number = sequences.number_of(since, epoch)
    return lambda: sequences.number_of(database.seq(), epoch) > number


def _tick(since: Seq) -> int:
    return int(since) if since.isascii() and since.isdigit() else 0
