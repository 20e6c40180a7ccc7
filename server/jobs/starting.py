"""The process that does jobs is there while there are some: this starts it, and otherwise does nothing.

    order ──► jobs.waiting ◄── looked at by who starts workers ──fork──► worker: recovers, does what waits,
                                                                         ends when nothing came for a while

Who starts workers opens no database and imports nothing, so that it shares nearly all its memory with the
other processes. A worker that fails takes it along, and gunicorn starts it again, later and later.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from server.jobs.queue import FOLDER, is_marked
from server.supervisor import die_with_parent

LOOK_EVERY_S = 0.5
TIDY_EVERY_S = 600.0  # how long a file may outlive its time when nobody orders anything

Stopped = Callable[[], bool]


def start_workers(data: Path, work: Callable[[], None], stopped: Stopped) -> None:
    """Until stopped. `work` is done in a process of its own: at first, because a worker may have died over
    its job, whenever a job waits, and now and then while files are kept. Raises SystemExit with the status of
    a worker that failed.
    """
    worked_at = -TIDY_EVERY_S
    while not stopped():
        if worked_at < 0 or is_marked(data) or _has_to_tidy(data, worked_at):
            _in_a_process(work, stopped)
            worked_at = time.monotonic()
        else:
            time.sleep(LOOK_EVERY_S)


def _has_to_tidy(data: Path, worked_at: float) -> bool:
    return time.monotonic() - worked_at > TIDY_EVERY_S and any((data / FOLDER).iterdir())


def _in_a_process(work: Callable[[], None], stopped: Stopped) -> None:
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        os._exit(_ended(work, parent))
    told = False
    while (status := _status(pid)) is None:
        if stopped() and not told:
            os.kill(pid, signal.SIGTERM)
            told = True
        time.sleep(LOOK_EVERY_S / 5)
    if status and not told:
        sys.exit(1)


def _status(pid: int) -> int | None:
    ended, status = os.waitpid(pid, os.WNOHANG)
    return status if ended else None


def _ended(work: Callable[[], None], parent: int) -> int:
    """The status that the process ends with."""
    die_with_parent(signal.SIGKILL, parent)
    try:
        work()
    except SystemExit as told:
        if isinstance(told.code, str):
            print(told.code, file=sys.stderr, flush=True)
        return 1 if told.code else 0
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
    return 0
