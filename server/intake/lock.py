"""One intake at a time: an exclusive lock on a file, let go by the system when its process ends, however it
ends."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO


class IntakeRunning(RuntimeError):
    """Another process follows the store."""


class IntakeLock:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Raises IntakeRunning. Taking it twice is harmless."""
        if self._file is not None:
            return
        file = open(self._path, "a", encoding="ascii")  # noqa: SIM115  held for the process's life
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            raise IntakeRunning(f"{self._path} is held: the server's own intake is running") from error
        self._file = file

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
