from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync import couchdb
from sync.couchdb.store import CouchStore
from sync.store import BEGINNING, Store
from tests.server.intake.district import District


@pytest.fixture(params=["embedded"])
def district(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[District]:
    """On the embedded store; a test that is parametrized with `on_both_stores` runs on CouchDB's too."""
    store = request.getfixturevalue("couch_store") if request.param == "couchdb" else None
    district = District(tmp_path, store=store)
    yield district
    district.close()


@pytest.fixture
def couch_store(couch_address: str, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Intake asks all databases at each round: CouchDB tells half a second later which have moved, its
    stand-in never.
    """
    monkeypatch.setattr(CouchStore, "_all_updates", lambda store: (store.names(), BEGINNING))
    return couchdb.open_store(couch_address)
