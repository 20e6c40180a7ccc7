"""Requests with something wrong in them, and what CouchDB 3.5.0 answered to each.

`wrong_requests.jsonl` has a request a line, below a database with a document `doc` (1-a), a deleted one
`gone` (2-g) and one with an attachment, `withatt` (1-x):

    ask       method and path; `<a*300>` stands for 300 times "a"
    json, body, gzip, type, headers      what is sent; `body` byte for character, `gzip` to be compressed
    couchdb   [status, error] as recorded from CouchDB 3.5.0; [null, null] where it never answered
    ours      [status, error] where this server answers something else on purpose, and `why`

With GRIDBOOK_TEST_COUCHDB=http://admin:password@host:port the same requests go to a real CouchDB, too.
"""

from __future__ import annotations

import base64
import gzip
import http.client
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import uuid4

import pytest

from sync.embedded import open_store

CASES = [
    json.loads(line)
    for line in Path(__file__).with_name("wrong_requests.jsonl").read_text(encoding="utf-8").splitlines()
]

WHY = {
    "crashes": "CouchDB fails with a 5xx, or never answers, where the client made the mistake",
    "no revision": "no revision can have that name or that history; it would break trees",
    "limit": "sizes have limits here",
    "since": "a sequence from elsewhere starts from the beginning, so that a client misses nothing",
    "keys": "every key of _all_docs is an id, and an id is a text",
    "views only": "parameters that only views have are not looked at",
    "not here": "forms and all_or_nothing are not there",
    "unknown parent": "an edit of a document that is not here cannot build on a revision",
    "same thing": "the same refusal or the same document under a plainer status",
    "unsafe": "a name or a type that cannot stand in a URL or a header",
    "lie": "what contradicts itself is not kept",
}

Answer = tuple[int, str | None, Any]
Send = Callable[..., Answer]


def unfolded(text: str) -> str:
    return re.sub(r"<(.)\*(\d+)>", lambda found: found[1] * int(found[2]), text)


def body_of(case: dict[str, Any]) -> bytes | None:
    if "json" in case:
        return unfolded(json.dumps(case["json"])).encode()
    if "gzip" in case:
        return gzip.compress(case["gzip"].encode(), mtime=0)
    return unfolded(case["body"]).encode("latin-1") if "body" in case else None


def headers_of(case: dict[str, Any]) -> dict[str, str]:
    headers = dict(case.get("headers", {}))
    mimetype = case.get("type", "application/json" if body_of(case) is not None else None)
    if mimetype is not None:
        headers["Content-Type"] = mimetype
    if "gzip" in case:
        headers["Content-Encoding"] = "gzip"
    return headers


def told(status: int, data: bytes) -> Answer:
    try:
        said = json.loads(data)
    except ValueError:
        return status, None, None
    return status, said.get("error") if isinstance(said, dict) else None, said


@pytest.fixture(scope="module")
def ours(standalone: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Send]:
    store = open_store(tmp_path_factory.mktemp("wrong") / "store.sqlite3")
    client = standalone.create_app(store).test_client()

    def send(
        method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        sent = {"Authorization": "Basic YWRtaW46c2VjcmV0"} | (headers or {})
        content_type = sent.pop("Content-Type", None)
        answer = client.open(
            "/sync" + path, method=method, data=body, headers=sent, content_type=content_type
        )
        return told(answer.status_code, answer.data)

    yield send
    store.close()


def couchdb_at(url: str) -> Send:
    place = urlsplit(url)
    basic = base64.b64encode(f"{place.username}:{place.password}".encode()).decode()

    def send(
        method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
        sent = {"Authorization": f"Basic {basic}"} | (headers or {})
        if body is None and method in ("POST", "PUT"):
            body = b""
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return told(answer.status, data)

    return send


JSON = {"Content-Type": "application/json"}
FIRST = [
    {"_id": "doc", "_rev": "1-a"},
    {"_id": "gone", "_rev": "2-g", "_deleted": True},
    {"_id": "withatt", "_rev": "1-x", "_attachments": {"p": {"content_type": "image/png", "data": "YWJj"}}},
]


def prepared(send: Send) -> str:
    path = f"/wrong-{uuid4().hex}"
    assert send("PUT", path)[0] == 201
    pushed = json.dumps({"docs": FIRST, "new_edits": False}).encode()
    assert send("POST", f"{path}/_bulk_docs", pushed, JSON)[::2] == (201, [])
    assert send("PUT", f"{path}/_local/loc", b"{}", JSON)[0] == 201
    return path


@pytest.fixture(scope="module")
def village(ours: Send) -> str:
    """For those who only read."""
    return prepared(ours)


def answer_to(case: dict[str, Any], send: Send, database: str) -> list[Any]:
    method, path = unfolded(case["ask"]).split(" ", 1)
    path = quote(path, safe="/?&=%,:;@+$!*'()[]{}\"<>|^`~\\")  # on the wire as it stands, but for spaces
    return list(send(method, database + path.replace('"', "%22"), body_of(case), headers_of(case))[:2])


def assert_whole(send: Send, database: str) -> None:
    """Counts, changes and documents tell the same; every leaf can be read with its history."""
    info, changes = send("GET", database)[2], send("GET", f"{database}/_changes?style=all_docs")[2]
    rows = changes["results"]
    assert info["doc_count"] + info["doc_del_count"] == len(rows)
    assert info["doc_count"] == len(send("GET", f"{database}/_all_docs")[2]["rows"])
    for row in rows:
        leaves = [change["rev"] for change in row["changes"]]
        path = f"{database}/{quote(row['id'], safe='')}?open_revs=all&revs=true&attachments=true"
        found = send("GET", path, None, {"Accept": "application/json"})[2]
        assert sorted(leaf["ok"]["_rev"] for leaf in found) == sorted(leaves)
        for leaf in found:
            start, ids = leaf["ok"]["_revisions"]["start"], leaf["ok"]["_revisions"]["ids"]
            assert f"{start}-{ids[0]}" == leaf["ok"]["_rev"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["ask"][:60])
def test_a_wrong_request_is_answered_as_couchdb_answers_it(
    ours: Send, village: str, case: dict[str, Any]
) -> None:
    reads = case["ask"].startswith("GET ")
    database = village if reads else prepared(ours)
    assert answer_to(case, ours, database) == case.get("ours", case["couchdb"]), WHY.get(case.get("why", ""))
    if not reads:
        assert_whole(ours, database)


def test_every_difference_has_a_reason() -> None:
    different = [case for case in CASES if "ours" in case]
    assert all(case["ours"] != case["couchdb"] for case in different)
    assert {case["why"] for case in different} == set(WHY)
    assert all(case["why"] == "crashes" for case in different if (case["couchdb"][0] or 500) >= 500)


@pytest.mark.skipif(
    "GRIDBOOK_TEST_COUCHDB" not in os.environ, reason="GRIDBOOK_TEST_COUCHDB names no CouchDB"
)
def test_couchdb_itself_answers_as_it_was_recorded() -> None:
    send = couchdb_at(os.environ["GRIDBOOK_TEST_COUCHDB"])
    answered_otherwise = []
    for case in CASES:
        if case["couchdb"][0] is None:
            continue
        database = prepared(send)
        answer = answer_to(case, send, database)
        if answer != case["couchdb"]:
            answered_otherwise.append((case["ask"], case["couchdb"], answer))
        send("DELETE", database)
    assert answered_otherwise == []
