"""Group commit: writes that come at the same time share one transaction, and so one sync of the disk.

    request ──┐                       ┌── job ── job ── job ──┐
    request ──┼──► queue ──► leader ──┤   one transaction     ├──► on disk ──► all of them answer
    request ──┘                       └───────────────────────┘

* Whoever gets the process's writing lock first leads: it does its own job and those of all who queue behind
  it. The others find their job done when the lock comes to them. Nobody is left behind if a leader dies: the
  next one takes over what is not settled.
* A job is done when its transaction is on disk; only then does its caller go on.
* A job that fails before it wrote anything fails alone. If one fails later, or the commit does, the whole
  transaction is undone and each of its jobs is tried again by itself: neighbours do not suffer, and a full
  disk is told to each. So a job must be repeatable.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sync.embedded import documents_sql
from sync.embedded.connections import Connections
from sync.embedded.documents_sql import DatabaseRow

JOBS_MAX = 64

T = TypeVar("T")


@dataclass(slots=True)
class Transaction:
    """One writing transaction. The counters of the databases that it changes are read and saved once."""

    connection: sqlite3.Connection
    _rows: dict[int, tuple[DatabaseRow, int]] = field(default_factory=dict)

    def database(self, db: int) -> DatabaseRow:
        """The row to count in; raises NotFound."""
        if db not in self._rows:
            row = documents_sql.load_database(self.connection, db)
            self._rows[db] = row, row.seq
        return self._rows[db][0]

    def save(self) -> bool:
        """Write the counters; True if a database has moved."""
        moved = [row for row, before in self._rows.values() if row.seq != before]
        for row in moved:
            documents_sql.save_database(self.connection, row)
        return bool(moved)


Work = Callable[[Transaction], Any]


@dataclass(slots=True)
class _Job:
    work: Work
    settled: bool = False
    result: Any = None
    error: Exception | None = None

    def settle(self, result: Any = None, error: Exception | None = None) -> None:
        self.settled, self.result, self.error = True, result, error


class _Undone(Exception):
    """A job failed after it had written."""


class Committer:
    """`nudge` is called after each transaction that moved a database."""

    def __init__(self, connections: Connections, nudge: Callable[[], None]) -> None:
        self._connections = connections
        self._nudge = nudge

    def run(self, work: Callable[[Transaction], T]) -> T:
        """Do `work` in a transaction and return its result when that is on disk. Raises what it raises."""
        job = _Job(work)
        queue = self._connections.waiting()
        queue.append(job)
        with self._connections.writing_turn():
            # Let those come who are on their way: under gevent nobody else runs until somebody waits.
            time.sleep(0)
            while not job.settled:
                self._lead([queue.popleft() for _ in range(min(len(queue), JOBS_MAX))])
        if job.error is not None:
            raise job.error
        return job.result  # type: ignore[no-any-return]

    def _lead(self, jobs: list[_Job]) -> None:
        try:
            if len(jobs) == 1 or not self._all_together(jobs):
                for job in jobs:
                    self._alone(job)
        finally:
            self._connections.waiting().extendleft(job for job in reversed(jobs) if not job.settled)

    def _together(self, jobs: list[_Job]) -> None:
        done: list[tuple[_Job, Any, Exception | None]] = []
        with self._connections.transaction() as connection:
            transaction = Transaction(connection)
            for job in jobs:
                done.append((job, *_outcome(job.work, transaction)))
            moved = transaction.save()
        for job, result, error in done:
            job.settle(result, error)
        if moved:
            self._nudge()

    def _all_together(self, jobs: list[_Job]) -> bool:
        try:
            self._together(jobs)
        except Exception:
            return False
        return True

    def _alone(self, job: _Job) -> None:
        try:
            self._together([job])
        except _Undone as undone:
            job.settle(error=undone.__cause__)  # type: ignore[arg-type]
        except Exception as error:
            job.settle(error=error)


def _outcome(work: Work, transaction: Transaction) -> tuple[Any, Exception | None]:
    before = transaction.connection.total_changes
    try:
        return work(transaction), None
    except sqlite3.Error:
        raise  # the file, not the job: a full disk may have undone the whole transaction
    except Exception as error:
        if transaction.connection.total_changes != before:
            raise _Undone from error
        return None, error
