"""The document store in one SQLite file."""

from __future__ import annotations

from pathlib import Path

from sync.embedded.checking import Findings, check
from sync.embedded.schema import UnusableStore
from sync.embedded.store import EmbeddedStore
from sync.store import Store

__all__ = ["Findings", "UnusableStore", "check", "open_store"]


def open_store(path: Path | str) -> Store:
    """The store kept in the SQLite file `path`, made when absent; its wake-up sockets are in `run/` beside
    it.
    """
    return EmbeddedStore(Path(path))
