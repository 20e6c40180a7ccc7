"""The data folder: made private, with its secret keys, by whichever process comes first."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SECRET_BYTES = 32
SESSION_KEY = "secret.key"  # signs sessions
PERSON_KEY = "person.key"  # recognizes persons by their identity numbers


def prepare(data: Path) -> None:
    """Make the folder (0700) and the secret keys (0600) when absent."""
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    data.chmod(0o700)
    with start_lock(data):
        for name in (SESSION_KEY, PERSON_KEY):
            if not (data / name).exists():
                write_private(data / name, secrets.token_hex(SECRET_BYTES))


def unfinished_restore(data: Path) -> Path:
    """The file that stands in the folder while `flask restore` fills it."""
    return data / "restore.unfinished"


def secret_key(data: Path) -> str:
    return (data / SESSION_KEY).read_text("ascii").strip()


def person_key(data: Path) -> bytes:
    """Under it persons are recognized in the read model. Raises ValueError for a file that is no key."""
    key = bytes.fromhex((data / PERSON_KEY).read_text("ascii").strip())
    if len(key) < SECRET_BYTES:
        raise ValueError(f"{data / PERSON_KEY} is no key of {SECRET_BYTES} bytes in hexadecimal digits")
    return key


def write_private(path: Path, content: str) -> None:
    """Replace `path` in one step by a file that only its owner can read."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


@contextmanager
def start_lock(data: Path) -> Iterator[None]:
    """Held while files and tables are made, because several workers start at the same moment."""
    with open(data / "start.lock", "w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
