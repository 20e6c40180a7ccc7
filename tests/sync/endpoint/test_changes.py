"""_changes and _all_docs over HTTP."""

from __future__ import annotations

import json
import weakref
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse, create_environ

from sync.endpoint import Limits
from sync.store import Store

Ask = Callable[..., TestResponse]
ADMIN = {"Authorization": "Basic YWRtaW46c2VjcmV0"}


@pytest.fixture(autouse=True)
def documents(store: Store) -> None:
    database = store.open("open")
    for n in range(1, 6):
        database.put({"_id": f"d{n}", "n": n, "tag": "odd" if n % 2 else "even"}, writer="w")
    database.put({"_id": "_design/d", "filters": {"f": "function () {}"}}, writer="w")
    database.bulk_docs([{"_id": "d1", "_rev": "1-0"}], new_edits=False, writer="w")


def ids(answer: TestResponse) -> list[str]:
    return ids_of(answer.json)


def ids_of(told: dict[str, Any]) -> list[str]:
    return [row["id"] for row in told["results"]]


def test_changes_come_in_pages_until_one_is_empty(admin: Ask) -> None:
    since, seen = "0", []
    while found := admin("GET", f"/open/_changes?style=all_docs&limit=2&since={since}").json["results"]:
        assert len(found) <= 2
        seen += [row["id"] for row in found]
        since = found[-1]["seq"]
    assert seen == ["d2", "d3", "d4", "d5", "_design/d", "d1"]
    assert admin("GET", f"/open/_changes?since={since}").json == {
        "results": [],
        "last_seq": since,
        "pending": 0,
    }


def test_pending_counts_what_is_left(admin: Ask) -> None:
    assert admin("GET", "/open/_changes?limit=2").json["pending"] == 4


def test_no_rows_are_asked_for_to_learn_how_many_there_are(admin: Ask) -> None:
    told = admin("GET", "/open/_changes?limit=0&since=2").json
    assert (told["results"], told["pending"]) == ([], 5)
    assert told["last_seq"] == "2"
    assert admin("GET", "/open/_changes?limit=0&since=now").json["pending"] == 0


def test_a_negative_limit_is_no_limit(admin: Ask) -> None:
    assert len(ids(admin("GET", "/open/_changes?limit=-1"))) == 6


def test_whatever_is_not_true_is_false(admin: Ask) -> None:
    answer = admin("GET", "/open/_changes?descending=maybe&include_docs=1&conflicts=x")
    assert ids(answer)[0] == "d2"
    assert "doc" not in answer.json["results"][0]


def test_long_answers_are_read_in_pages_of_the_store(standalone: ModuleType, store: Store) -> None:
    client = standalone.create_app(store, limits=Limits(page_rows=2)).test_client()
    answer = client.get("/sync/open/_changes?include_docs=true", auth=("admin", "secret"))
    assert len(answer.json["results"]) == 6
    answer = client.get("/sync/open/_changes?filter=_design&limit=1", auth=("admin", "secret"))
    assert ids(answer) == ["_design/d"]


def test_all_leaves_or_the_winner_only(admin: Ask) -> None:
    rows = admin("GET", "/open/_changes?style=all_docs").json["results"]
    assert len(rows[-1]["changes"]) == 2
    rows = admin("GET", "/open/_changes").json["results"]
    assert len(rows[-1]["changes"]) == 1


def test_a_sequence_of_another_incarnation_starts_from_the_beginning(admin: Ask, store: Store) -> None:
    last = admin("GET", "/open/_changes").json["last_seq"]
    store.delete("open")
    store.create("open").put({"_id": "fresh"}, writer="w")
    assert ids(admin("GET", f"/open/_changes?since={last}")) == ["fresh"]


@pytest.mark.parametrize("since", ["now", "6", "%227%22"])
def test_since_takes_what_clients_send(admin: Ask, since: str) -> None:
    assert len(ids(admin("GET", f"/open/_changes?since={since}"))) == {"now": 0, "6": 1, "%227%22": 0}[since]


@pytest.mark.parametrize(
    "query",
    ["since=x", "since=", "limit=x", "limit=", "style=x", "style=", "feed=x", "feed=", "seq_interval=0"],
)
def test_a_query_that_makes_no_sense_is_refused(admin: Ask, query: str) -> None:
    assert admin("GET", f"/open/_changes?{query}").status_code == 400


def test_newest_first(admin: Ask) -> None:
    assert ids(admin("GET", "/open/_changes?descending=true&limit=2")) == ["d1", "_design/d"]


