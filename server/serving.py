"""What a server does once, in gunicorn's master, before it forks its workers.

1. It takes the data folder for itself. The workers inherit the lock, so a master that is killed does not open
   the folder to another server while its workers may still write.
2. It opens the store, which may have to bring an old file up to date. That can take longer than gunicorn
   lets a worker take to start.
"""

from __future__ import annotations

import os
import sys

from server import datafolder
from server.lock import FileLock, LockHeld
from server.settings import Settings, SettingsError

LET_GO_WITHIN_S = 3  # workers whose master was killed end a moment later

_held: FileLock | None = None  # for the life of the process


def begin(settings: Settings) -> None:
    """Raises SettingsError with what to do."""
    global _held
    datafolder.prepare(settings.data)
    _held = take_data_folder(settings, f"a server, process {os.getpid()}, {settings.public_url}")
    _refuse_unfinished_restore(settings)
    if settings.store_is_embedded:
        _open_store_once(settings)


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


def _refuse_unfinished_restore(settings: Settings) -> None:
    if datafolder.unfinished_restore(settings.data).exists():
        raise SettingsError(
            [f"A restore into {settings.data.resolve()} did not end. Run `flask restore` there again."]
        )


def _open_store_once(settings: Settings) -> None:
    """In a child, because what the master imports before the workers have made blocking calls cooperative
    stays as it is in them.
    """
    child = os.fork()
    if child == 0:
        os._exit(_opens(settings))
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
        raise SettingsError([f"The document store {settings.store_file} cannot be used."])


def _opens(settings: Settings) -> int:
    from sync.embedded import UnusableStore, open_store

    try:
        open_store(settings.store_file).close()
    except (UnusableStore, OSError) as error:
        print(error, file=sys.stderr, flush=True)
        return 1
    return 0
