"""What a replicator asks, step by step: the shapes that PouchDB and CouchDB rely on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from sync.store import Store

Ask = Callable[..., TestResponse]


def revision(doc_id: str, *path: str, **members: Any) -> dict[str, Any]:
    start = int(path[0].partition("-")[0])
    ids = [rev.partition("-")[2] for rev in path]
    return {"_id": doc_id, "_rev": path[0], "_revisions": {"start": start, "ids": ids}, **members}


@pytest.fixture(autouse=True)
def documents(store: Store) -> None:
    docs = [
        revision("a", "2-b", "1-a", n=2),
        revision("a", "3-d", "2-c", "1-a", n=3),
        revision("gone", "2-y", "1-x", _deleted=True),
        revision("photo", "1-p", _attachments={"p": {"content_type": "image/png", "data": "QUJD"}}),
    ]
    store.open("open").bulk_docs(docs, new_edits=False, writer="w")


def test_revs_diff_names_only_what_is_missing(admin: Ask) -> None:
    asked = {"a": ["2-b", "4-e"], "gone": ["2-y"], "new": ["1-n"]}
    assert admin("POST", "/open/_revs_diff", asked).json == {
        "a": {"missing": ["4-e"], "possible_ancestors": ["3-d", "2-b"]},
        "new": {"missing": ["1-n"]},
    }
    assert admin("POST", "/open/_revs_diff", {"a": ["2-b"]}).json == {}
    assert admin("POST", "/open/_missing_revs", asked).json == {
        "missing_revs": {"a": ["4-e"], "new": ["1-n"]}
    }


def test_bulk_get_tells_documents_with_their_history(admin: Ask) -> None:
    asked = {"docs": [{"id": "a", "rev": "2-b"}, {"id": "gone", "rev": "2-y"}, {"id": "photo"}]}
    results = admin("POST", "/open/_bulk_get?revs=true&latest=true", asked).json["results"]
    assert [result["id"] for result in results] == ["a", "gone", "photo"]
    found = [result["docs"][0]["ok"] for result in results]
    assert found[0] == revision("a", "2-b", "1-a", n=2)
    assert found[1]["_deleted"] is True
    assert found[2]["_attachments"]["p"] == {
        "content_type": "image/png",
        "revpos": 1,
        "digest": "md5-kC+90rHfDE9wtKXSNSXpMg==",
        "length": 3,
        "stub": True,
    }


def test_bulk_get_gives_the_latest_of_an_old_revision(admin: Ask) -> None:
    asked = {"docs": [{"id": "a", "rev": "2-c"}, {"id": "a", "rev": "1-a"}]}
    results = admin("POST", "/open/_bulk_get?latest=true", asked).json["results"]
    assert [row["ok"]["_rev"] for row in results[0]["docs"]] == ["3-d"]
    assert [row["ok"]["_rev"] for row in results[1]["docs"]] == ["3-d", "2-b"]


def test_bulk_get_brings_attachments_when_asked(admin: Ask) -> None:
    results = admin("POST", "/open/_bulk_get?attachments=true", {"docs": [{"id": "photo"}]}).json["results"]
    assert results[0]["docs"][0]["ok"]["_attachments"]["p"]["data"] == "QUJD"


def test_bulk_get_tells_each_error_in_its_place(admin: Ask) -> None:
    asked = {"docs": [{"id": "no", "rev": "1-x"}, {"id": "no"}, {}, 5, {"id": "a", "rev": "x"}, {"id": "a"}]}
    results = admin("POST", "/open/_bulk_get", asked).json["results"]
    errors = [result["docs"][0].get("error", {}).get("error") for result in results]
    assert errors == ["not_found", "not_found", "bad_request", "bad_request", "bad_request", None]
    assert results[1]["docs"][0]["error"]["rev"] == "undefined"
    assert admin("POST", "/nothing/_bulk_get", asked).status_code == 404


@pytest.mark.parametrize("rev", ["x", "", "1", None, 5, []])
def test_bulk_get_tells_what_is_no_revision_also_of_a_document_that_is_missing(
    admin: Ask, rev: object
) -> None:
    results = admin("POST", "/open/_bulk_get", {"docs": [{"id": "no", "rev": rev}]}).json["results"]
    error = {"id": "no", "rev": rev, "error": "bad_request", "reason": "Invalid rev format"}
    assert results == [{"id": "no", "docs": [{"error": error}]}]


def test_a_large_bulk_get_is_answered_in_order(admin: Ask, store: Store) -> None:
    docs = [{"_id": f"d{n}", "_rev": "1-a", "n": n} for n in range(350)]
    store.open("open").bulk_docs(docs, new_edits=False, writer="w")
    asked = {"docs": [{"id": f"d{n}", "rev": "1-a"} for n in reversed(range(350))]}
    results = admin("POST", "/open/_bulk_get", asked).json["results"]
    assert [result["docs"][0]["ok"]["n"] for result in results] == list(reversed(range(350)))


def test_bulk_docs_answers_grafts_with_nothing_and_edits_with_rows(admin: Ask) -> None:
    grafted = admin("POST", "/open/_bulk_docs", {"docs": [revision("n", "1-n")], "new_edits": False})
    assert (grafted.status_code, grafted.json) == (201, [])
    edited = admin("POST", "/open/_bulk_docs", {"docs": [{"_id": "n"}, {"_id": "m"}, {"no": "id"}]})
    assert edited.status_code == 201
    conflict, fine, named = edited.json
    assert conflict == {"id": "n", "error": "conflict", "reason": "Document update conflict."}
    assert fine["ok"] is True
    assert admin("GET", f"/open/{named['id']}").json["no"] == "id"


def test_a_checkpoint_is_written_again_and_again(admin: Ask) -> None:
    path = "/open/_local/abc.d_e%3D%3D"
    assert admin("GET", path).json == {"error": "not_found", "reason": "missing"}
    assert admin("PUT", path, {"last_seq": "1-x"}).json == {
        "ok": True,
        "id": "_local/abc.d_e==",
        "rev": "0-1",
    }
    assert admin("PUT", path, {"_rev": "0-1", "last_seq": "2-x"}).json["rev"] == "0-2"
    assert admin("GET", path).json == {"_id": "_local/abc.d_e==", "_rev": "0-2", "last_seq": "2-x"}
    assert admin("PUT", path, {"_rev": "nonsense"}).status_code == 400
    assert admin("DELETE", path).status_code == 200
    assert admin("GET", path).status_code == 404


def test_a_revision_that_is_asked_for_twice_is_told_once(admin: Ask) -> None:
    found = admin("GET", '/open/a?open_revs=["1-x","1-x"]', headers={"Accept": "application/json"})
    assert found.json == [{"missing": "1-x"}]