def test_newest_first_ignores_where_to_begin_and_counts_what_is_older(admin: Ask) -> None:
    told = admin("GET", "/open/_changes?descending=true&limit=2&since=nonsense").json
    assert (len(told["results"]), told["pending"]) == (2, 4)
    assert told["last_seq"] == told["results"][-1]["seq"]
    told = admin("GET", "/open/_changes?descending=true").json
    assert (len(told["results"]), told["pending"]) == (6, 0)
    told = admin("GET", "/open/_changes?descending=true&limit=0").json
    assert (told["results"], told["pending"]) == ([], 6)
    assert told["last_seq"].startswith("7-")


def test_pending_counts_changes_before_they_are_filtered(admin: Ask) -> None:
    told = admin("POST", "/open/_changes?filter=_doc_ids&limit=1", {"doc_ids": ["d3", "d5"]}).json
    assert (ids_of(told), told["pending"]) == (["d3"], 4)
    told = admin("POST", "/open/_changes?filter=_doc_ids&limit=0", {"doc_ids": ["d3"]}).json
    assert told["pending"] == 6


def test_documents_ride_along(admin: Ask) -> None:
    rows = admin("GET", "/open/_changes?include_docs=true&conflicts=true").json["results"]
    assert rows[0]["doc"]["n"] == 2
    assert rows[-1]["doc"]["_conflicts"] == ["1-0"]


@pytest.mark.parametrize(
    ("query", "body", "expected"),
    [
        ("filter=_doc_ids", {"doc_ids": ["d3", "d2", "x"]}, ["d2", "d3"]),
        ("filter=_doc_ids&limit=1", {"doc_ids": ["d3", "d2"]}, ["d2"]),
        ("filter=_selector", {"selector": {"tag": "odd"}}, ["d3", "d5", "d1"]),
        ("filter=_selector&limit=2", {"selector": {"tag": "odd"}}, ["d3", "d5"]),
        ("filter=_selector", {"selector": {"n": {"$gt": 3}}}, ["d4", "d5"]),
        ("filter=_design", {}, ["_design/d"]),
    ],
)
def test_filters_that_need_no_function(admin: Ask, query: str, body: Any, expected: list[str]) -> None:
    assert ids(admin("POST", f"/open/_changes?{query}", body)) == expected


def test_doc_ids_can_be_named_in_the_query(admin: Ask) -> None:
    assert ids(admin("GET", '/open/_changes?filter=_doc_ids&doc_ids=["d4"]')) == ["d4"]


@pytest.mark.parametrize(
    ("query", "status", "reason"),
    [
        ("filter=x/f", 404, "missing"),
        ("filter=d/x", 404, "missing json key: x"),
        ("filter=nonsense", 400, "filter parameter must be of the form `designname/filtername`"),
        ("filter=_view", 400, "`view` filter parameter is not provided."),
        ("filter=_view&view=d/v", 404, "missing json key: v"),
        ("filter=_selector", 400, "Selector error: expected a JSON object"),
        ("filter=_doc_ids", 400, "`doc_ids` filter parameter is not a JSON array of strings."),
    ],
)
def test_filters_that_cannot_be_used_say_why(admin: Ask, query: str, status: int, reason: str) -> None:
    answer = admin("GET", f"/open/_changes?{query}")
    assert (answer.status_code, answer.json["reason"]) == (status, reason)


@pytest.mark.parametrize("feed", ["longpoll", "continuous"])
def test_a_feed_ends_when_its_time_is_over(admin: Ask, feed: str) -> None:
    told = admin("GET", f"/open/_changes?feed={feed}&since=now&timeout=50").data
    last = json.loads(told if feed == "longpoll" else told.splitlines()[-1])
    assert last["last_seq"].startswith("7-")


def test_a_feed_that_finds_something_answers_at_once(admin: Ask) -> None:
    assert len(ids(admin("GET", "/open/_changes?feed=longpoll&since=5-x"))) == 6
    assert ids(admin("GET", "/open/_changes?feed=longpoll&since=6")) == ["d1"]


def test_a_continuous_feed_writes_a_line_a_change(admin: Ask) -> None:
    lines = admin("GET", "/open/_changes?feed=continuous&timeout=50").data.splitlines()
    assert [json.loads(line).get("id") for line in lines] == ["d2", "d3", "d4", "d5", "_design/d", "d1", None]
    lines = admin("GET", "/open/_changes?feed=continuous&limit=2").data.splitlines()
    assert len(lines) == 3


class Kept:
    """What a server might put into `environ`."""


