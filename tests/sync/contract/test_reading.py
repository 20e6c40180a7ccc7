"""Changes and ids."""

from __future__ import annotations

from typing import Any

import pytest

from sync.store import BEGINNING, Database


@pytest.fixture
def filled(database: Database) -> Database:
    for name in ("b", "a", "c"):
        database.put({"_id": name, "n": name}, writer="w")
    database.put({"_id": "a", "_rev": database.get("a")["_rev"], "n": "again"}, writer="w")
    database.put({"_id": "c", "_rev": database.get("c")["_rev"], "_deleted": True}, writer="w")
    return database


def ids(page: Any) -> list[str]:
    return [row.id for row in page.rows]


def test_a_document_appears_in_the_changes_once_at_its_latest_sequence(filled: Database) -> None:
    page = filled.changes()
    assert {row.id: row.deleted for row in page.rows} == {"b": False, "a": False, "c": True}
    assert len(page.rows) == 3
    assert page.pending == 0
    assert filled.changes(since=page.last_seq).rows == []


@pytest.mark.beyond_stand_in("details")
def test_changes_are_read_page_by_page(filled: Database) -> None:
    first = filled.changes(limit=2)
    assert (len(first.rows), first.pending) == (2, 1)
    rest = filled.changes(since=first.last_seq, limit=2)
    assert sorted(ids(first) + ids(rest)) == ["a", "b", "c"]
    assert filled.changes(since=first.rows[-1].seq).rows == rest.rows
    assert filled.changes(since=rest.last_seq).rows == []


def test_changes_after_the_end_are_empty_and_do_not_go_back(filled: Database) -> None:
    end = filled.changes(since=filled.seq())
    assert end.rows == []
    filled.put({"_id": "d"}, writer="w")
    assert ids(filled.changes(since=end.last_seq)) == ["d"]


@pytest.mark.parametrize(
    "elsewhere",
    ["7-0123abcd", "3-g1AAAACjeJzLYW", "3-g1AAAACjeJzLYW~5f3e1a2b", "3~5f3e1a2b", "99-x_y=", "no sequence"],
)
def test_a_client_that_comes_from_another_store_sees_everything(database: Database, elsewhere: str) -> None:
    database.bulk_docs([{"_id": f"d{n}"} for n in range(3)], writer="w")
    assert len(ids(database.changes(since=elsewhere))) == 3


def test_changes_can_be_read_newest_first(filled: Database) -> None:
    """A cluster orders the changes of one shard, so the order of different documents says little."""
    told = list(filled.changes_backwards(include_docs=True))
    assert sorted(row.id for row in told) == ["a", "b", "c"]
    assert {row.id: (row.doc or {}).get("n") for row in told} == {"a": "again", "b": "b", "c": None}
    assert len(list(filled.changes_backwards(limit=1))) == 1
    assert [row.id for row in filled.changes_backwards(doc_ids=["b", "x", "b"])] == ["b"]
    assert list(filled.changes_backwards(limit=0)) == []


def test_all_changes_can_be_read_newest_first_whatever_their_number(database: Database) -> None:
    names = [f"d{n:04}" for n in range(1203)]
    database.bulk_docs([{"_id": name, "_rev": "1-a"} for name in names], new_edits=False, writer="w")
    database.bulk_docs([{"_id": "d0007", "_rev": "1-b"}], new_edits=False, writer="w")
    told = list(database.changes_backwards())
    assert sorted(row.id for row in told) == names
    assert {row.id: row.leaves for row in told} == {row.id: row.leaves for row in database.changes().rows}
    assert len(list(database.changes_backwards(doc_ids=names))) == 1203


@pytest.mark.parametrize("include_docs", [True, False])
def test_changes_of_more_ids_than_one_statement_takes(database: Database, include_docs: bool) -> None:
    names = [f"d{n:04}" for n in range(1203)]
    database.bulk_docs([{"_id": name, "_rev": "1-a"} for name in names], new_edits=False, writer="w")
    first = database.changes(doc_ids=names, limit=700, include_docs=include_docs)
    rest = database.changes(doc_ids=names, since=first.last_seq, include_docs=include_docs)
    assert sorted(ids(first) + ids(rest)) == names


def test_changes_carry_the_winners_body_when_asked(filled: Database) -> None:
    docs = {row.id: row.doc or {} for row in filled.changes(include_docs=True).rows}
    assert docs["a"]["n"] == "again"
    assert docs["c"]["_deleted"] is True
    assert filled.changes().rows[0].doc is None


def test_changes_of_some_ids(filled: Database) -> None:
    assert sorted(ids(filled.changes(doc_ids=["c", "b", "x", "c"]))) == ["b", "c"]
    assert len(ids(filled.changes(doc_ids=["c", "b"], limit=1))) == 1
    before = filled.seq()
    filled.put({"_id": "d"}, writer="w")
    assert ids(filled.changes(doc_ids=["a", "d"], since=before)) == ["d"]


