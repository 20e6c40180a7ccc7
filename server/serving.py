"""What a server does once, in gunicorn's master, before it forks its workers.

1. It takes the data folder for itself. The workers inherit the lock, so a master that is killed does not open
   the folder to another server while its workers may still write.
2. It has everything opened once, because an old file may have to be brought up to date. That can take longer
   than gunicorn lets a worker take to start.
3. It makes the app, which its workers and the intake follower then share, and warms it (`warming.py`). Each
   of them opens the files for itself.
"""

from __future__ import annotations

import gc
import os
import shutil
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from server import datafolder
from server.jobs.starting import start_workers
from server.lock import FileLock, LockHeld
from server.settings import Settings, SettingsError

if TYPE_CHECKING:
    from flask import Flask

    from server.app import Gridbook

LET_GO_WITHIN_S = 3  # workers whose master was killed end a moment later
TRY_AGAIN_S = 0.5
NICE = 10
JOBS_IDLE_S = 60.0  # who looks at an export orders the next one soon
ROOM_BYTES_MIN = 1024 * 1024  # the files and their logs grow a little when they are opened

_held: FileLock | None = None  # for the life of the process


def begin(settings: Settings) -> None:
    """Raises SettingsError with what to do."""
    global _held
    _refuse_unreadable_definitions(settings)
    datafolder.prepare(settings.data)
    _held = take_data_folder(settings, f"a server, process {os.getpid()}, {settings.public_url}")
    _refuse_unfinished_restore(settings)
    _open_once(settings)


def preload(settings: Settings) -> Flask:
    """The app that all workers share. What is there by then stays out of the garbage collector's sight, whose
    marks would make each process copy the pages.
    """
    from server.app import made_gridbook, make_app
    from server.warming import warm

    shared = made_gridbook(settings)
    app = make_app(shared)
    warm(app, shared)
    gc.collect()
    gc.freeze()
    return app


def follow(shared: Gridbook, stopped: Callable[[], bool]) -> None:
    """An errand: intake, and webhooks beside it. It waits while another process follows."""
    from server.intake.commands import make_follower
    from server.intake.lock import IntakeRunning
    from server.webhooks.delivering import delivering_beside

    follower = make_follower(shared)
    with told_when_full("intake", shared.settings), delivering_beside(shared):
        _alone(partial(follower.run_forever, stopped), IntakeRunning, stopped)


def do_jobs(app: Flask, stopped: Callable[[], bool]) -> None:
    """An errand: what was ordered to be done outside of a request, in a process that is there while there is
    something to do. It waits while another process does it.
    """
    from server.jobs.commands import do_jobs

    os.nice(NICE)  # phones and pages come first
    shared: Gridbook = app.extensions["gridbook"]

    def work() -> None:
        with told_when_full("the worker for jobs", shared.settings), app.app_context():
            _alone(partial(do_jobs, shared, stopped, JOBS_IDLE_S), LockHeld, stopped)

    start_workers(shared.settings.data, work, stopped)


def _alone(errand: Callable[[], None], held: type[Exception], stopped: Callable[[], bool]) -> None:
    """Once, unless stopped; `held` says that another process does it."""
    while not stopped():
        try:
            errand()
            break
        except held:
            time.sleep(TRY_AGAIN_S)


@contextmanager
def told_when_full(who: str, settings: Settings) -> Iterator[None]:
    """An errand that a full disk ends is started again, and needs no trace of where it was."""
    from sync.store import InsufficientStorage

    try:
        yield
    except (InsufficientStorage, OSError, SQLAlchemyError) as error:
        if isinstance(error, InsufficientStorage) or _is_full(settings):
            sys.exit(f"{who} stopped and is started again: the disk is full")
        raise


def _is_full(settings: Settings) -> bool:
    """SQLite tells of failed reads and writes where it is room that is missing."""
    return shutil.disk_usage(settings.data).free < ROOM_BYTES_MIN


def end() -> None:
    """Let go of the data folder before the process ends."""
    if _held is not None:
        _held.release()


def take_data_folder(settings: Settings, who: str) -> FileLock:
    """The lock of a server, or of what must not run beside one; `who` is told to others. Raises
    SettingsError.
    """
    lock = FileLock(settings.data / "server.lock")
    try:
        lock.acquire(within_s=LET_GO_WITHIN_S, note=who)
    except LockHeld as holder:
        folder = settings.data.resolve()
        raise SettingsError(
            [
                f"The data folder {folder} is in use by {holder or 'another server'}. Stop that one, or set"
                " GRIDBOOK_DATA to another folder."
            ]
        ) from None
    return lock


def _refuse_unreadable_definitions(settings: Settings) -> None:
    """Every page and intake would fail on them."""
    from server.forms.counting import unreadable

    if complaints := unreadable(settings.forms):
        raise SettingsError([f"GRIDBOOK_FORMS is {settings.forms}. {each}" for each in complaints])


def _refuse_unfinished_restore(settings: Settings) -> None:
    if datafolder.unfinished_restore(settings.data).exists():
        raise SettingsError(
            [f"A restore into {settings.data.resolve()} did not end. Run `flask restore` there again."]
        )


def _open_once(settings: Settings) -> None:
    """In a child: who forks must never have had a SQLite file open. When a child closes what it inherited, it
    loses its own locks on the file, and with them perhaps a write.
    """
    child = os.fork()
    if child == 0:
        os._exit(_opens(settings))
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
        raise SettingsError([f"The server cannot work on {settings.data.resolve()}."])


def _opens(settings: Settings) -> int:
    from server.app import open_gridbook
    from sync.embedded import UnusableStore

    try:
        open_gridbook(settings).store.close()
    except (UnusableStore, OSError, SQLAlchemyError) as error:
        print("The disk is full: make room." if _is_full(settings) else error, file=sys.stderr, flush=True)
        return 1
    except Exception:
        traceback.print_exc()
        return 1
    return 0
