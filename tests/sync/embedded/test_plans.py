"""How SQLite goes about the calls of a replication: along an index, never through a whole table."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sync.rendering import writing_json
from sync.store import Database
from tests.sync.embedded.villages import filled_store

HARMLESS = ("SCAN server", "SCAN (subquery-1)")  # one row; a counted range that has an end
Call = Callable[[Database], object]
REV = "1-967a00dff5e02add41819138abb3284d"
PAGE: dict[str, Any] = {
    "endkey": "s", "inclusive_end": True, "descending": False, "after": None, "skip": 0, "limit": 100,
    "conflicts": False, "attachments": False,
}  # fmt: skip

CALLS: dict[str, Call] = {
    "_revs_diff": lambda inbox: inbox.revs_diff({"record:000": [REV], "absent": [REV]}),
    "_bulk_docs of others' revisions": lambda inbox: inbox.bulk_docs(
        [{"_id": "record:000", "_rev": REV}, {"_id": "fresh", "_rev": REV}], new_edits=False, writer="w"
    ),
    "_bulk_get": lambda inbox: writing_json(inbox).bulk_get_json([{"id": "record:000"}], revs=True),
    "a document": lambda inbox: inbox.get("record:000", revs=True),
    "an edit": lambda inbox: inbox.put({"_id": "edited"}, writer="w"),
    "a local document": lambda inbox: inbox.get_local("checkpoint-50"),
    "a checkpoint": lambda inbox: inbox.put_local({}, "checkpoint-50"),
    "_changes": lambda inbox: changes(inbox, include_docs=False),
    "_changes with documents": lambda inbox: changes(inbox, include_docs=True),
    "_changes of some": lambda inbox: inbox.changes(doc_ids=["record:000", "absent"], limit=10),
    "_changes from the end": lambda inbox: list(inbox.changes_backwards(limit=10)),
    "_all_docs": lambda inbox: writing_json(inbox).all_docs_json(startkey=None, include_docs=False, **PAGE),
    "_all_docs with documents": lambda inbox: writing_json(inbox).all_docs_json(
        startkey=None, include_docs=True, **PAGE
    ),
    "the database": lambda inbox: inbox.info(),
}


def changes(inbox: Database, *, include_docs: bool) -> object:
    return writing_json(inbox).changes_json(since="3", limit=10, include_docs=include_docs, all_leaves=True)


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Database]:
    store = filled_store(tmp_path / "store.sqlite3")
    yield store.open("inbox-a")
    store.close()


def plan_of(inbox: Any, call: Call) -> list[str]:
    """What EXPLAIN QUERY PLAN tells of each statement of `call`, one line a step."""
    statements: list[str] = []
    with inbox._connections._borrowed() as connection:
        pass  # the connection that the call will borrow, too
    connection.set_trace_callback(statements.append)
    call(inbox)
    connection.set_trace_callback(None)
    return [step for statement in statements for step in steps(connection, statement)]


def steps(connection: sqlite3.Connection, statement: str) -> list[str]:
    if not statement.startswith(("SELECT", "DELETE", "UPDATE", "INSERT", "REPLACE")):
        return []
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]


@pytest.mark.parametrize("name", CALLS)
def test_a_call_looks_up_what_it_needs(inbox: Database, name: str) -> None:
    told = plan_of(inbox, CALLS[name])
    assert any(step.startswith("SEARCH") for step in told)
    through = [step for step in told if step.startswith("SCAN") and step not in HARMLESS]
    assert not through, "reads a whole table"
    assert not [step for step in told if "TEMP B-TREE" in step], "sorts"


def test_the_changes_look_up_no_document(inbox: Database) -> None:
    """Each would be another page of the file: neighbours in the changes are strangers by id."""
    plan = plan_of(inbox, CALLS["_changes"])
    assert "SEARCH d USING COVERING INDEX documents_by_seq (db=? AND seq>?)" in plan
    trees = [step for step in plan if step.startswith("SEARCH t ")]
    assert len(trees) == 1, "only those of documents with several revisions"
