"""Receipts, where revisions came by another way than this server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sync import couchdb
from sync.couchdb.receipts import UNKNOWN
from sync.store import Change, Database, Receipt, Store


@pytest.fixture
def store(couch_address: str) -> Iterator[Store]:
    made = couchdb.open_store(couch_address)
    yield made
    made.close()


def only(database: Database) -> Change:
    (row,) = database.changes(receipts=True).rows
    return row


def test_what_another_way_brought_is_told_alike_by_every_server(store: Store, couch_address: str) -> None:
    """As CouchDB's own replicator does: the document is written past this server."""
    database = store.create("inbox-1")
    database._json("POST", "_bulk_docs", json={"docs": [{"_id": "a", "_rev": "1-a"}], "new_edits": False})  # type: ignore[attr-defined]
    other = couchdb.open_store(couch_address)
    first = only(database).leaves[0]
    assert first.writer == UNKNOWN
    assert only(other.open("inbox-1")).leaves[0] == first
    database.bulk_docs([{"_id": "a", "_rev": "1-a"}], new_edits=False, writer="device:1")
    assert only(other.open("inbox-1")).leaves[0].writer == "device:1"
    other.close()


def test_a_receipt_whose_document_was_not_written_does_no_harm(store: Store) -> None:
    database = store.create("inbox-1")
    database._receipts.write({("a", "1-a"): Receipt("device:1", "2020-02-21T08:00:00.000Z")})  # type: ignore[attr-defined]
    assert database.changes(receipts=True).rows == []
    database.bulk_docs([{"_id": "a", "_rev": "1-a"}], new_edits=False, writer="device:1")
    assert only(database).leaves[0].received_at == "2020-02-21T08:00:00.000Z"


def test_receipts_are_no_databases_of_the_store(store: Store) -> None:
    store.create("inbox-1")
    assert store.names() == ["inbox-1"]
