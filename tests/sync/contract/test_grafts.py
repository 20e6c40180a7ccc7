"""Replicated revisions: kept with their history, whatever they are; nothing that arrived is dropped."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync.store import BadRequest, Database, NotFound, Receipt, Store
from tests.sync.contract.forgetting import wait_until_forgotten


def doc(doc_id: str, *path: str, **members: Any) -> dict[str, Any]:
    """A document as a replicator sends it: `path` is newest first."""
    start = int(path[0].partition("-")[0])
    revisions = {"start": start, "ids": [rev.partition("-")[2] for rev in path]}
    return {"_id": doc_id, "_rev": path[0], "_revisions": revisions, **members}


def graft(database: Database, *docs: dict[str, Any], writer: str = "w") -> list[dict[str, Any]]:
    return database.bulk_docs(docs, new_edits=False, writer=writer)


def leaves(database: Database, doc_id: str) -> list[str]:
    """In the order of the changes: the winner first."""
    (row,) = database.changes(doc_ids=[doc_id]).rows
    assert {leaf.rev for leaf in row.leaves} == {
        one["ok"]["_rev"] for one in database.open_revs(doc_id, None)
    }
    return [leaf.rev for leaf in row.leaves]


def test_a_graft_keeps_the_revision_and_its_history(database: Database) -> None:
    graft(database, doc("a", "3-c", "2-b", "1-a", n=3))
    found = database.get("a", revs=True, revs_info=True)
    assert found["_rev"] == "3-c"
    assert found["_revisions"] == {"start": 3, "ids": ["c", "b", "a"]}
    assert found["_revs_info"] == [
        {"rev": "3-c", "status": "available"},
        {"rev": "2-b", "status": "missing"},
        {"rev": "1-a", "status": "missing"},
    ]


def test_a_graft_without_revisions_is_a_branch_of_its_own(database: Database) -> None:
    graft(database, {"_id": "a", "_rev": "2-b"})
    assert database.get("a", revs=True)["_revisions"] == {"start": 2, "ids": ["b"]}


def test_a_graft_that_is_repeated_changes_nothing(database: Database) -> None:
    graft(database, doc("a", "1-a", n=1))
    before = database.seq()
    graft(database, doc("a", "1-a", n=1))
    assert database.changes(since=before).rows == []
    assert database.info()["doc_count"] == 1


def test_conflicting_branches_are_all_kept(database: Database) -> None:
    graft(database, doc("a", "2-b", "1-a", n="b"), doc("a", "2-c", "1-a", n="c"), doc("a", "1-z", n="z"))
    found = database.get("a", conflicts=True)
    assert (found["_rev"], found["_conflicts"]) == ("2-c", ["2-b", "1-z"])
    assert database.get("a", rev="1-z")["n"] == "z"
    assert database.info()["doc_count"] == 1


@pytest.mark.beyond_stand_in("details")
def test_a_deletion_is_a_revision_like_any_other(database: Database) -> None:
    graft(database, doc("a", "1-a"), doc("a", "2-b", "1-a", _deleted=True))
    with pytest.raises(NotFound, match="deleted"):
        database.get("a")
    graft(database, doc("never-seen", "5-x", "4-w", _deleted=True))
    assert database.info()["doc_del_count"] == 2


@pytest.mark.beyond_stand_in("details")
def test_a_deleted_branch_loses_against_a_living_one(database: Database) -> None:
    graft(database, doc("a", "5-e", "4-d", _deleted=True), doc("a", "1-a", n=1))
    found = database.get("a", conflicts=True, deleted_conflicts=True)
    assert (found["_rev"], found["_deleted_conflicts"]) == ("1-a", ["5-e"])
    assert "_conflicts" not in found


@pytest.mark.beyond_stand_in("details")
def test_an_ancestor_that_comes_late_gets_its_body_and_is_no_leaf(database: Database) -> None:
    graft(database, doc("a", "2-b", "1-a", n=2))
    graft(database, doc("a", "1-a", n=1))
    assert leaves(database, "a") == ["2-b"]
    assert database.get("a", rev="1-a")["n"] == 1


def test_an_edit_after_conflicts_ends_one_branch_only(database: Database) -> None:
    graft(database, doc("a", "1-a"), doc("a", "1-b"))
    database.put({"_id": "a", "_rev": "1-a", "_deleted": True}, writer="w")
    assert database.get("a", conflicts=True) == {"_id": "a", "_rev": "1-b"}


@pytest.mark.beyond_stand_in("details")
def test_the_spelling_of_a_hash_does_not_make_two_revisions(database: Database) -> None:
    graft(database, doc("a", "1-" + "AB" * 16), doc("a", "1-" + "ab" * 16))
    assert leaves(database, "a") == ["1-" + "ab" * 16]


@pytest.mark.parametrize(
    "unusable",
    [
        {"_rev": "1-a"},
        {"_id": "b"},
        {"_id": "b", "_rev": "x"},
        {"_id": "_b", "_rev": "1-a"},
        {"_id": 1, "_rev": "1-a"},
        "text",
        None,
        {"_id": "b", "_rev": "1-a", "_attachments": {"x": {"data": "%%%"}}},
    ],
)
def test_what_cannot_be_kept_refuses_the_whole_batch(database: Database, unusable: Any) -> None:
    with pytest.raises(BadRequest):
        graft(database, doc("a", "1-a"), unusable)
    assert database.info()["doc_count"] == 0
    assert database.changes().rows == []


def test_each_leaf_remembers_who_handed_it_in_and_when(database: Database) -> None:
    graft(database, doc("a", "1-a"), writer="device:1")
    graft(database, doc("a", "1-b"), writer="device:2")
    (row,) = database.changes(receipts=True).rows
    assert {leaf.rev: leaf.writer for leaf in row.leaves} == {"1-a": "device:1", "1-b": "device:2"}
    assert all(len(leaf.received_at) == len("2020-02-21T10:00:00.000Z") for leaf in row.leaves)
    assert all(leaf.received_at.endswith("Z") for leaf in row.leaves)


def test_the_first_receipt_of_a_revision_stays(database: Database) -> None:
    graft(database, doc("a", "1-a"), writer="device:1")
    (before,) = database.changes(receipts=True).rows
    graft(database, doc("a", "1-a"), writer="device:2")
    (after,) = database.changes(receipts=True).rows
    assert after.leaves == before.leaves


@pytest.mark.beyond_stand_in("details")
def test_a_restored_revision_keeps_the_receipt_that_it_got_elsewhere(database: Database) -> None:
    first = Receipt("device:1", "2020-02-21T10:00:00.123Z")
    second = Receipt("staff:2", "2020-02-22T23:59:59.999Z")
    database.restore([(doc("a", "1-a"), first), (doc("b", "2-b", "1-b", _deleted=True), second)])
    told = {row.id: row.leaves[0] for row in database.changes(receipts=True).rows}
    assert Receipt(told["a"].writer, told["a"].received_at) == first
    assert Receipt(told["b"].writer, told["b"].received_at) == second
    assert told["b"].deleted is True


@pytest.mark.beyond_stand_in("details")
def test_documents_and_receipts_are_the_same_asked_for_together_or_apart(database: Database) -> None:
    picture = {"photo": {"content_type": "image/png", "data": "AAAA"}}
    graft(database, doc("plain", "1-a", n=1), doc("buried", "1-a", _deleted=True))
    graft(database, doc("two", "1-a", n=1), doc("two", "1-b", n=2), doc("long", "2-b", "1-a", n=3))
    graft(database, doc("pictured", "1-a", _attachments=picture))
    together = database.changes(include_docs=True, receipts=True)
    receipts, docs = database.changes(receipts=True), database.changes(include_docs=True)
    assert [row.leaves for row in together.rows] == [row.leaves for row in receipts.rows]
    assert [row.doc for row in together.rows] == [row.doc for row in docs.rows]
    assert (together.last_seq, len(together.rows)) == (docs.last_seq, 5)


@pytest.mark.beyond_stand_in("details")
def test_revs_diff_tells_what_is_missing(database: Database) -> None:
    graft(database, doc("a", "2-b", "1-a"))
    assert database.revs_diff({"a": ["2-b", "1-a"]}) == {}
    assert database.revs_diff({"a": ["3-c", "2-b"], "x": ["1-x"]}) == {
        "a": {"missing": ["3-c"], "possible_ancestors": ["2-b"]},
        "x": {"missing": ["1-x"]},
    }


@pytest.mark.beyond_stand_in("details")
def test_open_revs_tells_found_and_missing(database: Database) -> None:
    graft(database, doc("a", "2-b", "1-a"), doc("a", "2-c", "1-a"))
    assert leaves(database, "a") == ["2-c", "2-b"]
    told = database.open_revs("a", ["2-b", "9-x", "1-a"])
    assert sorted(told, key=str) == [
        {"missing": "1-a"},
        {"missing": "9-x"},
        {"ok": {"_id": "a", "_rev": "2-b"}},
    ]
    told = database.open_revs("a", ["1-a"], latest=True, revs=True)
    assert sorted(row["ok"]["_rev"] for row in told) == ["2-b", "2-c"]
    assert database.open_revs("nothing", ["1-a"]) == [{"missing": "1-a"}]
    assert database.open_revs("nothing", None) == []


@pytest.mark.beyond_stand_in("details")
def test_bulk_get_answers_each_request(database: Database) -> None:
    graft(database, doc("a", "2-b", "1-a", n=2))
    results = database.bulk_get(
        [{"id": "a", "rev": "1-a"}, {"id": "a"}, {"id": "x", "rev": "1-x"}, {"id": "a", "rev": "bad"}],
        revs=True,
        latest=True,
    )
    assert results[0]["docs"][0]["ok"]["_revisions"] == {"start": 2, "ids": ["b", "a"]}
    assert results[1]["docs"][0]["ok"]["n"] == 2
    assert results[2]["docs"] == [
        {"error": {"id": "x", "rev": "1-x", "error": "not_found", "reason": "missing"}}
    ]
    assert results[3]["docs"][0]["error"]["error"] == "bad_request"


@pytest.mark.beyond_stand_in("compaction")
def test_compaction_forgets_old_bodies_and_no_leaf(database: Database) -> None:
    first = database.put({"_id": "a", "n": 1}, writer="w")
    second = database.put({"_id": "a", "_rev": first, "n": 2}, writer="w")
    graft(database, doc("a", "1-z", n="z"))
    seq = database.seq()
    database.compact()
    wait_until_forgotten(database, "a", first)
    assert database.get("a", rev=second)["n"] == 2
    assert database.get("a", rev="1-z")["n"] == "z"
    assert database.get("a", revs=True)["_revisions"]["start"] == 2
    assert database.changes(since=seq).rows == []
    assert database.revs_diff({"a": [first]}) == {}


@pytest.mark.beyond_stand_in("details")
def test_stemming_forgets_the_oldest_ancestors(database: Database) -> None:
    database.set_revs_limit(3)
    rev = database.put({"_id": "a"}, writer="w")
    for n in range(5):
        rev = database.put({"_id": "a", "_rev": rev, "n": n}, writer="w")
    assert len(database.get("a", revs=True)["_revisions"]["ids"]) == 3
    assert database.revs_limit() == 3


ONE_DOCUMENT = [
    doc("a", "1-a", n=1),
    doc("a", "2-b", "1-a", n=2),
    doc("a", "2-c", "1-a", _deleted=True),
    doc("a", "3-d", "2-b", "1-a", n=3),
    doc("a", "4-e", "3-d", "2-b", _deleted=True),
    doc("a", "1-z", n=9),
]


@pytest.mark.beyond_stand_in("details")
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(order=st.randoms())
def test_replicas_agree_whatever_the_order(store: Store, order: random.Random) -> None:
    docs = ONE_DOCUMENT.copy()
    order.shuffle(docs)
    database = store.create(f"order{len(store.names())}")
    for one in docs:
        graft(database, one)
    assert leaves(database, "a") == ["1-z", "4-e", "2-c"]
    assert database.get("a", rev="4-e", revs=True)["_revisions"] == {"start": 4, "ids": ["e", "d", "b", "a"]}
    assert (database.info()["doc_count"], database.info()["doc_del_count"]) == (1, 0)
