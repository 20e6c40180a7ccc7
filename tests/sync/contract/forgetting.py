"""CouchDB compacts in its own time."""

from __future__ import annotations

import time

import pytest

from sync.store import Database, NotFound

WITHIN_S = 30.0


def wait_until_forgotten(database: Database, doc_id: str, rev: str) -> None:
    end = time.monotonic() + WITHIN_S
    while time.monotonic() < end:
        try:
            database.get(doc_id, rev=rev)
        except NotFound as gone:
            assert gone.reason == "missing"
            return
    pytest.fail(f"{doc_id} {rev} is still there")
