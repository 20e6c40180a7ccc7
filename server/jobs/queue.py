"""The jobs that were ordered, in jobs.sqlite3 of the data folder, beside the files that they make.

A file of its own, because none of it is worth a backup, its progress is written every second, and its one
worker lives on this machine whatever database the people are in.

    queued ──► running ──► done          running ──► queued   the worker ended;
       │          │                               failed after ATTEMPTS_MAX times
       │          ├──────► failed        done, failed, cancelled: removed when they expire
       └──────────┴──────► cancelled
"""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Boolean, Column, Index, Integer, MetaData, String, Table, Text, func, select, update

from server import clock
from server.database import open_engine

FILE = "jobs.sqlite3"
FOLDER = "jobs"
MARK = "jobs.waiting"
ATTEMPTS_MAX = 3
OPEN_MAX = 5  # of one person, queued or running
KEPT_MAX = 20  # of one person
OPEN = ("queued", "running")
ENDED = ("done", "failed", "cancelled")

metadata = MetaData()
jobs = Table(
    "jobs",
    metadata,
    Column("job_id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("staff_id", String, nullable=False),
    Column("state", String, nullable=False),
    Column("cancel", Boolean, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("asked", Text, nullable=False),  # JSON: what the kind needs
    Column("done", Integer, nullable=False),
    Column("total", Integer),
    Column("result", Text, nullable=False),  # JSON: what Job.result says
    Column("ordered_at", String, nullable=False),
    Column("started_at", String),
    Column("ended_at", String),
    Column("expires_at", String),
    Index("jobs_staff", "staff_id", "ordered_at"),
    Index("jobs_state", "state", "ordered_at"),
)


def is_marked(data: Path) -> bool:
    """Whether a job may wait; asked without opening the database."""
    try:
        return (data / MARK).stat().st_mtime > 0
    except FileNotFoundError:
        return False


class TooMany(Exception):
    """This person has as many jobs as one may."""


class Cancelled(Exception):
    """Somebody cancelled the job that runs."""


@dataclass(frozen=True, slots=True)
class Job:
    """`done` of `total` rows (None before they were counted). `result` says what a job that is done has made
    (of a file: {name, media_type, bytes}), what went wrong of one that failed ({code, fields}), and of one
    that runs what it is at ({stage}, where its kind has stages)."""

    job_id: str
    kind: str
    staff_id: str
    state: str
    cancel: bool
    attempts: int
    asked: dict[str, Any]
    done: int
    total: int | None
    result: dict[str, Any]
    ordered_at: str
    started_at: str | None
    ended_at: str | None
    expires_at: str | None


class Queue:
    """Safe in several processes; only the worker calls what is below its line."""

    def __init__(self, data: Path, keep: timedelta) -> None:
        self.folder, self._keep = data / FOLDER, keep
        self._mark = data / MARK
        self._engine = open_engine(f"sqlite:///{data / FILE}")

    def create(self) -> None:
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self._mark.touch(mode=0o600)  # it is there before the disk is full
        metadata.create_all(self._engine)
        self._engine.dispose()  # a process that is forked from this one must not share a connection

    def file(self, job_id: str) -> Path:
        return self.folder / job_id

    def order(self, kind: str, staff_id: str, asked: dict[str, Any]) -> Job:
        """Raises TooMany. Somebody's oldest ended jobs give way."""
        row: dict[str, Any] = {
            "job_id": uuid.uuid4().hex,
            "kind": kind,
            "staff_id": staff_id,
            "state": "queued",
            "cancel": False,
            "attempts": 0,
            "asked": json.dumps(asked),
            "done": 0,
            "result": "{}",
            "ordered_at": clock.stamp(clock.now()),
        }
        with self._engine.begin() as connection:
            connection.execute(jobs.insert().values(row))  # first: it takes the lock for what is read next
            states = (jobs.c.staff_id == staff_id, jobs.c.state.in_(OPEN))
            if connection.execute(select(func.count()).where(*states)).scalar_one() > OPEN_MAX:
                raise TooMany
        self._mark.touch(mode=0o600)  # after the commit: who takes the mark away looks after that
        self._make_room(staff_id)
        return self.job(row["job_id"])

    def open_one(self, kind: str, staff_id: str, asked: dict[str, Any]) -> Job | None:
        """The very same order of the same person, while it waits or runs."""
        same = (each for each in self.of(staff_id) if (each.kind, each.asked) == (kind, asked))
        return next((each for each in same if each.state in OPEN and not each.cancel), None)

    def _make_room(self, staff_id: str) -> None:
        theirs = self.of(staff_id)
        for job in [each for each in theirs[KEPT_MAX:] if each.state in ENDED]:
            self.remove(job.job_id)

    def job(self, job_id: str) -> Job:
        """Raises KeyError."""
        with self._engine.connect() as connection:
            row = connection.execute(select(jobs).where(jobs.c.job_id == job_id)).one_or_none()
        if row is None:
            raise KeyError(job_id)
        return _job(row)

    def of(self, staff_id: str) -> list[Job]:
        """Somebody's jobs, newest first."""
        query = select(jobs).where(jobs.c.staff_id == staff_id)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(jobs.c.ordered_at.desc(), jobs.c.job_id)).all()
        return [_job(row) for row in rows]

    def cancel(self, job_id: str) -> Job:
        """At once while it waits; a running one ends within a page. One that has ended stays as it is."""
        with self._engine.begin() as connection:
            waiting = update(jobs).where(jobs.c.job_id == job_id, jobs.c.state == "queued")
            connection.execute(waiting.values(state="cancelled", **self._ended()))
            running = update(jobs).where(jobs.c.job_id == job_id, jobs.c.state == "running")
            connection.execute(running.values(cancel=True))
        return self.job(job_id)

    def remove(self, job_id: str) -> None:
        with self._engine.begin() as connection:
            connection.execute(jobs.delete().where(jobs.c.job_id == job_id))
        self.file(job_id).unlink(missing_ok=True)

    # ——— of the worker ———

    def recover(self) -> None:
        """What ran when the worker ended begins again; what ended it ATTEMPTS_MAX times does not. Files that
        no job is done with go."""
        with self._engine.begin() as connection:
            running = update(jobs).where(jobs.c.state == "running")
            failed = running.where(jobs.c.attempts >= ATTEMPTS_MAX)
            broken = json.dumps({"code": "job-broken", "fields": {}})
            connection.execute(failed.values(state="failed", result=broken, **self._ended()))
            connection.execute(running.values(state="queued", done=0, total=None, result="{}"))
            kept = set(connection.execute(select(jobs.c.job_id).where(jobs.c.state == "done")).scalars())
        for path in self.folder.iterdir():
            if path.name not in kept:
                path.unlink(missing_ok=True)

    def claim(self) -> Job | None:
        """The one that waits longest, now running."""
        with contextlib.suppress(FileNotFoundError):
            os.utime(self._mark, (0, 0))  # before looking: an order that comes later marks again
        with self._engine.begin() as connection:
            first = select(jobs.c.job_id).where(jobs.c.state == "queued").order_by(jobs.c.ordered_at).limit(1)
            job_id = connection.execute(first).scalar()
            if job_id is None:
                return None
            values = {"state": "running", "started_at": clock.stamp(clock.now()), "done": 0}
            claimed = update(jobs).where(jobs.c.job_id == job_id, jobs.c.state == "queued")
            count = connection.execute(claimed.values(attempts=jobs.c.attempts + 1, **values)).rowcount
        return self.job(job_id) if count else None

    def report(self, job_id: str, done: int, total: int | None, stage: str = "") -> None:
        """Raises Cancelled."""
        told = json.dumps({"stage": stage} if stage else {})
        with self._engine.begin() as connection:
            statement = (
                update(jobs).where(jobs.c.job_id == job_id).values(done=done, total=total, result=told)
            )
            found = connection.execute(statement.returning(jobs.c.cancel)).scalar()
        if found is not False:
            raise Cancelled

    def end(self, job_id: str, state: str, result: dict[str, Any] | None = None) -> None:
        self._set(job_id, state=state, result=json.dumps(result or {}), **self._ended())

    def put_back(self, job_id: str) -> None:
        """The worker stops in order: this was no attempt."""
        self._set(job_id, state="queued", done=0, result="{}", attempts=jobs.c.attempts - 1)

    def expire(self) -> None:
        past = jobs.c.expires_at <= clock.stamp(clock.now())
        with self._engine.connect() as connection:
            expired = list(connection.execute(select(jobs.c.job_id).where(past)).scalars())
        for job_id in expired:
            self.remove(job_id)

    def _set(self, job_id: str, **values: Any) -> None:
        with self._engine.begin() as connection:
            connection.execute(update(jobs).where(jobs.c.job_id == job_id).values(**values))

    def _ended(self) -> dict[str, str]:
        now = clock.now()
        return {"ended_at": clock.stamp(now), "expires_at": clock.stamp(now + self._keep)}


def _job(row: Any) -> Job:
    values = dict(row._mapping)
    load: Callable[[str], Any] = json.loads
    return Job(**{**values, "asked": load(values["asked"]), "result": load(values["result"])})
