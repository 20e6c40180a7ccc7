"""Errands, such as following the store for intake, as some of gunicorn's workers.

So they are forked from the master like the others and share what that has imported, are forked again when
they die, and end in order with them. They differ in that they hear no requests, may take their time, and wait
longer and longer before they begin when they keep dying.
"""

from __future__ import annotations

import ctypes
import math
import os
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from server.worker import Errand

PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15
RESTART_AFTER_S = (0.5, 1, 2, 5, 10, 30)
HEALTHY_AFTER_S = 60
LOOK_EVERY_S = 0.2
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(signal_number: int, parent: int) -> None:
    """Ask the kernel to send this process a signal when its parent is gone, however that came about."""
    _libc.prctl(PR_SET_PDEATHSIG, signal_number)
    if os.getppid() != parent:  # gone between the fork and the call above
        os.kill(os.getpid(), signal_number)


class Supervisor:
    """Tells in gunicorn's master which worker has an errand. gunicorn must run one more for each of them.

    `name` is the process's, 15 bytes at most.
    """

    def __init__(self, name: bytes, errands: int) -> None:
        self._name, self._errands = name, errands
        self._worker: Any = None  # who has it
        self._started = 0.0
        self._failures = 0
        self._wait_s = 0.0

    def before_fork(self, server: Any, worker: Any, errand: Errand) -> None:
        """gunicorn's `pre_fork`. Those that answer requests come first."""
        answering = sum(each.errand is None for each in server.WORKERS.values())
        if self._worker is not None or worker.errand is not None:
            return
        if answering < server.num_workers - self._errands:
            return
        self._worker, self._started = worker, time.monotonic()
        worker.errand = partial(_run, self._name, errand, self._wait_s)
        worker.age = math.inf  # gunicorn ends the oldest, which count from 1, when it has too many
        worker.tmp.last_update = time.monotonic  # no heartbeat: a rebuild lasts for minutes

    def after_exit(self, worker: Any) -> None:
        """gunicorn's `child_exit`."""
        if worker is not self._worker:
            return
        self._worker = None
        healthy = time.monotonic() - self._started > HEALTHY_AFTER_S + self._wait_s
        self._failures = 0 if healthy else self._failures + 1
        self._wait_s = RESTART_AFTER_S[min(self._failures, len(RESTART_AFTER_S) - 1)]

    def before_reload(self) -> None:
        """gunicorn's `on_reload`: another takes over the errand, and who has it is the first to go."""
        if self._worker is not None:
            self._worker.age = 0
        self._worker, self._failures, self._wait_s = None, 0, 0.0


ERRANDS = 2
# Here, because gunicorn reads its settings file again at a reload.
intake = Supervisor(b"intake follow", ERRANDS)
jobs = Supervisor(b"jobs work", ERRANDS)


def _run(name: bytes, errand: Errand, wait_s: float, stopped: Callable[[], bool]) -> None:
    _libc.prctl(PR_SET_NAME, name)
    end = time.monotonic() + wait_s
    while not stopped() and (left := end - time.monotonic()) > 0:
        time.sleep(min(left, LOOK_EVERY_S))
    if not stopped():
        errand(stopped)
