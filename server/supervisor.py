"""Keeps one helper process beside the web workers: started again when it dies, never left behind."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Sequence

log = logging.getLogger("gunicorn.error")

PR_SET_PDEATHSIG = 1
RESTART_AFTER_S = (0.5, 1, 2, 5, 10, 30)
HEALTHY_AFTER_S = 60
END_WITHIN_S = 10
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(signal_number: int, parent: int) -> None:
    """Ask the kernel to send this process a signal when its parent is gone, however that came about."""
    _libc.prctl(PR_SET_PDEATHSIG, signal_number)
    if os.getppid() != parent:  # gone between the fork and the call above
        os.kill(os.getpid(), signal_number)


class Supervisor:
    """Runs `command` until `stop`; waits longer and longer when it keeps dying."""

    def __init__(self, command: Sequence[str]) -> None:
        self.command = list(command)
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        # The kernel watches the thread that forks; this one lives as long as the process.
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        process = self._process
        if process is not None:
            process.terminate()
        self._thread.join(END_WITHIN_S)
        if self._thread.is_alive() and process is not None:
            process.kill()

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            started = time.monotonic()
            self._run_once()
            failures = 0 if time.monotonic() - started > HEALTHY_AFTER_S else failures + 1
            wait_s = RESTART_AFTER_S[min(failures, len(RESTART_AFTER_S) - 1)]
            if not self._stopping.wait(wait_s):
                log.warning("%s ended and is started again after %s s", self.command[-2:], wait_s)

    def _run_once(self) -> None:
        parent = os.getpid()

        def before_it_begins() -> None:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for us, who then end it in order
            die_with_parent(signal.SIGTERM, parent)

        self._process = subprocess.Popen(  # noqa: S603 - a fixed command of ours
            self.command, stdin=subprocess.DEVNULL, preexec_fn=before_it_begins
        )
        if self._stopping.is_set():
            self._process.terminate()
        self._process.wait()
