"""SQLite connections to one file, for threads, greenlets and forked processes.

* A connection is held only between two lines that do not wait: a reader takes one, reads, hands it back. So
  thousands of greenlets that sleep in a feed hold none, and under gevent one connection does for all.
* Inside a process one write runs at a time (`threading.Lock`). Between processes `run/writing.lock` decides:
  the kernel wakes the next one at once, where SQLite's own lock makes it sleep and look again.
* Everything belongs to a process id. A forked child starts anew: using, or even closing, its parent's
  connections would break the parent's locks on the file.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sync.embedded import schema
from sync.store import InsufficientStorage

BUSY_TIMEOUT_MS = 30_000
WAL_PAGES = 4_000


class _OfThisProcess:
    def __init__(self) -> None:
        self.pid = os.getpid()
        self.writing = threading.Lock()
        self.waiting: deque[Any] = deque()  # the jobs of `committing`
        self.idle: list[sqlite3.Connection] = []
        self._turn: int | None = None

    def turn(self, path: Path) -> int:
        """A descriptor of the lock between processes. A child must not use its parent's: they would share the
        lock.
        """
        if self._turn is None:
            self._turn = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return self._turn

    def close(self) -> None:
        while self.idle:
            self.idle.pop().close()
        if self._turn is not None:
            os.close(self._turn)
            self._turn = None


class Connections:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._parents: list[_OfThisProcess] = []  # keeps them from being closed by the garbage collector
        self._mine = _OfThisProcess()
        self._create()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees one state of the file throughout."""
        with self._connection("BEGIN") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: on disk when the block is left, undone when it raises. Never wait for anything
        inside.
        """
        with self.writing_turn(), self.transaction() as connection:
            yield connection

    def writing_turn(self) -> threading.Lock:
        """Hold this around `transaction`."""
        return self._here().writing

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """`writing` for who has the turn in this process."""
        turn = self._here().turn(self._path.parent / "run" / "writing.lock")
        fcntl.flock(turn, fcntl.LOCK_EX)
        try:
            with self._connection("BEGIN IMMEDIATE") as connection:
                yield connection
        finally:
            fcntl.flock(turn, fcntl.LOCK_UN)

    def waiting(self) -> deque[Any]:
        """What waits for its turn in this process."""
        return self._here().waiting

    def close(self) -> None:
        self._here().close()

    def _here(self) -> _OfThisProcess:
        if self._mine.pid != os.getpid():
            self._parents.append(self._mine)
            self._mine = _OfThisProcess()
        return self._mine

    @contextmanager
    def _connection(self, begin: str) -> Iterator[sqlite3.Connection]:
        idle = self._here().idle
        connection = idle.pop() if idle else self._connect()
        try:
            connection.execute(begin)
            yield connection
            connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            _roll_back(connection)
            if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
                raise InsufficientStorage("The disk is full.") from error
            raise
        except BaseException:
            _roll_back(connection)
            raise
        finally:
            idle.append(connection)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        # First the timeout: the statements that follow may already meet another process's lock.
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
        return connection

    def _create(self) -> None:
        """Make the file, readable by its owner only; SQLite gives its -wal and -shm files the same mode."""
        lock = os.open(self._path.parent / "run" / "opening.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            # Two processes must not turn an empty file into a WAL database at once: SQLite answers that with
            # an error instead of waiting.
            fcntl.flock(lock, fcntl.LOCK_EX)
            # Never open a file that SQLite may have open in this process: closing any descriptor of it drops
            # SQLite's POSIX locks, and the next process to leave would delete the WAL under our hands.
            if not self._path.exists():
                os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            self._mine.idle.append(self._prepared())
        finally:
            os.close(lock)

    def _prepared(self) -> sqlite3.Connection:
        try:
            connection = self._connect()
            schema.prepare(connection)
        except sqlite3.DatabaseError as error:
            raise schema.UnusableStore(f"{self._path} cannot be opened as a store: {error}") from error
        return connection


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")
