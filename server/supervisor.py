"""The intake follower, as one of gunicorn's workers.

So it is forked from the master like the others and shares what that has imported, is forked again when it
dies, and ends in order with them. It differs in that it hears no requests, may take its time, and waits
longer and longer before it begins when it keeps dying.
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
NAME = b"intake follow"  # of the process, 15 bytes at most
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
    """Tells in gunicorn's master which worker has the errand. gunicorn must run one more for it."""

    def __init__(self) -> None:
        self._worker: Any = None  # who has it
        self._started = 0.0
        self._failures = 0
        self._wait_s = 0.0

    def before_fork(self, server: Any, worker: Any, errand: Errand) -> None:
        """gunicorn's `pre_fork`. Those that answer requests come first."""
        if self._worker is not None or len(server.WORKERS) + 1 < server.num_workers:
            return
        self._worker, self._started = worker, time.monotonic()
        worker.errand = partial(_run, errand, self._wait_s)
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


intake = Supervisor()  # here, because gunicorn reads its settings file again at a reload


def _run(errand: Errand, wait_s: float, stopped: Callable[[], bool]) -> None:
    _libc.prctl(PR_SET_NAME, NAME)
    end = time.monotonic() + wait_s
    while not stopped() and (left := end - time.monotonic()) > 0:
        time.sleep(min(left, LOOK_EVERY_S))
    if not stopped():
        errand(stopped)
