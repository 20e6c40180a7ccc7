"""_design_docs, _local_docs, queries, local_seq, atts_since and batch=ok, as CouchDB 3.5 answers them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from sync.store import Database, Store
from tests.sync.standalone import create_app

pytestmark = pytest.mark.beyond_stand_in("details")

Ask = Callable[..., TestResponse]


@pytest.fixture
def village(database: Database) -> Database:
    for name in ("a", "b", "_design/x", "_design/y"):
        database.put({"_id": name, "n": 1}, writer="w")
    for name in ("l1", "l2", "l3"):
        database.put_local({"n": 1}, name)
    return database


@pytest.fixture
def ask(store: Store, village: Database) -> Ask:
    client = create_app(store).test_client()

    def asking(method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        return client.open(
            f"/sync/{village.name}/{path}",
            method=method,
            json=body,
            headers=headers,
            auth=("admin", "secret"),
        )

    return asking


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return [row.get("id", row["key"]) for row in rows]


RANGES: list[tuple[str, list[int]]] = [
    ("", [0, 1]),
    ("limit=1", [0]),
    ("limit=0", []),
    ("skip=1", [1]),
    ('startkey="{1}"', [1]),
    ('endkey="{0}"', [0]),
    ('endkey="{1}"&inclusive_end=false', [0]),
    ("descending=true", [1, 0]),
    ('descending=true&startkey="{0}"', [0]),
    ('descending=true&endkey="{1}"', [1]),
    ('descending=true&startkey="{1}"&endkey="{0}"&inclusive_end=false', [1]),
    ('key="{0}"', [0]),
    ('key="a"', []),
    ('startkey="A"', [0, 1]),
    ('startkey="zz"', []),
    ('endkey="A"', []),
    ('endkey="zz"', [0, 1]),
    ('startkey="{1}"&endkey="{0}"', []),
    ('descending=true&startkey="zz"', [1, 0]),
    ('descending=true&startkey="A"', []),
    ('descending=true&endkey="zz"', []),
    ('descending=true&endkey="A"', [1, 0]),
]


@pytest.mark.parametrize(
    ("call", "names"),
    [("_design_docs", ["_design/x", "_design/y"]), ("_local_docs", ["_local/l1", "_local/l2"])],
)
def test_design_and_local_documents_are_listed_by_id(
    ask: Ask, village: Database, call: str, names: list[str]
) -> None:
    village.delete_local("l3")
    for query, found in RANGES:
        rows = ask("GET", f"{call}?{query.format(*names)}").json["rows"]
        assert ids(rows) == [names[number] for number in found], query


@pytest.mark.parametrize(
    ("query", "offset"),
    [
        ("", 0),
        ("skip=1", 1),
        ("skip=9", 2),
        ('startkey="_design/y"', 1),
        ('key="a"', 2),
        ("descending=true", 2),
    ],
)
def test_design_documents_are_counted_by_themselves(ask: Ask, query: str, offset: int) -> None:
    told = ask("GET", f"_design_docs?{query}").json
    assert (told["total_rows"], told["offset"]) == (2, offset)


def test_nobody_counts_local_documents(ask: Ask) -> None:
    told = ask("GET", "_local_docs?update_seq=true&include_docs=true&limit=1").json
    assert (told["total_rows"], told["offset"], told["update_seq"]) == (None, None, None)
    (row,) = told["rows"]
    assert row["doc"] == {"_id": "_local/l1", "_rev": row["value"]["rev"], "n": 1}


def test_many_local_documents_are_read_in_pages(village: Database, ask: Ask) -> None:
    names = [f"many{n:04}" for n in range(603)]
    for name in names:
        village.put_local({}, name)
    for query, expected in (
        ('startkey="_local/many"', names),
        ('descending=true&endkey="_local/many"', names[::-1]),
    ):
        assert ids(ask("GET", f"_local_docs?{query}").json["rows"]) == [f"_local/{name}" for name in expected]


@pytest.mark.parametrize(
    ("call", "keys", "found"),
    [
        (
            "_design_docs",
            ["a", "_design/y", "_design/z", "_design/x"],
            ["_design/y", "_design/z", "_design/x"],
        ),
        ("_local_docs", ["_local/l2", "a", "_local/z", "_local/l1"], ["_local/l2", "_local/z", "_local/l1"]),
    ],
)
def test_keys_of_another_kind_are_passed_over(ask: Ask, call: str, keys: list[str], found: list[str]) -> None:
    told = ask("POST", call, {"keys": keys}).json
    assert ids(told["rows"]) == found
    assert told["offset"] is None
    assert told["rows"][1]["error"] == "not_found"


def test_several_queries_are_answered_in_one_request(ask: Ask) -> None:
    asked = [
        {"limit": 1},
        {"keys": ["b", "zz"], "include_docs": True},
        {"startkey": "a", "skip": 1},
        {"key": "a"},
    ]
    told = ask("POST", "_all_docs/queries", {"queries": asked}).json["results"]
    assert [ids(one["rows"]) for one in told] == [["_design/x"], ["b", "zz"], ["b"], ["a"]]
    assert [(one["total_rows"], one["offset"]) for one in told] == [(4, 0), (4, None), (4, 3), (4, 2)]
    assert told[1]["rows"][0]["doc"]["n"] == 1
    assert ask("POST", "_all_docs/queries", {"queries": []}).json == {"results": []}
    for one in ask("POST", "_all_docs/queries?limit=1", {"queries": [{}, {"key": "b"}]}).json["results"]:
        assert len(one["rows"]) == 1
    for call, first in (("_design_docs", "_design/x"), ("_local_docs", "_local/l1")):
        told = ask("POST", f"{call}/queries", {"queries": [{"limit": 1}, {"keys": [first]}]}).json["results"]
        assert [ids(one["rows"]) for one in told] == [[first], [first]]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "bad_request"),
        ({"queries": {}}, "bad_request"),
        ({"queries": [5]}, "bad_request"),
        ({"queries": [{}, {"limit": -1}]}, "query_parse_error"),
        ({"queries": [{"keys": 5}]}, "bad_request"),
        ([], "bad_request"),
    ],
)
def test_queries_that_make_no_sense_are_refused_as_a_whole(ask: Ask, body: Any, error: str) -> None:
    answer = ask("POST", "_all_docs/queries", body)
    assert (answer.status_code, answer.json["error"]) == (400, error)


def test_too_many_queries_are_refused(ask: Ask) -> None:
    assert ask("POST", "_all_docs/queries", {"queries": [{"limit": 0}] * 1001}).status_code == 413


def test_queries_are_posted(ask: Ask) -> None:
    answer = ask("GET", "_all_docs/queries")
    assert (answer.status_code, answer.json["reason"]) == (405, "Only POST allowed")


def test_the_sequence_of_a_read_of_keys_is_not_told(ask: Ask) -> None:
    assert ask("POST", "_all_docs?update_seq=true", {"keys": ["a"]}).json["update_seq"] is None


def test_a_document_tells_its_place_in_the_changes_when_asked(ask: Ask, village: Database) -> None:
    assert isinstance(village.get("a", local_seq=True)["_local_seq"], int)
    assert isinstance(ask("GET", "a?local_seq=true").json["_local_seq"], int)
    assert "ETag" not in ask("GET", "a?local_seq=true").headers
    rev = village.get("a")["_rev"]
    for path in ("a", "a?local_seq=false", f"a?local_seq=true&rev={rev}", "_local/l1?local_seq=true"):
        assert "_local_seq" not in ask("GET", path).json
    assert (
        "_local_seq"
        not in ask("GET", "a?local_seq=true&open_revs=all", Accept="application/json").json[0]["ok"]
    )
    village.put(village.get("a", local_seq=True), writer="w")  # taken back, and not kept
    assert "_local_seq" not in village.get("a")


@pytest.fixture
def photos(village: Database) -> tuple[str, str, str]:
    """The revisions before any photo, with `p`, with `p` and `q`."""
    first = village.get("a")["_rev"]
    second = village.put_attachment("a", "p", b"photo p", "image/png", rev=first, writer="w")
    third = village.put_attachment("a", "q", b"photo q", "image/png", rev=second, writer="w")
    return first, second, third


@pytest.mark.parametrize(
    ("since", "told"),
    [([0], "pq"), ([1], "q"), ([0, 1], "q"), ([2], ""), ([], ""), (["1-unknown"], "pq")],
)
def test_bulk_get_brings_the_attachments_that_are_younger(
    ask: Ask, photos: tuple[str, str, str], since: list[Any], told: str
) -> None:
    since = [photos[one] if isinstance(one, int) else one for one in since]
    asked = [
        {"id": "b"},
        {"id": "a", "rev": photos[2], "atts_since": since},
        {"id": "zz", "atts_since": since},
    ]
    results = ask("POST", "_bulk_get", {"docs": asked}).json["results"]
    assert [one["id"] for one in results] == ["b", "a", "zz"]
    doc = results[1]["docs"][0]["ok"]
    assert "_revisions" not in doc
    for name in "pq":
        kept = doc["_attachments"][name]
        assert kept.get("data") == (
            base64.b64encode(f"photo {name}".encode()).decode() if name in told else None
        )
        assert kept.get("stub") is (None if name in told else True)
    assert results[2]["docs"][0]["error"]["error"] == "not_found"


def test_bulk_get_in_parts_brings_them_too(ask: Ask, photos: tuple[str, str, str]) -> None:
    asked = {"docs": [{"id": "a", "atts_since": [photos[1]]}, {"id": "a", "atts_since": ["x"]}]}
    sent = ask("POST", "_bulk_get", asked, Accept="multipart/mixed").data
    assert sent.count(b"photo q") == 1
    assert b"photo p" not in sent
    assert b"Invalid rev format" in sent


@pytest.mark.parametrize(
    ("one", "rev", "reason"),
    [
        ({"id": "a", "atts_since": "x"}, "x", "att_since value must be array of revs."),
        ({"id": "a", "atts_since": None}, None, "att_since value must be array of revs."),
        ({"id": "a", "atts_since": ["x"]}, "x", "Invalid rev format"),
        ({"id": "a", "atts_since": [5]}, 5, "Invalid rev format"),
        ({"id": "a", "rev": 5}, 5, "Invalid rev format"),
        ({"atts_since": ["1-a"]}, None, "document id missed"),
        (5, None, "document must be a JSON object"),
    ],
)
def test_what_cannot_be_asked_in_bulk_is_told_in_its_place(ask: Ask, one: Any, rev: Any, reason: str) -> None:
    before, told, after = ask("POST", "_bulk_get", {"docs": [{"id": "a"}, one, {"id": "b"}]}).json["results"]
    error = told["docs"][0]["error"]
    assert (error["error"], error["rev"], error["reason"]) == ("bad_request", rev, reason)
    assert "ok" in before["docs"][0]
    assert "ok" in after["docs"][0]


@pytest.mark.parametrize(
    ("method", "path", "body", "kept"),
    [
        ("PUT", "new?batch=ok", {"n": 1}, "new"),
        ("POST", "?batch=ok", {"_id": "new"}, "new"),
        ("PUT", "new?batch=ok&new_edits=false", {"_rev": "1-abc"}, "new"),
        ("PUT", "_local/new?batch=ok", {}, "_local/new"),
        ("POST", "?batch=ok", {"_id": "_local/new"}, "_local/new"),
    ],
)
def test_a_write_in_a_batch_is_accepted_without_a_revision_and_kept_all_the_same(
    ask: Ask, method: str, path: str, body: Any, kept: str
) -> None:
    answer = ask(method, path, body)
    assert (answer.status_code, answer.json) == (202, {"ok": True, "id": kept})
    assert "ETag" not in answer.headers
    assert ask("GET", kept).status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("a?batch=ok", {"n": 2}, 409),
        ("x?batch=ok", {"_x": 1}, 400),
        ("_x?batch=ok", {}, 400),
        ("x?batch=no", {}, 201),
    ],
)
def test_a_write_in_a_batch_that_cannot_be_kept_is_refused(
    ask: Ask, path: str, body: Any, status: int
) -> None:
    assert ask("PUT", path, body).status_code == status
