"""What can be asked of `_all_docs`."""

from __future__ import annotations

from collections.abc import Callable

from werkzeug.test import TestResponse

Ask = Callable[..., TestResponse]


def test_in_one_query_of_several_bounds_go_before_keys(admin: Ask) -> None:
    for doc_id in "abc":
        admin("PUT", f"/open/{doc_id}", {})
    queries = [
        {"keys": ["c"], "startkey": "b"},
        {"keys": ["c"], "limit": 1},
        {"keys": [], "key": "b"},
        {"start_key_doc_id": "b"},
        {"endkey_docid": "a"},
    ]
    results = admin("POST", "/open/_all_docs/queries", {"queries": queries}).json["results"]
    found = ["".join(row["id"] for row in result["rows"]) for result in results]
    assert found == ["bc", "c", "", "bc", "a"]


def test_keys_that_are_no_list_are_refused_also_beside_bounds(admin: Ask) -> None:
    for keys in (5, "a", {"a": 1}):
        answer = admin("POST", "/open/_all_docs/queries", {"queries": [{"keys": keys, "key": "a"}]})
        assert answer.status_code == 400
