"""Who may do what: Alice's phone, Bob's phone, Charlie without a credential, the admin."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from sync.store import Store

Ask = Callable[..., TestResponse]

OK = 200
CREATED = 201
FORBIDDEN = 403
MISSING = 404

# (method, path below the database, body) → what a reader gets, what a pusher gets
CALLS: list[tuple[str, str, object, int, int]] = [
    ("GET", "", None, OK, OK),
    ("HEAD", "/", None, OK, OK),
    ("PUT", "", None, FORBIDDEN, FORBIDDEN),
    ("DELETE", "", None, FORBIDDEN, FORBIDDEN),
    ("POST", "", {"_id": "new"}, FORBIDDEN, CREATED),
    ("GET", "/_changes", None, OK, FORBIDDEN),
    ("POST", "/_changes?filter=_doc_ids", {"doc_ids": []}, OK, FORBIDDEN),
    ("GET", "/_all_docs", None, OK, FORBIDDEN),
    ("POST", "/_all_docs", {"keys": ["doc"]}, OK, FORBIDDEN),
    ("POST", "/_all_docs/queries", {"queries": [{"limit": 1}]}, OK, FORBIDDEN),
    ("GET", "/_design_docs", None, OK, FORBIDDEN),
    ("POST", "/_design_docs/queries", {"queries": [{"limit": 1}]}, OK, FORBIDDEN),
    ("GET", "/_local_docs", None, FORBIDDEN, FORBIDDEN),
    ("POST", "/_local_docs", {"keys": ["_local/x"]}, FORBIDDEN, FORBIDDEN),
    ("POST", "/_local_docs/queries", {"queries": [{"limit": 1}]}, FORBIDDEN, FORBIDDEN),
    ("POST", "/_bulk_get", {"docs": [{"id": "doc"}]}, OK, FORBIDDEN),
    ("POST", "/_revs_diff", {"doc": ["1-x"]}, FORBIDDEN, OK),
    ("POST", "/_missing_revs", {"doc": ["1-x"]}, FORBIDDEN, OK),
    ("POST", "/_bulk_docs", {"docs": [{"_id": "n", "_rev": "1-a"}], "new_edits": False}, FORBIDDEN, CREATED),
    ("GET", "/doc", None, OK, FORBIDDEN),
    ("HEAD", "/doc", None, OK, FORBIDDEN),
    ("GET", "/doc?open_revs=all", None, OK, FORBIDDEN),
    ("PUT", "/fresh", {}, FORBIDDEN, CREATED),
    ("DELETE", "/doc?rev=1-x", None, FORBIDDEN, FORBIDDEN),
    ("GET", "/doc/note", None, OK, FORBIDDEN),
    ("PUT", "/other/note", None, FORBIDDEN, CREATED),
    ("DELETE", "/doc/note?rev=1-x", None, FORBIDDEN, FORBIDDEN),
    ("PUT", "/_local/checkpoint", {"last_seq": 1}, CREATED, CREATED),
    ("GET", "/_local/checkpoint", None, OK, OK),
    ("DELETE", "/_local/checkpoint", None, OK, OK),
    ("POST", "/_ensure_full_commit", None, CREATED, CREATED),
    ("POST", "/_compact", None, FORBIDDEN, FORBIDDEN),
    ("POST", "/_view_cleanup", None, FORBIDDEN, FORBIDDEN),
    ("GET", "/_revs_limit", None, FORBIDDEN, FORBIDDEN),
    ("PUT", "/_revs_limit", 5, FORBIDDEN, FORBIDDEN),
    ("GET", "/_security", None, FORBIDDEN, FORBIDDEN),
    ("GET", "/_design/d", None, MISSING, FORBIDDEN),
    ("GET", "/_design/d/_view/v", None, MISSING, FORBIDDEN),
    ("POST", "/_find", {"selector": {}}, 501, FORBIDDEN),
]
NAMES = [f"{method} {path or '/'}" for method, path, *_ in CALLS]


@pytest.fixture(autouse=True)
def documents(store: Store) -> None:
    for name in store.names():
        rev = store.open(name).put({"_id": "doc", "secret": name}, writer="server")
        store.open(name).put_attachment("doc", "note", b"n", "text/plain", rev=rev, writer="server")


def ask_all(ask: Ask, database_name: str) -> list[int]:
    told = []
    ask("PUT", f"/{database_name}/_local/checkpoint", {"last_seq": 1})
    for method, path, body, *_ in CALLS:
        answer = ask(method, f"/{database_name}{path}", body)
        assert answer.mimetype == "application/json" or answer.status_code == OK
        told.append(answer.status_code)
    return told


def test_a_reader_reads_and_a_pusher_pushes_and_neither_does_more(alice: Ask) -> None:
    reads, pushes = ask_all(alice, "register-a"), ask_all(alice, "inbox-a")
    assert dict(zip(NAMES, reads, strict=True)) == {
        name: call[3] for name, call in zip(NAMES, CALLS, strict=True)
    }
    assert dict(zip(NAMES, pushes, strict=True)) == {
        name: call[4] for name, call in zip(NAMES, CALLS, strict=True)
    }


@pytest.mark.parametrize(
    "database_name", ["register-a", "inbox-a", "office", "register-a%2F..", "REGISTER-B"]
)
def test_what_is_not_bobs_is_forbidden_and_does_not_even_tell_whether_it_exists(
    bob: Ask, database_name: str
) -> None:
    for method, path, body, *_ in CALLS:
        answer = bob(method, f"/{database_name}{path}", body)
        assert answer.status_code == FORBIDDEN
        if method != "HEAD":
            assert answer.json == {"error": "forbidden", "reason": "You are not allowed to access this db."}


def test_charlie_gets_nothing_but_the_welcome(charlie: Ask) -> None:
    for database_name in ("register-a", "inbox-a", "nothing"):
        assert set(ask_all(charlie, database_name)) == {401}
    assert charlie("GET", "/_all_dbs").json == {
        "error": "unauthorized",
        "reason": "You are not authorized to access this db.",
    }
    assert charlie("GET", "/").json["couchdb"] == "Welcome"


@pytest.mark.parametrize("header", ["Bearer revoked", "Basic YWRtaW46d3Jvbmc=", "Bearer ", "Bearer 村"])
def test_a_wrong_or_revoked_credential_is_unauthorized(charlie: Ask, header: str) -> None:
    answer = charlie("GET", "/register-a/", headers={"Authorization": header.encode().decode("latin-1")})
    assert (answer.status_code, answer.json["error"]) == (401, "unauthorized")


@pytest.mark.parametrize("header", ["Basic: YWRtaW46d3Jvbmc=", "Basic", "Basic %%%", "nonsense"])
def test_the_welcome_bears_a_malformed_credential(charlie: Ask, header: str) -> None:
    assert charlie("GET", "/", headers={"Authorization": header}).status_code == OK
    assert charlie("GET", "/register-a/", headers={"Authorization": header}).status_code == 401


def test_the_welcome_tells_a_wrong_password(charlie: Ask) -> None:
    answer = charlie("GET", "/", headers={"Authorization": "Basic YWRtaW46d3Jvbmc="})
    assert (answer.status_code, answer.json["reason"]) == (401, "Name or password is incorrect.")


def test_the_calls_of_the_server_are_the_admins(alice: Ask, admin: Ask) -> None:
    for path in ("/_all_dbs", "/_uuids", "/_up"):
        assert alice("GET", path).status_code == FORBIDDEN
        assert admin("GET", path).status_code == OK
    assert alice("PUT", "/mine").status_code == FORBIDDEN
    assert len(admin("GET", "/_uuids?count=3").json["uuids"]) == 3


def test_a_pusher_learns_nothing_about_what_others_pushed(alice: Ask, store: Store) -> None:
    before = alice("GET", "/inbox-a/").json
    store.open("inbox-a").put({"_id": "another"}, writer="device:bob")
    assert alice("GET", "/inbox-a/").json == before
    assert before["doc_count"] == 0
    assert before["db_name"] == "inbox-a"


def test_phones_cannot_read_or_clobber_each_others_checkpoints(
    alice: Ask, bob: Ask, admin: Ask, store: Store
) -> None:
    alice("PUT", "/catalogue/_local/x%3D%3D", {"last_seq": "alice"})
    bob("PUT", "/catalogue/_local/x%3D%3D", {"last_seq": "bob"})
    told = alice("GET", "/catalogue/_local/x%3D%3D").json
    assert (told["_id"], told["last_seq"]) == ("_local/x==", "alice")
    assert bob("GET", "/catalogue/_local/x%3D%3D").json["last_seq"] == "bob"
    assert admin("GET", "/catalogue/_local/x%3D%3D").status_code == MISSING
    bob("DELETE", "/catalogue/_local/x%3D%3D")
    assert alice("GET", "/catalogue/_local/x%3D%3D").status_code == OK
    stolen = bob("GET", "/catalogue/_local/device:alice%2Fx%3D%3D")
    assert stolen.status_code == MISSING


def test_local_documents_in_a_batch_are_the_writers_own_too(alice: Ask, admin: Ask) -> None:
    alice("POST", "/inbox-a/_bulk_docs", {"docs": [{"_id": "_local/x", "n": 1}]})
    assert alice("GET", "/inbox-a/_local/x").json["n"] == 1
    assert admin("GET", "/inbox-a/_local/x").status_code == MISSING


def test_every_request_of_a_principal_is_a_contact(standalone: ModuleType, store: Store) -> None:
    seen: list[str] = []
    app = standalone.create_app(store, on_contact=lambda principal: seen.append(principal.writer))
    client: FlaskClient = app.test_client()
    client.get("/sync/")
    client.get("/sync/catalogue")
    client.get("/sync/catalogue", headers={"Authorization": "Bearer alice"})
    client.get("/sync/inbox-b", headers={"Authorization": "Bearer alice"})
    assert seen == ["device:alice", "device:alice"]


def test_each_revision_remembers_the_phone_that_pushed_it(alice: Ask, store: Store) -> None:
    claims = {"_id": "r", "_rev": "1-a", "device_id": "bob"}
    alice("POST", "/inbox-a/_bulk_docs", {"docs": [claims], "new_edits": False})
    (row,) = store.open("inbox-a").changes(doc_ids=["r"], receipts=True).rows
    assert row.leaves[0].writer == "device:alice"


def test_a_push_is_never_refused_for_its_content(alice: Ask, store: Store) -> None:
    docs = [
        {"_id": "r1", "_rev": "1-a", "anything": {"at": ["all"]}},
        {"_id": "r1", "_rev": "1-b", "conflicting": True},
        {"_id": "r1", "_rev": "2-c", "_revisions": {"start": 2, "ids": ["c", "a"]}, "_deleted": True},
        {"_id": "doc", "_rev": "1-z", "of": "another"},
        {"_id": "_design/evil", "_rev": "1-a", "validate_doc_update": "function () { throw 1 }"},
    ]
    answer = alice("POST", "/inbox-a/_bulk_docs", {"docs": docs, "new_edits": False})
    assert (answer.status_code, answer.json) == (CREATED, [])
    inbox = store.open("inbox-a")
    assert [row["ok"]["_rev"] for row in inbox.open_revs("r1", None)] == ["1-b", "2-c"]
    assert inbox.get("doc", rev="1-z")["of"] == "another"
    assert alice("POST", "/inbox-a/_bulk_docs", {"docs": docs, "new_edits": False}).status_code == CREATED
