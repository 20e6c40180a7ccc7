from __future__ import annotations

import pytest

from sync.store import Database, FileExists, IllegalDatabaseName, NotFound, Store

LONG_S = 30.0


@pytest.mark.beyond_stand_in("names")
def test_a_database_is_created_listed_opened_and_deleted(store: Store) -> None:
    store.create("b")
    store.create("a/1+$()-_")
    assert store.names() == ["a/1+$()-_", "b"]
    assert store.open("b").name == "b"
    store.delete("b")
    assert store.names() == ["a/1+$()-_"]
    with pytest.raises(NotFound, match="Database does not exist"):
        store.open("b")


def test_a_database_is_not_created_twice(store: Store) -> None:
    store.create("a")
    with pytest.raises(FileExists):
        store.create("a")
    assert store.ensure("a").name == "a"
    assert store.ensure("fresh").name == "fresh"


@pytest.mark.parametrize("name", ["", "_users", "A", "1a", "a b", "a\0", "ä", "a" * 300, "../a"])
def test_an_illegal_name_is_refused(store: Store, name: str) -> None:
    with pytest.raises(IllegalDatabaseName):
        store.create(name)


def test_deleting_what_is_not_there_is_an_error(store: Store) -> None:
    with pytest.raises(NotFound):
        store.delete("nothing")


def test_every_call_on_a_deleted_database_says_so(store: Store, database: Database) -> None:
    store.delete("village")
    for call in (
        database.info,
        database.changes,
        database.all_docs,
        database.compact,
        database.seq,
        lambda: database.get("a"),
        lambda: database.put({"_id": "a"}, writer="w"),
        lambda: database.bulk_docs([], new_edits=False, writer="w"),
        lambda: database.revs_diff({}),
        lambda: database.get_local("x"),
        lambda: database.put_local({}, "x"),
        lambda: list(database.documents()),
    ):
        with pytest.raises(NotFound, match="Database does not exist"):
            call()


def test_a_database_made_anew_is_empty(store: Store, database: Database) -> None:
    database.put({"_id": "a"}, writer="w")
    database.put_local({"x": 1}, "checkpoint")
    store.delete("village")
    anew = store.create("village")
    assert anew.info()["doc_count"] == 0
    assert anew.changes().rows == []
    with pytest.raises(NotFound):
        anew.get_local("checkpoint")


@pytest.mark.beyond_stand_in("details")
def test_a_sequence_hides_nothing_of_a_database_made_anew(store: Store, database: Database) -> None:
    for n in range(5):
        database.put({"_id": f"old{n}"}, writer="w")
    old = database.seq()
    store.delete("village")
    anew = store.create("village")
    anew.put({"_id": "a"}, writer="w")
    assert [row.id for row in anew.changes(since=old).rows] == ["a"]


def test_databases_are_independent(store: Store, database: Database) -> None:
    other = store.create("other")
    database.put({"_id": "a"}, writer="w")
    other.put({"_id": "a", "other": True}, writer="w")
    store.delete("other")
    assert "other" not in database.get("a")
    assert database.info()["doc_count"] == 1


@pytest.mark.beyond_stand_in("details")
def test_info_counts_living_and_deleted_documents(database: Database) -> None:
    rev = database.put({"_id": "a"}, writer="w")
    database.put({"_id": "b"}, writer="w")
    database.put({"_id": "a", "_rev": rev, "_deleted": True}, writer="w")
    info = database.info()
    assert (info["db_name"], info["doc_count"], info["doc_del_count"]) == ("village", 1, 1)
    assert database.changes(since=info["update_seq"]).rows == []
    database.put({"_id": "a"}, writer="w")
    info = database.info()
    assert (info["doc_count"], info["doc_del_count"]) == (2, 0)


@pytest.mark.beyond_stand_in("updates")
def test_updates_name_the_databases_that_moved_since(store: Store) -> None:
    a, b = store.create("a"), store.create("b")
    _, token = store.updates()
    b.put({"_id": "x"}, writer="w")
    later = told_of(store, token, "b")
    a.put({"_id": "x"}, writer="w")
    told_of(store, later, "a")
    assert set(store.updates(token)[0]) >= {"a", "b"}


def told_of(store: Store, token: str, name: str) -> str:
    """Wait until `name` is told of among the updates after `token`; returns the token to go on with."""
    while store.wait(token, LONG_S):
        names, token = store.updates(token)
        if name in names:
            return token
    raise AssertionError(f"nothing was told of {name}")


def test_a_local_document_is_no_change(database: Database) -> None:
    before = database.seq()
    database.put_local({"last_seq": 1}, "checkpoint")
    assert database.changes(since=before).rows == []
    assert database.changes().rows == []
