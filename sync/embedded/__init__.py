"""The document store in one SQLite file."""

from __future__ import annotations

from pathlib import Path

from sync.embedded.checking import Findings, check
from sync.embedded.schema import UnusableStore
from sync.embedded.store import EmbeddedStore
from sync.store import Store

__all__ = ["Findings", "UnusableStore", "check", "open_store"]


def open_store(path: Path | str, *, is_made: bool = False) -> Store:
    """The store kept in the SQLite file `path`, made when absent and brought up to date; its wake-up sockets
    are in `run/` beside it. For a process that will fork: what `is_made` already, by another process, is
    opened by each child when it uses it. Raises UnusableStore.
    """
    return EmbeddedStore(Path(path), is_made=is_made)