@pytest.mark.parametrize("asked", [["d07"], ["d99", "d00", "d50"], [f"d{n:02}" for n in range(0, 100, 2)]])
def test_changes_of_few_and_of_many_ids_are_those_of_all(database: Database, asked: list[str]) -> None:
    docs = [{"_id": f"d{n:02}", "_rev": "1-a"} for n in range(100)]
    database.bulk_docs(docs, new_edits=False, writer="w")
    every = {row.id: row.seq for row in database.changes().rows}
    told, since = [], BEGINNING
    while rows := (page := database.changes(doc_ids=asked, since=since, limit=2)).rows:
        told += rows
        since = page.last_seq
    assert sorted(row.id for row in told) == sorted(asked)
    assert sorted(row.id for row in database.changes_backwards(doc_ids=asked)) == sorted(asked)
    assert len(list(database.changes_backwards(doc_ids=asked, limit=2))) == min(2, len(asked))
    assert every.keys() >= set(asked)


def test_each_sequence_stands_before_what_came_after_it(database: Database) -> None:
    before = []
    for n in range(5):
        before.append(database.seq())
        database.put({"_id": f"d{n}"}, writer="w")
    told = [set(ids(database.changes(since=seq))) for seq in before]
    assert told == [{f"d{n}" for n in range(first, 5)} for first in range(5)]


def test_all_docs_lists_the_living_by_id(filled: Database) -> None:
    told = filled.all_docs()
    assert (told["total_rows"], told["offset"]) == (2, 0)
    assert [row["id"] for row in told["rows"]] == ["a", "b"]
    assert told["rows"][0]["value"] == {"rev": filled.get("a")["_rev"]}
    assert filled.all_docs(include_docs=True)["rows"][1]["doc"]["n"] == "b"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"startkey": "2"}, ["2", "3", "4"]),
        ({"endkey": "2"}, ["1", "2"]),
        ({"endkey": "2", "inclusive_end": False}, ["1"]),
        ({"startkey": "2", "endkey": "3"}, ["2", "3"]),
        ({"descending": True}, ["4", "3", "2", "1"]),
        ({"descending": True, "startkey": "3", "endkey": "2"}, ["3", "2"]),
        ({"descending": True, "startkey": "3", "endkey": "2", "inclusive_end": False}, ["3"]),
        ({"skip": 1, "limit": 2}, ["2", "3"]),
        ({"limit": 0}, []),
        ({"startkey": "9"}, []),
    ],
)
def test_ranges_of_ids(database: Database, options: dict[str, Any], expected: list[str]) -> None:
    for name in "1234":
        database.put({"_id": name}, writer="w")
    assert [row["id"] for row in database.all_docs(**options)["rows"]] == expected


@pytest.mark.beyond_stand_in("details")
def test_ids_are_ordered_by_their_bytes(database: Database) -> None:
    names = ["Z", "a", "z", "ä", "村", "😀", "_design/x"]
    for name in names:
        database.put({"_id": name}, writer="w")
    assert [row["id"] for row in database.all_docs()["rows"]] == sorted(names, key=str.encode)


def test_asked_keys_are_answered_in_their_order_also_the_deleted_and_missing(filled: Database) -> None:
    rows = filled.all_docs(keys=["c", "x", "a", "a"], include_docs=True)["rows"]
    assert rows[0]["value"]["deleted"] is True
    assert rows[0]["doc"] is None
    assert rows[1] == {"key": "x", "error": "not_found"}
    assert rows[2]["doc"]["_id"] == rows[3]["id"] == "a"


def test_documents_of_a_prefix_are_read_through(database: Database) -> None:
    docs = [{"_id": f"point:{n:04}"} for n in range(1203)]
    database.bulk_docs([*docs, {"_id": "poi"}, {"_id": "pointer"}, {"_id": "q"}], writer="w")
    gone = database.get("point:0007")
    database.put({"_id": gone["_id"], "_rev": gone["_rev"], "_deleted": True}, writer="w")
    found = [doc["_id"] for doc in database.documents("point:")]
    assert found == [doc["_id"] for doc in docs if doc["_id"] != "point:0007"]
    assert len(list(database.documents())) == 1205


def test_reading_documents_through_bears_writes_in_between(database: Database) -> None:
    database.bulk_docs([{"_id": f"d{n:04}", "_rev": "1-a"} for n in range(1200)], new_edits=False, writer="w")
    seen = []
    for number, doc in enumerate(database.documents()):
        seen.append(doc["_id"])
        if number % 100 in (0, 99):
            database.put(doc | {"_deleted": True}, writer="w")
    assert seen == [f"d{n:04}" for n in range(1200)]
