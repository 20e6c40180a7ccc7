"""`flask jobs work`; and the queue of an app."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import Flask, current_app
from flask.cli import AppGroup

from server import datafolder
from server.app import gridbook
from server.jobs.queue import Queue
from server.jobs.worker import Worker
from server.lock import FileLock, LockHeld
from server.settings import Settings

LOCK = "jobs.lock"

jobs = AppGroup("jobs", help="Long work outside the request.")


def register(app: Flask) -> None:
    settings = app.extensions["gridbook"].settings
    queue = Queue(settings.data, timedelta(hours=settings.job_keep_hours))
    with datafolder.start_lock(settings.data):
        queue.create()
    app.extensions["gridbook_jobs"] = queue
    app.cli.add_command(jobs)


def the_queue() -> Queue:
    queue: Queue = current_app.extensions["gridbook_jobs"]
    return queue


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
        do_jobs(the_queue(), gridbook().settings, lambda: stopped)
    except LockHeld as holder:
        sys.exit(f"Jobs are done by another worker: {holder}.")


def do_jobs(queue: Queue, settings: Settings, stopped: Callable[[], bool]) -> None:
    """Until stopped. Raises LockHeld while another process does them."""
    from server.jobs.kinds import TIDY, WORK

    lock = FileLock(settings.data / LOCK)
    lock.acquire(note=f"process {os.getpid()}")
    try:
        Worker(queue, WORK, settings.job_file_max_bytes, stopped, TIDY).run_forever()
    finally:
        lock.release()
