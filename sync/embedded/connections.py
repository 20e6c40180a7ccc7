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
import shutil
import sqlite3
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from sync.embedded import schema
from sync.store import InsufficientStorage

BUSY_TIMEOUT_MS = 30_000
WAL_PAGES = 4_000
LOG_BYTES_MAX = 64 << 20
LOG_TRIES, LOG_WAIT_MS = 4, 50
SHM_BYTES = 32_768  # by so much the log's index grows


class _OfThisProcess:
    def __init__(self) -> None:
        self.pid = os.getpid()
        self.writing = threading.Lock()
        self.waiting: deque[Any] = deque()  # the jobs of `committing`
        self.idle: list[sqlite3.Connection] = []
        self.log_bytes_allowed = LOG_BYTES_MAX
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
    def __init__(self, path: Path, *, is_made: bool) -> None:
        """A file that `is_made` and brought up to date already is not opened before it is used."""
        self._path = path
        self._parents: list[_OfThisProcess] = []  # keeps them from being closed by the garbage collector
        self._mine = _OfThisProcess()
        if not is_made:
            self._create()

    def reading(self) -> AbstractContextManager[sqlite3.Connection]:
        """A connection that sees one state of the file throughout."""
        return self._connection("BEGIN")

    def row(self, statement: str, *values: object) -> tuple[Any, ...] | None:
        """The first row of one SELECT: by itself it sees one state, and needs no transaction around it."""
        idle = self._here().idle
        connection = idle.pop() if idle else self._another()
        try:
            found = connection.execute(statement, values).fetchall()
        finally:
            idle.append(connection)
        return found[0] if found else None

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
            self._keep_log_short()
        finally:
            fcntl.flock(turn, fcntl.LOCK_UN)

    def _keep_log_short(self) -> None:
        """SQLite starts its log anew only when no reader needs it, and with many readers one always does. So
        when the log has grown long, the writers wait a moment for those readers to end. One who reads for
        long, as a backup does, is not waited for: it is tried again when the log has grown further.
        """
        here = self._here()
        size = os.stat(f"{self._path}-wal").st_size
        if size < here.log_bytes_allowed:
            return
        with self._borrowed() as connection:
            emptied = _empty_log(connection)
        here.log_bytes_allowed = LOG_BYTES_MAX + (0 if emptied else size)

    @contextmanager
    def _borrowed(self) -> Iterator[sqlite3.Connection]:
        idle = self._here().idle
        connection = idle.pop() if idle else self._another()
        try:
            yield connection
        finally:
            idle.append(connection)

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
        with self._borrowed() as connection:
            try:
                connection.execute(begin)
                yield connection
                connection.execute("COMMIT")
            except sqlite3.OperationalError as error:
                _roll_back(connection)
                if self._is_full(error):
                    raise InsufficientStorage("The disk is full.") from error
                raise
            except BaseException:
                _roll_back(connection)
                raise

    def _another(self) -> sqlite3.Connection:
        """Who opens the file first makes its log and that one's index, for which there may be no room."""
        try:
            return self._connect()
        except sqlite3.OperationalError as error:
            if self._is_full(error):
                raise InsufficientStorage("The disk is full.") from error
            raise

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        try:
            self._set_up(connection)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    @staticmethod
    def _set_up(connection: sqlite3.Connection) -> None:
        # First the timeout: the statements that follow may already meet another process's lock.
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")

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
            try:
                schema.prepare(connection)
            except BaseException:
                connection.close()
                raise
        except sqlite3.DatabaseError as error:
            why = "the disk is full" if self._is_full(error) else error
            raise schema.UnusableStore(f"{self._path} cannot be opened as a store: {why}") from error
        return connection

    def _is_full(self, error: sqlite3.Error) -> bool:
        """SQLite says so itself only of some files; where its index of the log cannot grow, it tells of a
        failed read or write.
        """
        if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
            return True
        vague = error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
        return vague and shutil.disk_usage(self._path.parent).free < SHM_BYTES


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def _empty_log(connection: sqlite3.Connection) -> bool:
    """Carry the log into the file and cut it off; False if somebody still reads it, or the disk is full.

    Several short waits and not a long one: SQLite looks once which readers are behind and then waits for
    their lock, which readers that came later, and are not behind, can keep for ever.
    """
    connection.execute(f"PRAGMA busy_timeout = {LOG_WAIT_MS}")
    try:
        tries = (connection.execute("PRAGMA wal_checkpoint(TRUNCATE)") for _ in range(LOG_TRIES))
        return any(tried.fetchone()[0] == 0 for tried in tries)
    except sqlite3.OperationalError:
        return False
    finally:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
