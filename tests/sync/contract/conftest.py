"""Every test in this folder states a promise of `sync/store.py` and runs on each backend.

A further backend is a further row of `BACKENDS`: a function from an empty folder to a store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sync.embedded import open_store
from sync.store import Database, Store

BACKENDS: dict[str, Callable[[Path], Store]] = {
    "embedded": lambda folder: open_store(folder / "store.sqlite3"),
}


@pytest.fixture(params=BACKENDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made = BACKENDS[request.param](tmp_path)
    yield made
    made.close()


@pytest.fixture
def database(store: Store) -> Database:
    return store.create("village")
