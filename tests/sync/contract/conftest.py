"""Every test in this folder states a promise of `sync/store.py` and runs on each backend.

A further backend is a further row of `BACKENDS`. The CouchDB store runs on what `tests/couchdbs.py` says; a
test marked `beyond_stand_in("…")` needs a real one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sync import couchdb, embedded
from sync.store import Database, Store


@contextmanager
def embedded_store(folder: Path, _request: pytest.FixtureRequest) -> Iterator[Store]:
    made = embedded.open_store(folder / "store.sqlite3")
    yield made
    made.close()


@contextmanager
def couchdb_store(_folder: Path, request: pytest.FixtureRequest) -> Iterator[Store]:
    made = couchdb.open_store(request.getfixturevalue("couch_address"))
    yield made
    made.close()


BACKENDS = {"embedded": embedded_store, "couchdb": couchdb_store}


@pytest.fixture(params=BACKENDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with BACKENDS[request.param](tmp_path, request) as made:
        yield made


@pytest.fixture
def database(store: Store) -> Database:
    return store.create("village")
