"""The one process that does the jobs: `flask jobs work`, or beside intake's follower while there are some."""

from __future__ import annotations

import errno
import logging
import math
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy.exc import OperationalError

from server.api.problems import Problem
from server.jobs.queue import Cancelled, Job, Queue

log = logging.getLogger(__name__)

PAUSE_S = 0.5
REPORT_EVERY_S = 0.5
EXPIRE_EVERY_S = 60
# Phones' records come first: a job ends before it fills the disk.
DISK_KEPT_FREE_BYTES = 64 << 20
DISK_LOOKED_AT_EVERY_BYTES = 8 << 20


Report = Callable[..., None]


class Stopped(Exception):
    """The worker is told to end."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a kind of job is given: what was asked and by whom, and `report(done, total, stage)`, which it
    calls often and which may raise. A job that begins anew has the `job_id` that it had."""

    asked: dict[str, Any]
    report: Report
    job_id: str = ""
    staff_id: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """The file's pieces as they are made, its name and type, and what else is told of it; a job without
    `pieces` makes no file."""

    pieces: Iterator[bytes] | None = None
    name: str = ""
    media_type: str = ""
    more: dict[str, Any] = field(default_factory=dict)


def nothing_to_tidy(_asked: Mapping[str, Any]) -> None:
    """Of kinds that keep nothing besides their file."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What can be ordered: how it is done, the action that ordering it takes, what of what was asked is told,
    and what is taken away that was kept for it when it has ended, however it ended."""

    do: Callable[[Work], Result]
    action: str
    about: Callable[[Mapping[str, Any]], dict[str, Any]]
    tidy: Callable[[Mapping[str, Any]], None] = nothing_to_tidy


class Worker:
    """`stopped` is asked between two pieces of work."""

    def __init__(
        self, queue: Queue, kinds: Mapping[str, Kind], bytes_max: int, stopped: Callable[[], bool]
    ) -> None:
        self._queue, self._kinds, self._bytes_max, self._stopped = queue, kinds, bytes_max, stopped
        self._expired_at = 0.0

    def run(self, idle_s: float | None = None) -> None:
        """Until stopped, or until nothing came for `idle_s` after the last job; at once if there was none."""
        self._queue.recover()
        worked_at = -math.inf
        while not self._stopped():
            if self.run_once():
                worked_at = time.monotonic()
            elif idle_s is not None and time.monotonic() - worked_at >= idle_s:
                return
            else:
                time.sleep(PAUSE_S)

    def run_once(self) -> bool:
        """False when nothing waited."""
        if time.monotonic() - self._expired_at > EXPIRE_EVERY_S:
            self._queue.expire()
            self._expired_at = time.monotonic()
        job = self._queue.claim()
        if job is None:
            return False
        self._do(job)
        return True

    def _do(self, job: Job) -> None:
        draft = self._queue.folder / f"{job.job_id}.part"
        try:
            self._queue.end(job.job_id, "done", self._made(job, draft))
            self._tidied(job)
        except Cancelled:
            self._queue.end(job.job_id, "cancelled")
            self._tidied(job)
        except Stopped:
            self._queue.put_back(job.job_id)
        except Problem as problem:
            self._fail(job, problem.code, problem.fields)
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            self._fail(job, "job-disk-full" if full else "job-broken", {}, error)
        except Exception as error:
            full = isinstance(error, OperationalError) and "full" in str(error.orig)
            self._fail(job, "job-disk-full" if full else "job-broken", {}, error)
        finally:
            draft.unlink(missing_ok=True)

    def _fail(self, job: Job, code: str, fields: dict[str, Any], error: Exception | None = None) -> None:
        """On a full disk even this may not be written; then the job begins again at the next start."""
        log.error("job %s (%s) failed: %s", job.job_id, job.kind, code, exc_info=error)
        self._queue.file(job.job_id).unlink(missing_ok=True)
        (self._queue.folder / f"{job.job_id}.part").unlink(missing_ok=True)
        try:
            self._queue.end(job.job_id, "failed", {"code": code, "fields": fields})
        except OperationalError:
            log.exception("job %s: its failure could not be kept", job.job_id)
            return
        self._tidied(job)

    def _tidied(self, job: Job) -> None:
        if kind := self._kinds.get(job.kind):
            kind.tidy(job.asked)

    def _made(self, job: Job, draft: Path) -> dict[str, Any]:
        """Write the file and give it its name; returns what is told of it."""
        result = self._kinds[job.kind].do(Work(job.asked, self._reporter(job), job.job_id, job.staff_id))
        if result.pieces is None:
            return result.more
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        size = looked_at = 0
        with open(descriptor, "wb") as file:
            for piece in result.pieces:
                size += len(piece)
                if size > self._bytes_max:
                    raise Problem("job-too-large", limit=self._bytes_max >> 20)
                if size - looked_at >= DISK_LOOKED_AT_EVERY_BYTES or not looked_at:
                    looked_at = size
                    _check_disk(self._queue.folder)
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._queue.file(job.job_id))
        told = {"name": result.name, "media_type": result.media_type, "bytes": size}
        return {**told, **result.more}

    def _reporter(self, job: Job) -> Report:
        reported_at = 0.0

        def report(done: int, total: int | None, stage: str = "") -> None:
            nonlocal reported_at
            if self._stopped():
                raise Stopped
            if time.monotonic() - reported_at >= REPORT_EVERY_S or done == total:
                reported_at = time.monotonic()
                self._queue.report(job.job_id, done, total, stage)

        return report


def _check_disk(folder: Path) -> None:
    if shutil.disk_usage(folder).free < DISK_KEPT_FREE_BYTES:
        raise OSError(errno.ENOSPC, "the disk is nearly full")
