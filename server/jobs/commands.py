"""`flask jobs work`."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from flask import Flask
from flask.cli import AppGroup

from server.app import Gridbook, gridbook
from server.jobs.worker import Worker
from server.lock import FileLock, LockHeld

LOCK = "jobs.lock"

jobs = AppGroup("jobs", help="Long work outside the request.")


def register(app: Flask) -> None:
    app.cli.add_command(jobs)


@jobs.command()
def work() -> None:
    """Do what is ordered, until stopped."""
    stopped = False

    def stop(*_: Any) -> None:
        nonlocal stopped
        stopped = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        do_jobs(gridbook(), lambda: stopped)
    except LockHeld as holder:
        sys.exit(f"Jobs are done by another worker: {holder}.")


def do_jobs(shared: Gridbook, stopped: Callable[[], bool], idle_s: float | None = None) -> None:
    """Until stopped, or until nothing came for so long. Raises LockHeld while another process does them."""
    from server.jobs.kinds import KINDS

    lock = FileLock(shared.settings.data / LOCK)
    lock.acquire(note=f"process {os.getpid()}")
    try:
        Worker(shared.jobs, KINDS, shared.settings.job_file_max_bytes, stopped).run(idle_s)
    finally:
        lock.release()
