"""Interactive edits: a client that names what it builds on, and is told of conflicts."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sync.store import BadRequest, Conflict, Database, DocValidation, IllegalDocid, NotFound, TooLarge


def test_a_document_comes_back_as_it_was_written(database: Database) -> None:
    doc = {"_id": "村/1 😀+", "text": "发热", "n": 1.5, "list": [None, True, {"deep": []}]}
    rev = database.put(doc, writer="device:1")
    assert re.fullmatch("1-[0-9a-f]{32}", rev)
    assert database.get("村/1 😀+") == doc | {"_rev": rev}


def test_an_edit_of_the_leaf_goes_on_and_an_edit_of_anything_else_conflicts(database: Database) -> None:
    first = database.put({"_id": "a"}, writer="w")
    second = database.put({"_id": "a", "_rev": first, "n": 2}, writer="w")
    assert second.startswith("2-")
    for stale in (None, first, "1-" + "0" * 32, "9-x"):
        with pytest.raises(Conflict, match="Document update conflict"):
            database.put({"_id": "a", **({"_rev": stale} if stale else {})}, writer="w")
    assert database.get("a")["n"] == 2


def test_a_revision_of_an_unknown_document_conflicts(database: Database) -> None:
    with pytest.raises(Conflict):
        database.put({"_id": "a", "_rev": "1-x"}, writer="w")


@pytest.mark.beyond_stand_in("details")
def test_the_same_edit_gets_the_same_revision_everywhere(database: Database) -> None:
    doc: dict[str, Any] = {"_id": "a", "n": 1}
    rev = database.put(doc, writer="w")
    other = database.put({**doc, "_id": "b"}, writer="another")
    assert rev == other
    assert database.put({"_id": "c", "n": 2}, writer="w") != rev


@pytest.mark.beyond_stand_in("details")
def test_a_deleted_document_says_deleted_and_can_be_written_anew(database: Database) -> None:
    first = database.put({"_id": "a"}, writer="w")
    gone = database.put({"_id": "a", "_rev": first, "_deleted": True, "why": "moved"}, writer="w")
    with pytest.raises(NotFound, match="deleted"):
        database.get("a")
    assert database.get("a", rev=gone) == {"_id": "a", "_rev": gone, "_deleted": True, "why": "moved"}
    third = database.put({"_id": "a", "n": 3}, writer="w")
    assert third.startswith("3-")
    assert database.get("a", revs=True)["_revisions"]["start"] == 3


def test_a_missing_document_says_missing(database: Database) -> None:
    with pytest.raises(NotFound, match="missing"):
        database.get("a")
    database.put({"_id": "a"}, writer="w")
    with pytest.raises(NotFound, match="missing"):
        database.get("a", rev="3-x")


def test_bulk_edits_tell_new_known_deleted_and_repeated_documents_apart(database: Database) -> None:
    known = database.put({"_id": "known", "n": 1}, writer="w")
    gone = database.put({"_id": "gone"}, writer="w")
    database.put({"_id": "gone", "_rev": gone, "_deleted": True}, writer="w")
    rows = database.bulk_docs(
        [
            {"_id": "new", "n": 1},
            {"_id": "known", "_rev": known, "n": 2},
            {"_id": "unknown", "_rev": known},
            {"_id": "buried", "_deleted": True},
            {"_id": "new", "n": 2},
            {"_id": "buried", "n": 3},
            {"_id": "gone", "n": 4},
        ],
        writer="w",
    )
    assert ["error" in row for row in rows] == [False, False, True, False, True, False, False]
    assert [row["rev"][:2] for row in rows if "rev" in row] == ["1-", "2-", "1-", "2-", "3-"]
    numbers = {name: database.get(name)["n"] for name in ("new", "known", "buried", "gone")}
    assert numbers == {"new": 1, "known": 2, "buried": 3, "gone": 4}
    info = database.info()
    assert (info["doc_count"], info["doc_del_count"]) == (4, 0)


@pytest.mark.beyond_stand_in("details")
def test_bulk_edits_answer_each_document_in_order(database: Database) -> None:
    database.put({"_id": "b"}, writer="w")
    rows = database.bulk_docs([{"_id": "a"}, {"_id": "b"}, {"_id": "a"}, {"_id": "c"}], writer="w")
    assert [row.get("error") for row in rows] == [None, "conflict", "conflict", None]
    assert [row["id"] for row in rows] == ["a", "b", "a", "c"]
    assert rows[1]["reason"] == "Document update conflict."
    assert rows[3]["ok"] is True


@pytest.mark.parametrize("doc_id", ["", "_id", "_local/x", "_design/", None, 7, ["a"], "x" * 5000, "\ud800"])
def test_an_illegal_id_is_refused(database: Database, doc_id: object) -> None:
    with pytest.raises(IllegalDocid):
        database.put({"_id": doc_id}, writer="w")


@pytest.mark.parametrize("rev", ["", "1", "x-1", "0-1", "-1-a", "1-" + "g" * 32, 1, ["1-a"], "9" * 20 + "-a"])
def test_a_malformed_revision_is_refused(database: Database, rev: object) -> None:
    with pytest.raises(BadRequest):
        database.put({"_id": "a", "_rev": rev}, writer="w")


@pytest.mark.parametrize(
    "member",
    [
        {"_unknown": 1},
        {"_deleted": "yes"},
        {"_attachments": []},
        {"_attachments": {"a": "text"}},
        {"_revisions": 1},
        {"_revisions": {"start": "1", "ids": []}},
        {"_revisions": {"start": 1, "ids": "a"}},
        {"_revisions": {"start": 1, "ids": ["a", "b"]}},
        {"_revisions": {"start": 1, "ids": [1]}},
    ],
)
def test_a_special_member_of_the_wrong_kind_is_refused(database: Database, member: dict[str, Any]) -> None:
    with pytest.raises(DocValidation):
        database.put({"_id": "a", **member}, writer="w")
    assert database.info()["doc_count"] == 0


def test_what_json_cannot_hold_is_refused(database: Database) -> None:
    deep: list[Any] = []
    for _ in range(300):
        deep = [deep]
    for value in (deep, "\ud800", object(), {1: 2}):
        with pytest.raises(BadRequest):
            database.put({"_id": "a", "value": value}, writer="w")


def test_a_document_above_the_limit_is_refused(database: Database) -> None:
    with pytest.raises(TooLarge):
        database.put({"_id": "a", "text": "x" * 8_000_001}, writer="w")


def test_nul_in_ids_and_texts_is_kept(database: Database) -> None:
    database.put({"_id": "a\0b", "text": "\0"}, writer="w")
    database.put({"_id": "a"}, writer="w")
    assert database.get("a\0b")["text"] == "\0"
    assert [row["id"] for row in database.all_docs()["rows"]] == ["a", "a\0b"]
