from __future__ import annotations

import pytest

from sync.store import BadRequest, Database, IllegalDocid, NotFound


def test_a_local_document_is_kept_and_counted_up(database: Database) -> None:
    assert database.put_local({"last_seq": 1}, "x=") == "0-1"
    assert database.put_local({"_rev": "0-1", "last_seq": 2}, "x=") == "0-2"
    assert database.get_local("x=") == {"_id": "_local/x=", "_rev": "0-2", "last_seq": 2}


@pytest.mark.beyond_stand_in("locals")
def test_a_stale_revision_of_a_local_document_is_no_conflict(database: Database) -> None:
    database.put_local({"n": 1}, "x")
    assert database.put_local({"_rev": "0-9", "n": 2}, "x") == "0-10"
    assert database.put_local({"n": 3}, "x") == "0-1"
    assert database.get_local("x")["n"] == 3


@pytest.mark.parametrize("rev", ["1-a", "x", "0-", "0-a", 5, "0-" + "9" * 40])
def test_a_malformed_revision_is_refused(database: Database, rev: object) -> None:
    with pytest.raises(BadRequest):
        database.put_local({"_rev": rev}, "x")


def test_a_local_document_is_deleted(database: Database) -> None:
    database.put_local({"n": 1}, "x")
    database.delete_local("x")
    with pytest.raises(NotFound, match="missing"):
        database.get_local("x")
    with pytest.raises(NotFound):
        database.delete_local("x")


def test_local_documents_show_nowhere_else(database: Database) -> None:
    database.put_local({"n": 1, "_attachments": {"a": {"data": ""}}}, "x")
    assert database.all_docs()["rows"] == []
    assert database.changes().rows == []
    assert database.info()["doc_count"] == 0
    assert "_attachments" not in database.get_local("x")


@pytest.mark.parametrize("local_id", ["", "x" * 5000])
def test_an_illegal_id_is_refused(database: Database, local_id: str) -> None:
    with pytest.raises(IllegalDocid):
        database.put_local({}, local_id)
