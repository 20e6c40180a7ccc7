"""Answers that a backend writes as JSON say the same as those that are made from its documents."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest

from sync.rendering import Rendered, WritesJson, writing_json
from sync.store import BEGINNING, Database

pytestmark = pytest.mark.beyond_stand_in("details")

PHOTO = {"content_type": "image/png", "data": base64.b64encode(b"photo").decode()}
DOCS: list[dict[str, Any]] = [
    {"_id": "plain", "_rev": "1-a", "text": "上门未遇", "n": 1.5, "list": [None, {}]},
    {"_id": "empty", "_rev": "1-a"},
    {"_id": 'a "quoted"/\\\u2028 id', "_rev": '1-"strange" hash'},
    {"_id": "with \x00 in it", "_rev": "1-" + "A" * 32, "_replication_state": "kept"},
    {"_id": "gone", "_rev": "1-a", "_deleted": True},
    {"_id": "gone with words", "_rev": "1-a", "_deleted": True, "why": "moved away"},
    {"_id": "edited", "_revisions": {"start": 3, "ids": ["c", "b", "a"]}, "n": 3},
    {"_id": "in conflict", "_rev": "1-a", "n": 1},
    {"_id": "in conflict", "_rev": "1-b", "n": 2},
    {"_id": "with photo", "_rev": "1-a", "_attachments": {"p": PHOTO}},
]


@pytest.fixture
def village(database: Database) -> Database:
    database.bulk_docs(DOCS, new_edits=False, writer="w")
    return database


def decoded(rows: list[bytes]) -> list[Any]:
    return [orjson.loads(row) for row in rows]


def read_changes(writer: WritesJson, **options: Any) -> dict[str, Any]:
    """The rows by id, read page by page; sequences are opaque, and need not be the same twice."""
    since, found = BEGINNING, {}
    while True:
        page = writer.changes_json(since=since, **options)
        for row in decoded(page.rows):
            assert isinstance(row.pop("seq"), str)
            assert row["id"] not in found
            found[row["id"]] = row
        if len(page.rows) < options["limit"]:
            assert page.pending == 0
            return found
        since = page.last_seq


@pytest.mark.parametrize("include_docs", [True, False])
@pytest.mark.parametrize("all_leaves", [True, False])
@pytest.mark.parametrize("limit", [3, 100])
def test_changes(village: Database, include_docs: bool, all_leaves: bool, limit: int) -> None:
    options = {"include_docs": include_docs, "all_leaves": all_leaves, "limit": limit}
    own = read_changes(writing_json(village), **options)
    assert own == read_changes(Rendered(village), **options)
    assert own.keys() == {doc["_id"] for doc in DOCS}


@pytest.mark.parametrize("include_docs", [True, False])
@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("limit", [1, 3, 100])
@pytest.mark.parametrize("ends", [(None, None), ("e", None), (None, "in conflict"), ("in conflict", "plain")])
def test_all_docs_page_by_page(
    village: Database, include_docs: bool, descending: bool, limit: int, ends: tuple[str | None, str | None]
) -> None:
    start, end = ends if not descending else ends[::-1]
    options = {
        "startkey": start, "endkey": end, "inclusive_end": True, "descending": descending,
        "include_docs": include_docs, "conflicts": True, "attachments": True,
    }  # fmt: skip
    told: dict[str, list[Any]] = {}
    for name, writer in (("own", writing_json(village)), ("made", Rendered(village))):
        after, rows = None, []
        while True:
            page = writer.all_docs_json(**options, after=after, skip=0, limit=limit)  # type: ignore[arg-type]
            rows += decoded(page.rows)
            after = page.last_id
            if len(page.rows) < limit:
                break
        told[name] = rows
    assert told["own"] == told["made"]
    whole = village.all_docs(**options)  # type: ignore[arg-type]
    assert told["own"] == orjson.loads(orjson.dumps(whole["rows"]))


@pytest.mark.parametrize("include_docs", [True, False])
def test_all_docs_of_keys(village: Database, include_docs: bool) -> None:
    keys = [*(doc["_id"] for doc in DOCS), "never", "plain"]
    options = {"include_docs": include_docs, "conflicts": True, "attachments": True}
    page = writing_json(village).keys_json(keys, **options)
    whole = village.all_docs(keys=keys, **options)  # type: ignore[arg-type]
    assert decoded(page.rows) == orjson.loads(orjson.dumps(whole["rows"]))
    assert (page.total_rows, page.offset) == (whole["total_rows"], whole["offset"]) == (7, None)


@pytest.mark.parametrize("revs", [True, False])
@pytest.mark.parametrize("latest", [True, False])
def test_bulk_get(village: Database, revs: bool, latest: bool) -> None:
    asked = [{"id": doc["_id"], "rev": doc["_rev"]} for doc in DOCS if "_rev" in doc]
    asked += [{"id": doc["_id"]} for doc in DOCS]
    asked += [{"id": "edited", "rev": "2-b"}, {"id": "edited", "rev": "3-c"}, {"id": "never"}]
    asked += [{"id": "never", "rev": "1-a"}, {"id": "plain", "rev": "1-b"}, {"id": "plain", "rev": "what"}]
    options = {"revs": revs, "latest": latest, "attachments": False}
    own = writing_json(village).bulk_get_json(asked, **options)
    assert decoded(own) == orjson.loads(orjson.dumps(village.bulk_get(asked, **options)))