def test_a_feed_that_waits_does_not_keep_its_request(client: FlaskClient) -> None:
    environ = create_environ("/sync/open/_changes?feed=longpoll&since=now&timeout=50", headers=ADMIN)
    kept = weakref.ref(environ.setdefault("a part of the server", Kept()))
    pieces = client.application.wsgi_app(environ, lambda status, headers: None)
    del environ
    assert next(iter(pieces)) == b'{"results":[\n'
    assert kept() is None


def test_a_feed_sends_newlines_while_it_waits(admin: Ask) -> None:
    answer = admin("GET", "/open/_changes?feed=longpoll&since=now&timeout=450&heartbeat=100")
    assert answer.data.count(b"\n\n") >= 1
    assert answer.json["results"] == []


@pytest.mark.parametrize("heartbeat", ["0", "x", "-5"])
def test_a_heartbeat_is_a_positive_number(admin: Ask, heartbeat: str) -> None:
    assert admin("GET", f"/open/_changes?feed=longpoll&heartbeat={heartbeat}").status_code == 400


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ('startkey="d2"&endkey="d4"', ["d2", "d3", "d4"]),
        ('start_key="d2"&end_key="d4"&inclusive_end=false', ["d2", "d3"]),
        ('key="d3"', ["d3"]),
        ('keys=["d5","d1"]', ["d5", "d1"]),
        ("limit=2&skip=1", ["d1", "d2"]),
        ('descending=true&startkey="d2"', ["d2", "d1", "_design/d"]),
    ],
)
def test_all_docs_understands_its_query(admin: Ask, query: str, expected: list[str]) -> None:
    rows = admin("GET", f"/open/_all_docs?{query}").json["rows"]
    assert [row["id"] for row in rows] == expected


def test_all_docs_understands_a_body(admin: Ask) -> None:
    rows = admin("POST", "/open/_all_docs?include_docs=true", {"keys": ["d2", "x"]}).json["rows"]
    assert rows[0]["doc"]["n"] == 2
    assert rows[1] == {"key": "x", "error": "not_found"}
    rows = admin("POST", "/open/_all_docs", {"startkey": "d4", "limit": 1}).json["rows"]
    assert [row["id"] for row in rows] == ["d4"]
    assert "update_seq" in admin("GET", "/open/_all_docs?update_seq=true").json


@pytest.mark.parametrize("query", ["startkey=x", "key=5", "limit=-1", "skip=x", "keys=5"])
def test_all_docs_refuses_what_makes_no_sense(admin: Ask, query: str) -> None:
    assert admin("GET", f"/open/_all_docs?{query}").status_code == 400


def test_an_event_source_says_what_a_browser_reads(admin: Ask) -> None:
    answer = admin("GET", "/open/_changes?feed=eventsource&since=5&limit=2")
    assert answer.headers["Content-Type"] == "text/event-stream"
    events = answer.data.decode().split("\n\n")[:2]
    rows = [json.loads(event.splitlines()[0].removeprefix("data: ")) for event in events]
    assert [row["id"] for row in rows] == ["_design/d", "d1"]
    assert events[1].splitlines()[1] == "id: " + json.dumps(rows[1]["seq"])
    asked = admin("GET", "/open/_changes?feed=eventsource&since=now&timeout=450&heartbeat=100")
    assert b"event: heartbeat\ndata: \n\n" in asked.data


def test_a_browser_that_connects_again_goes_on_where_it_was(admin: Ask) -> None:
    seq = admin("GET", "/open/_changes?limit=5").json["last_seq"]
    for last in (seq, f'"{seq}"'):
        path = "/open/_changes?feed=eventsource&since=0&limit=1"
        answer = admin("GET", path, headers={"Last-Event-ID": last})
        assert json.loads(answer.data.split(b"\n")[0][6:])["id"] == "d1"
    assert ids(admin("GET", f"/open/_changes?last-event-id={seq}")) == ["d1"]


def test_live_is_another_word_for_continuous(admin: Ask) -> None:
    lines = admin("GET", "/open/_changes?feed=live&limit=1").data.splitlines()
    assert [json.loads(line).get("id") for line in lines] == ["d2", None]


def test_who_has_the_changes_already_gets_them_again_only_when_something_moved(admin: Ask) -> None:
    tag = admin("GET", "/open/_changes?limit=2").headers["ETag"]
    again = admin("GET", "/open/_changes?limit=2", headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    admin("PUT", "/open/d9", {})
    assert admin("GET", "/open/_changes?limit=2", headers={"If-None-Match": tag}).status_code == 200
    assert "ETag" not in admin("GET", "/open/_changes?feed=longpoll").headers
