"""A lock on a file, let go by the system when the last process that has it ends, however it ends."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

LOOK_AGAIN_S = 0.05
NOTE_BYTES_MAX = 500


class LockHeld(RuntimeError):
    """Another process has the lock; the message is what it wrote about itself."""


class FileLock:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self, *, within_s: float = 0, note: str = "") -> None:
        """Raises LockHeld. A forked child has the lock too; a program that is started has not. Taking it
        twice is harmless.
        """
        if self._descriptor is not None:
            return
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        end = time.monotonic() + within_s
        while not _locked(descriptor):
            if time.monotonic() >= end:
                holder = os.pread(descriptor, NOTE_BYTES_MAX, 0).decode(errors="replace")
                os.close(descriptor)
                raise LockHeld(holder)
            time.sleep(LOOK_AGAIN_S)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, note.encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
