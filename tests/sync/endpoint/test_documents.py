"""Documents, attachments and ids over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.test import TestResponse

from sync.store import Store

Ask = Callable[..., TestResponse]

JSON = {"Accept": "application/json"}

IDS = [
    "plain",
    "a/b",
    "a//b",
    "/a",
    "村 1 😀",
    "a+b",
    "a%2Fb",
    "a b",
    "?#&=",
    ".",
    "..",
    "a\0b",
    "_design/x",
    "x/_all_docs",
]


def in_path(doc_id: str) -> str:
    """As encodeURIComponent and PouchDB write it."""
    return (
        "_design/" + quote(doc_id[8:], safe="") if doc_id.startswith("_design/") else quote(doc_id, safe="")
    )


@pytest.mark.parametrize("doc_id", IDS)
def test_an_id_goes_through_the_path_unharmed(admin: Ask, store: Store, doc_id: str) -> None:
    path = "/open/" + in_path(doc_id)
    written = admin("PUT", path, {"n": 1})
    assert (written.status_code, written.json["id"]) == (201, doc_id)
    assert store.open("open").get(doc_id)["n"] == 1
    assert admin("GET", path).json["_id"] == doc_id
    rev = written.json["rev"]
    attached = admin("PUT", f"{path}/a%2Fb%20%F0%9F%98%80?rev={rev}", data=b"x", content_type="text/plain")
    assert attached.status_code == 201, attached.json
    assert admin("GET", f"{path}/a/b%20%F0%9F%98%80").data == b"x"
    assert admin("DELETE", f"{path}?rev={attached.json['rev']}").status_code == 200
    assert admin("GET", path).json == {"error": "not_found", "reason": "deleted"}


@pytest.mark.parametrize("name", ["a/b", "a+b", "a(1)$_-"])
def test_a_database_name_goes_through_the_path_unharmed(admin: Ask, store: Store, name: str) -> None:
    path = "/" + quote(name, safe="+")
    assert admin("PUT", path).status_code == 201
    assert name in store.names()
    assert admin("GET", path + "/").json["db_name"] == name
    assert admin("PUT", path).json["error"] == "file_exists"
    assert admin("DELETE", path).json == {"ok": True}
    assert admin("DELETE", path).json == {"error": "not_found", "reason": "Database does not exist."}


def test_an_illegal_database_name_is_refused(admin: Ask) -> None:
    answer = admin("PUT", "/Capital")
    assert (answer.status_code, answer.json["error"]) == (400, "illegal_database_name")


def test_a_design_document_with_an_encoded_slash_is_the_same(admin: Ask) -> None:
    admin("PUT", "/open/_design%2Fd", {"n": 1})
    assert admin("GET", "/open/_design/d").json["n"] == 1


def test_a_document_is_written_read_and_written_again(admin: Ask) -> None:
    first = admin("PUT", "/open/a", {"n": 1}).json
    assert first == {"ok": True, "id": "a", "rev": first["rev"]}
    stale = admin("PUT", "/open/a", {"n": 2})
    assert stale.status_code == 409
    assert stale.json == {"error": "conflict", "reason": "Document update conflict."}
    assert admin("PUT", "/open/a", {"_rev": first["rev"], "n": 2}).status_code == 201
    assert admin("GET", "/open/a?rev=" + first["rev"]).json["n"] == 1


@pytest.mark.parametrize("how", ["body", "query", "If-Match"])
def test_the_revision_can_be_named_in_three_places(admin: Ask, how: str) -> None:
    rev = admin("PUT", "/open/a", {}).json["rev"]
    body = {"_rev": rev} if how == "body" else {}
    headers = {"If-Match": f'"{rev}"'} if how == "If-Match" else {}
    path = "/open/a" + (f"?rev={rev}" if how == "query" else "")
    assert admin("PUT", path, body, headers=headers).status_code == 201


def test_revisions_that_disagree_are_refused(admin: Ask) -> None:
    answer = admin("PUT", "/open/a?rev=1-a", {"_rev": "1-b"})
    assert (answer.status_code, answer.json["error"]) == (400, "bad_request")


def test_an_etag_saves_the_body(admin: Ask) -> None:
    rev = admin("PUT", "/open/a", {"n": 1}).json["rev"]
    answer = admin("GET", "/open/a")
    assert answer.headers["ETag"] == f'"{rev}"'
    again = admin("GET", "/open/a", headers={"If-None-Match": f'"{rev}"'})
    assert (again.status_code, again.data) == (304, b"")
    admin("PUT", "/open/a", {"_rev": rev, "n": 2})
    assert admin("GET", "/open/a", headers={"If-None-Match": f'"{rev}"'}).json["n"] == 2


def test_head_is_get_without_the_body(admin: Ask) -> None:
    admin("PUT", "/open/a", {"n": 1})
    for path in ("/open/a", "/open", "/open/", "/"):
        answer = admin("HEAD", path)
        assert (answer.status_code, answer.data) == (200, b"")
        assert answer.headers["Content-Length"] == admin("GET", path).headers["Content-Length"]
    assert admin("HEAD", "/open/b").status_code == 404


def test_a_document_without_an_id_gets_one(admin: Ask) -> None:
    answer = admin("POST", "/open", {"n": 1})
    assert answer.status_code == 201
    assert admin("GET", "/open/" + answer.json["id"]).json["n"] == 1


def test_what_is_told_besides_the_body(admin: Ask) -> None:
    docs = [
        {"_id": "a", "_rev": "2-b", "_revisions": {"start": 2, "ids": ["b", "a"]}},
        {"_id": "a", "_rev": "2-c", "_revisions": {"start": 2, "ids": ["c", "a"]}},
        {"_id": "a", "_rev": "2-d", "_revisions": {"start": 2, "ids": ["d", "a"]}, "_deleted": True},
    ]
    assert admin("POST", "/open/_bulk_docs", {"docs": docs, "new_edits": False}).json == []
    told = admin("GET", "/open/a?conflicts=true&revs=true&revs_info=true&deleted_conflicts=true").json
    assert told["_conflicts"] == ["2-b"]
    assert told["_deleted_conflicts"] == ["2-d"]
    assert told["_revisions"] == {"start": 2, "ids": ["c", "a"]}
    assert [one["status"] for one in told["_revs_info"]] == ["available", "missing"]
    leaves = admin("GET", "/open/a?open_revs=all", headers=JSON).json
    assert [row["ok"]["_rev"] for row in leaves] == ["2-c", "2-b", "2-d"]
    asked = admin("GET", '/open/a?open_revs=["2-b","9-x"]&revs=true', headers=JSON).json
    assert asked[0]["ok"]["_revisions"] == {"start": 2, "ids": ["b", "a"]}
    assert asked[1] == {"missing": "9-x"}
    assert admin("GET", "/open/nothing?open_revs=all").status_code == 404
    assert admin("GET", "/open/a?rev=1-a&latest=true").json["_rev"] == "2-c"


def test_one_replicated_revision_can_be_put(admin: Ask, store: Store) -> None:
    doc = {"_rev": "3-c", "_revisions": {"start": 3, "ids": ["c", "b"]}}
    assert admin("PUT", "/open/a?new_edits=false", doc).json["rev"] == "3-c"
    assert store.open("open").get("a", revs=True)["_revisions"]["ids"] == ["c", "b"]


def test_an_attachment_is_served_safely(admin: Ask) -> None:
    page = b"<script>alert(1)</script>"
    rev = admin("PUT", "/open/a/page", data=page, content_type="text/html; charset=utf-8").json["rev"]
    answer = admin("GET", f"/open/a/page?rev={rev}")
    assert (answer.data, answer.headers["Content-Type"]) == (page, "text/html; charset=utf-8")
    assert answer.headers["Content-Security-Policy"] == "sandbox"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    tag = answer.headers["ETag"]
    assert admin("GET", "/open/a/page", headers={"If-None-Match": tag}).status_code == 304
    part = admin("GET", "/open/a/page", headers={"Range": "bytes=1-6"})
    assert (part.status_code, part.data) == (206, b"script")
    assert admin("GET", "/open/a/none").json["reason"] == "Document is missing attachment"


def test_local_documents_take_no_attachments(admin: Ask) -> None:
    answer = admin("PUT", "/open/_local/x/note", data=b"x")
    assert (answer.status_code, answer.json["reason"]) == (400, "_local documents do not accept attachments.")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/open/_design/d/_view/v"),
        ("POST", "/open/_design/d/_view/v"),
        ("GET", "/open/_design/d/_show/s"),
        ("POST", "/open/_find"),
        ("GET", "/open/_index"),
        ("POST", "/open/_explain"),
        ("POST", "/open/_temp_view"),
        ("GET", "/open/_changes?filter=d/f"),
        ("GET", "/open/_changes?filter=_view&view=d/v"),
    ],
)
def test_what_is_not_done_here_says_so(admin: Ask, method: str, path: str) -> None:
    functions: dict[str, Any] = {
        "views": {"v": {"map": "function (doc) {}"}},
        "filters": {"f": "function () {}"},
    }
    admin("PUT", "/open/_design/d", functions)
    answer = admin(method, path)
    assert (answer.status_code, answer.json["error"]) == (501, "not_implemented")
    assert answer.json["reason"].startswith("This server")


def test_maintenance_calls_are_answered(admin: Ask) -> None:
    assert admin("POST", "/open/_compact").status_code == 202
    assert admin("POST", "/open/_view_cleanup").status_code == 202
    assert admin("POST", "/open/_ensure_full_commit").json["ok"] is True
    assert admin("GET", "/open/_revs_limit").json == 1000
    assert admin("PUT", "/open/_revs_limit", 5).json == {"ok": True}
    assert admin("GET", "/open/_revs_limit").json == 5
    for wrong in (0, -1, "many", True, 10**20):
        assert admin("PUT", "/open/_revs_limit", wrong).status_code == 400
    assert set(admin("GET", "/open/_security").json) == {"admins", "members"}


def test_other_origins_are_answered_only_when_configured(standalone: Any, store: Store) -> None:
    preflight = {"Origin": "https://phone.example", "Access-Control-Request-Method": "POST"}
    plain = standalone.create_app(store).test_client()
    answer = plain.options("/sync/open/_bulk_docs", headers=preflight)
    assert answer.status_code != 204
    assert "Access-Control-Allow-Origin" not in answer.headers
    open_to = standalone.create_app(store, cors_origins=["https://phone.example"]).test_client()
    answer = open_to.options("/sync/open/_bulk_docs", headers=preflight)
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "https://phone.example"
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    denied = open_to.get("/sync/open/", headers={"Origin": "https://phone.example"})
    assert denied.status_code == 401
    assert denied.headers["Access-Control-Allow-Origin"] == "https://phone.example"
    stranger = open_to.options("/sync/open/", headers=preflight | {"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in stranger.headers


@pytest.mark.parametrize(
    ("asked", "status", "data"),
    [
        ("bytes=1-2", 206, b"bc"),
        ("bytes=-2", 206, b"ef"),
        ("bytes=4-", 206, b"ef"),
        ("bytes=4-99", 206, b"ef"),
        ("bytes=0-0,2-2", 200, b"abcdef"),
        ("bytes=nonsense", 200, b"abcdef"),
        ("lines=1-2", 200, b"abcdef"),
        ("bytes=9-", 416, None),
    ],
)
def test_a_part_of_an_attachment_can_be_asked_for(admin: Ask, asked: str, status: int, data: bytes) -> None:
    admin("PUT", "/open/a/p", data=b"abcdef", content_type="image/png")
    answer = admin("GET", "/open/a/p", headers={"Range": asked})
    assert answer.status_code == status
    assert data is None or answer.data == data


def test_a_tag_is_left_out_only_where_more_than_the_revision_is_told(admin: Ask) -> None:
    rev = admin("PUT", "/open/a", {}).json["rev"]
    assert admin("GET", "/open/a?revs=true&conflicts=true").headers["ETag"] == f'"{rev}"'
    assert "ETag" not in admin("GET", "/open/a?revs_info=true").headers


def test_who_asks_is_told_and_a_cookie_session_is_not_begun(admin: Ask, charlie: Ask) -> None:
    assert admin("GET", "/_session").json["userCtx"] == {"name": "admin", "roles": ["_admin"]}
    assert charlie("GET", "/_session").status_code == 401
    begun = admin("POST", "/_session", data=b"name=admin", content_type="application/x-www-form-urlencoded")
    assert begun.status_code == 404  # on which CouchDB's replicator goes on with Basic


def test_a_database_made_anew_is_told_apart(admin: Ask) -> None:
    before = admin("GET", "/open").json["instance_start_time"]
    assert before == admin("POST", "/open/_ensure_full_commit").json["instance_start_time"]
    assert before.isdigit()
    admin("DELETE", "/open")
    admin("PUT", "/open")
    assert admin("GET", "/open").json["instance_start_time"] != before


def test_only_json_is_posted(admin: Ask, alice: Ask) -> None:
    for path in ("/_bulk_docs", "/_revs_diff", "/_changes", "/_compact", ""):
        for content_type in ("text/plain", "application/x-www-form-urlencoded"):
            answer = admin("POST", "/open" + path, data=b'{"docs":[]}', content_type=content_type)
            assert (answer.status_code, answer.json["error"]) == (415, "bad_content_type")
    refused = alice("POST", "/open/_bulk_docs", data=b"{}", content_type="text/plain")
    assert refused.status_code == 403


def test_a_local_document_can_be_posted(admin: Ask) -> None:
    assert admin("POST", "/open", {"_id": "_local/x", "n": 1}).json["id"] == "_local/x"
    assert admin("GET", "/open/_local/x").json["n"] == 1
    assert admin("GET", "/open").json["doc_count"] == 0


def test_views_of_a_design_document_that_is_not_there_cannot_be_compacted(admin: Ask) -> None:
    assert admin("POST", "/open/_compact/nothing").status_code == 404
    admin("PUT", "/open/_design/d", {})
    assert admin("POST", "/open/_compact/d").status_code == 202
