"""Whatever is sent, the answer is `{error, reason}` with CouchDB's status, and the store stays whole."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from sync.endpoint import Limits
from sync.store import Store

Ask = Callable[..., TestResponse]


def refused(answer: TestResponse, status: int, error: str) -> None:
    assert (answer.status_code, answer.json["error"]) == (status, error), answer.json
    assert isinstance(answer.json["reason"], str)
    assert answer.mimetype == "application/json"


BODIES = [
    "/_bulk_docs",
    "/_revs_diff",
    "/_bulk_get",
    "/_all_docs",
    "/_changes?filter=_doc_ids",
    "/_missing_revs",
    "",
]


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize("body", [b"", b"{", b"nonsense", b'{"a":1}}', b"\xff\xfe", b'"\\ud800"', b"NaN"])
def test_a_body_that_is_no_json_is_a_bad_request(admin: Ask, path: str, body: bytes) -> None:
    answer = admin("POST", "/open" + path, data=body, content_type="application/json")
    refused(answer, 400, "bad_request")


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize("depth", [300, 10_000, 100_000])
def test_a_deep_body_is_a_bad_request(admin: Ask, store: Store, path: str, depth: int) -> None:
    deep = b"[" * depth + b"]" * depth
    body = b'{"docs":[{"_id":"a","_rev":"1-a","deep":%b}],"keys":%b,"doc_ids":%b,"a":%b}' % ((deep,) * 4)
    answer = admin("POST", "/open" + path, data=body, content_type="application/json")
    assert answer.status_code in (400, 200, 201), answer.json
    if depth > 1000 or path in ("", "/_bulk_docs"):
        refused(answer, 400, "bad_request")
    assert store.open("open").info()["doc_count"] == 0


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        5,
        "text",
        [],
        [{}],
        {"docs": 5},
        {"docs": {}},
        {"docs": [None]},
        {"docs": ["a"]},
        {"docs": [[]]},
        {"docs": [{"_id": 5, "_rev": "1-a"}], "new_edits": False},
        {"docs": [{"_id": "a", "_rev": 5}], "new_edits": False},
        {"docs": [{"_id": "a"}], "new_edits": "no"},
        {"keys": "a"},
        {"keys": [5]},
        {"doc_ids": "a"},
        {"doc_ids": [5]},
        {"a": "1-a"},
        {"a": [5]},
        {"a": {"b": 1}},
        {"_id": ["a"]},
        {"_unknown": 1},
    ],
)
def test_values_of_the_wrong_type_fail_no_call(admin: Ask, path: str, value: Any) -> None:
    answer = admin("POST", "/open" + path, data=json.dumps(value), content_type="application/json")
    assert answer.status_code in (200, 201, 400), answer.json
    assert answer.status_code != 400 or set(answer.json) == {"error", "reason"}
    b"".join(answer.response)


names = st.sampled_from(
    [
        "docs",
        "_id",
        "_rev",
        "_revisions",
        "start",
        "ids",
        "_deleted",
        "_attachments",
        "data",
        "stub",
        "digest",
        "new_edits",
        "keys",
        "doc_ids",
        "selector",
        "$or",
        "$gt",
        "id",
        "rev",
        "limit",
        "_local/x",
    ]
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["1-a", "_id", "_rev"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names | st.text(), inner, max_size=4),
    max_leaves=8,
)
paths = st.sampled_from(
    [("POST", path) for path in [*BODIES, "/_changes?filter=_selector"]]
    + [("PUT", "/d"), ("PUT", "/_local/x")]
)


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(call=paths, value=values)
def test_no_json_whatever_makes_the_server_fail(admin: Ask, call: tuple[str, str], value: Any) -> None:
    answer = admin(call[0], "/open" + call[1], data=json.dumps(value), content_type="application/json")
    assert answer.status_code < 500, answer.json
    json.loads(answer.data)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    path=st.sampled_from(["/_changes", "/_all_docs", "/d", "/d/a", ""]),
    query=st.dictionaries(
        st.sampled_from(
            [
                "since",
                "limit",
                "skip",
                "feed",
                "style",
                "heartbeat",
                "rev",
                "open_revs",
                "startkey",
                "endkey",
                "key",
                "keys",
                "descending",
                "include_docs",
                "filter",
                "view",
                "doc_ids",
                "revs",
                "latest",
                "count",
            ]
        ),
        st.text(max_size=8)
        | st.sampled_from(
            ["true", "1", "-1", "0", "[]", "all", "null", "1-a", '["1-a"]', "now", "9" * 30, "_view"]
        ),
        max_size=4,
    ),
)
def test_no_query_whatever_makes_the_server_fail(admin: Ask, path: str, query: dict[str, str]) -> None:
    if query.get("feed") in ("longpoll", "continuous"):
        query["timeout"] = "0"
    answer = admin("GET", "/open" + path, query_string=query)
    assert answer.status_code < 500 or answer.status_code == 501, answer.json
    answer.close()


def test_a_body_above_the_limit_is_too_large(alice: Ask, store: Store) -> None:
    photo = base64.b64encode(bytes(15_000_000)).decode()
    doc = {"_id": "r", "_rev": "1-a", "_attachments": {"p": {"content_type": "image/jpeg", "data": photo}}}
    answer = alice("POST", "/inbox-a/_bulk_docs", {"docs": [doc], "new_edits": False})
    refused(answer, 413, "too_large")
    refused(alice("PUT", "/inbox-a/r/p", data=bytes(20_000_000)), 413, "too_large")
    assert store.open("inbox-a").changes().rows == []


def test_a_document_above_its_own_limit_names_itself(alice: Ask) -> None:
    answer = alice("PUT", "/inbox-a/big", {"text": "x" * 8_000_001})
    refused(answer, 413, "document_too_large")
    assert answer.json["reason"] == "big"


def test_a_body_in_gzip_is_understood(alice: Ask, store: Store) -> None:
    body = gzip.compress(json.dumps({"docs": [{"_id": "a", "_rev": "1-a"}], "new_edits": False}).encode())
    headers = {"Content-Encoding": "gzip"}
    answer = alice("POST", "/inbox-a/_bulk_docs", data=body, headers=headers)
    assert answer.status_code == 201
    assert store.open("inbox-a").get("a")["_rev"] == "1-a"


@pytest.mark.parametrize(
    ("body", "encoding", "status", "error"),
    [
        (gzip.compress(bytes(20_000_000)), "gzip", 413, "too_large"),
        (b"no gzip at all", "gzip", 400, "bad_request"),
        (gzip.compress(b"{}", mtime=0)[:-4], "gzip", 400, "bad_request"),
        (gzip.compress(b"{}", mtime=0) + b"more", "gzip", 400, "bad_request"),
        (b"{}", "br", 415, "bad_content_type"),
    ],
)
def test_a_bomb_or_a_broken_encoding_is_refused(
    alice: Ask, body: bytes, encoding: str, status: int, error: str
) -> None:
    answer = alice("POST", "/inbox-a/_bulk_docs", data=body, headers={"Content-Encoding": encoding})
    refused(answer, status, error)


def test_a_request_names_a_bounded_number_of_things(standalone: ModuleType, store: Store) -> None:
    app = standalone.create_app(store, limits=Limits(keys_max=3))
    client, many = app.test_client(), ["a", "b", "c", "d"]
    for path, body in [
        ("_revs_diff", {name: ["1-a"] for name in many}),
        ("_revs_diff", {"a": ["1-a", "1-b", "1-c", "1-d"]}),
        ("_bulk_get", {"docs": [{"id": name} for name in many]}),
        ("_bulk_docs", {"docs": [{"_id": name} for name in many]}),
        ("_all_docs", {"keys": many}),
        ("_changes?filter=_doc_ids", {"doc_ids": many}),
    ]:
        answer = client.post(f"/sync/open/{path}", json=body, auth=("admin", "secret"))
        refused(answer, 413, "too_large")


@pytest.mark.parametrize("doc_id", ["_", "_x", "_all", "_design", "%FF"])
def test_an_illegal_id_in_the_path_is_refused_to_writers_and_missing_to_readers(
    admin: Ask, doc_id: str
) -> None:
    refused(admin("PUT", f"/open/{doc_id}", {}), 400, "illegal_docid")
    for method in ("GET", "DELETE"):
        refused(admin(method, f"/open/{doc_id}"), 404, "not_found")


@pytest.mark.parametrize(
    "doc", [{"_id": "_x", "_rev": "1-a"}, {"_rev": "1-a"}, {"_id": "a"}, {"_id": "a", "_rev": "a"}]
)
def test_what_cannot_be_kept_refuses_the_whole_push(alice: Ask, store: Store, doc: dict[str, Any]) -> None:
    docs = [{"_id": "fine", "_rev": "1-a"}, doc]
    answer = alice("POST", "/inbox-a/_bulk_docs", {"docs": docs, "new_edits": False})
    assert answer.status_code == 400
    assert store.open("inbox-a").changes().rows == []


def test_an_attachment_whose_digest_lies_refuses_the_whole_push(alice: Ask, store: Store) -> None:
    lying = {"content_type": "image/jpeg", "data": "QUJD", "digest": "md5-AAAAAAAAAAAAAAAAAAAAAA=="}
    docs = [{"_id": "fine", "_rev": "1-a"}, {"_id": "r", "_rev": "1-a", "_attachments": {"p": lying}}]
    answer = alice("POST", "/inbox-a/_bulk_docs", {"docs": docs, "new_edits": False})
    refused(answer, 400, "content_md5_mismatch")
    answer = alice("PUT", "/inbox-a/r/p", data=b"ABC", headers={"Content-MD5": "AAAAAAAAAAAAAAAAAAAAAA=="})
    refused(answer, 400, "content_md5_mismatch")
    refused(alice("PUT", "/inbox-a/r/p", data=b"A", headers={"Content-MD5": "%"}), 400, "bad_request")
    assert store.open("inbox-a").changes().rows == []


def test_a_replayed_push_changes_nothing(alice: Ask, store: Store) -> None:
    body = {"docs": [{"_id": "a", "_rev": "1-a", "n": 1}], "new_edits": False}
    for _ in range(3):
        assert alice("POST", "/inbox-a/_bulk_docs", body).status_code == 201
    assert store.open("inbox-a").seq().startswith("1-")


@pytest.mark.parametrize("method", ["PATCH", "COPY", "PROPFIND", "TRACE", "MOVE", "OPTIONS", "DELETE"])
def test_a_method_that_is_not_known_is_answered_in_json(admin: Ask, method: str) -> None:
    answer = admin(method, "/open/_changes")
    refused(answer, 405, "method_not_allowed")
    assert answer.json["reason"] == "Only GET,HEAD,POST allowed"
    assert answer.headers["Allow"] == "GET, HEAD, POST"


def test_a_failure_inside_is_a_500_in_json_without_its_cause(
    admin: Ask, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(name: str) -> None:
        raise RuntimeError("secret cause")

    monkeypatch.setattr(store, "open", fail)
    answer = admin("GET", "/open/")
    refused(answer, 500, "internal_server_error")
    assert "secret" not in answer.text


def test_the_limit_of_the_app_does_not_answer_in_our_place(standalone: ModuleType, store: Store) -> None:
    app = standalone.create_app(store, limits=Limits(body_bytes_max=5_000))
    app.config["MAX_CONTENT_LENGTH"] = 10
    client = app.test_client()
    answer = client.put("/sync/open/a", json={"text": "x" * 100}, auth=("admin", "secret"))
    assert answer.status_code == 201
    refused(client.put("/sync/open/b", data=bytes(6_000), auth=("admin", "secret")), 413, "too_large")
