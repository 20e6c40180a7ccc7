"""Calls to the server as a whole."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from werkzeug.test import TestResponse

Ask = Callable[..., TestResponse]

# The databases of `store`, by name: catalogue, inbox-a, inbox-b, open, register-a, register-b.
QUERIES = {
    "limit=2": ["catalogue", "inbox-a"],
    "skip=4": ["register-a", "register-b"],
    "descending=true&limit=1": ["register-b"],
    'startkey="inbox-b"&endkey="register"': ["inbox-b", "open"],
    'start_key="inbox-b"&end_key="register-a"&inclusive_end=false': ["inbox-b", "open"],
    'startkey="open"&endkey="inbox-b"&descending=true': ["open", "inbox-b"],
    'key="open"': ["open"],
    'key="nowhere"': [],
}


@pytest.mark.parametrize("query", QUERIES)
def test_databases_are_listed_as_documents_are(admin: Ask, query: str) -> None:
    assert admin("GET", f"/_all_dbs?{query}").json == QUERIES[query]
    assert [row["key"] for row in admin("GET", f"/_dbs_info?{query}").json] == QUERIES[query]


@pytest.mark.parametrize("query", ["limit=-1", "limit=x", "descending=x", "startkey=5"])
def test_a_list_that_makes_no_sense_is_refused(admin: Ask, query: str) -> None:
    answer = admin("GET", f"/_all_dbs?{query}")
    assert (answer.status_code, answer.json["error"]) == (400, "query_parse_error")


def test_several_databases_are_asked_for_at_once(admin: Ask) -> None:
    admin("PUT", "/open/a", {})
    rows = admin("POST", "/_dbs_info", {"keys": ["open", "nowhere", "Not a name", 5]}).json
    assert rows[0] == {"key": "open", "info": admin("GET", "/open").json}
    missing = [{"key": name, "error": "not_found"} for name in ("nowhere", "Not a name", 5)]
    assert rows[1:] == missing


@pytest.mark.parametrize("keys", [None, 5, {}, ["a"] * 101])
def test_too_many_databases_or_none_are_refused(admin: Ask, keys: object) -> None:
    answer = admin("POST", "/_dbs_info", {"keys": keys})
    assert (answer.status_code, answer.json["error"]) == (400, "bad_request")


def test_nothing_is_under_way(admin: Ask) -> None:
    assert admin("GET", "/_active_tasks").json == []


def test_databases_are_told_to_admins_alone(alice: Ask) -> None:
    for path in ("/_all_dbs", "/_dbs_info", "/_active_tasks"):
        assert alice("GET", path).status_code == 403
    assert alice("POST", "/_dbs_info", {"keys": ["register-b"]}).status_code == 403
