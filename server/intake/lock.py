"""One intake at a time."""

from __future__ import annotations

from pathlib import Path

from server.lock import FileLock, LockHeld


class IntakeRunning(RuntimeError):
    """Another process follows the store."""


class IntakeLock:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = FileLock(path)

    def acquire(self) -> None:
        """Raises IntakeRunning. Taking it twice is harmless."""
        try:
            self._lock.acquire()
        except LockHeld as error:
            raise IntakeRunning(f"{self._path} is held: the server's own intake is running") from error

    def release(self) -> None:
        self._lock.release()
