"""CouchDB's own replicator between a real CouchDB and the real server, in both directions.

Needs GRIDBOOK_TEST_COUCHDB=http://admin:password@host:port, a CouchDB 3.x that may make and delete databases.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
import requests

pytestmark = pytest.mark.skipif(
    "GRIDBOOK_TEST_COUCHDB" not in os.environ, reason="GRIDBOOK_TEST_COUCHDB names no CouchDB"
)

PHOTO, NOTE = bytes(range(256)) * 300, "发热 37.9\n".encode() * 200
BRANCHES = [
    {"_id": "c", "_rev": "2-b", "_revisions": {"start": 2, "ids": ["b", "a"]}, "n": 1},
    {"_id": "c", "_rev": "2-c", "_revisions": {"start": 2, "ids": ["c", "a"]}, "n": 2},
    {"_id": "c", "_rev": "3-d", "_revisions": {"start": 3, "ids": ["d", "b", "a"]}, "_deleted": True},
]


def attachment(content_type: str, data: bytes) -> dict[str, Any]:
    return {"content_type": content_type, "revpos": 1, "data": base64.b64encode(data).decode()}


class Side:
    """One database on one server, asked directly."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, method: str, path: str = "", **options: Any) -> Any:
        headers = {"Accept": "application/json"}
        answer = requests.request(method, self.url + path, headers=headers, timeout=60, **options)
        answer.raise_for_status()
        return answer.json()

    def write(self, doc_id: str, **members: Any) -> None:
        """Make the document, or edit what is there."""
        found = requests.get(f"{self.url}/{quote(doc_id, safe='')}", timeout=60)
        self.ask("PUT", f"/{quote(doc_id, safe='')}", json=(found.json() if found.ok else {}) | members)

    def fill(self) -> None:
        docs = [{"_id": f"d{n}", "_rev": "1-a", "n": n} for n in range(20)]
        assert self.ask("POST", "/_bulk_docs", json={"docs": docs + BRANCHES, "new_edits": False}) == []
        for doc_id in ("村/记录 1", "r2"):
            self.write(
                doc_id,
                _attachments={
                    "照片.jpg": attachment("image/jpeg", PHOTO),
                    "note.txt": attachment("text/plain", NOTE),
                    "empty": attachment("text/plain", b""),
                },
            )
        self.ask("DELETE", "/d3", params={"rev": "1-a"})
        self.write("_design/x", language="javascript")

    def edit(self) -> None:
        """A text beside untouched attachments, one attachment anew, one away, one document away."""
        self.write("村/记录 1", n=2)
        doc = self.ask("GET", "/r2")
        doc["_attachments"]["note.txt"] = attachment("text/plain", NOTE + b"again")
        del doc["_attachments"]["empty"]
        self.ask("PUT", "/r2", json=doc)
        self.ask("DELETE", "/d4", params={"rev": "1-a"})

    def told(self) -> dict[str, Any]:
        """Every leaf of every document, with history and content."""
        rows = self.ask("GET", "/_changes", params={"style": "all_docs"})["results"]
        return {row["id"]: self._leaves(row["id"]) for row in rows}

    def _leaves(self, doc_id: str) -> list[dict[str, Any]]:
        params = {"open_revs": "all", "revs": "true", "attachments": "true"}
        found = self.ask("GET", f"/{quote(doc_id, safe='')}", params=params)
        leaves = [leaf["ok"] for leaf in found]
        for one in (one for leaf in leaves for one in leaf.get("_attachments", {}).values()):
            one.pop("digest")  # of a text as CouchDB keeps it: compressed
        return sorted(leaves, key=lambda leaf: leaf["_rev"])


@pytest.fixture
def couchdb() -> Iterator[str]:
    """The URL of the CouchDB, which is left as it was found."""
    url = os.environ["GRIDBOOK_TEST_COUCHDB"].rstrip("/")
    before = set(requests.get(f"{url}/_all_dbs", timeout=60).json())
    yield url
    for name in set(requests.get(f"{url}/_all_dbs", timeout=60).json()) - before:
        requests.delete(f"{url}/{quote(name, safe='')}", timeout=60)


@pytest.fixture(params=["pull", "push"])
def sides(request: pytest.FixtureRequest, live_server: Any, couchdb: str) -> tuple[Side, Side]:
    """Source and target: a pull reads from our server, a push writes to it."""
    ours, theirs = (Side(f"{url}/side-{uuid4().hex}") for url in (live_server.admin_url, couchdb))
    for side in (ours, theirs):
        side.ask("PUT")
    return (ours, theirs) if request.param == "pull" else (theirs, ours)


@pytest.fixture
def replicate(couchdb: str) -> Callable[..., dict[str, Any]]:
    def ask(source: Side, target: Side, **options: Any) -> dict[str, Any]:
        wanted = {"source": source.url, "target": target.url, **options}
        answer = requests.post(f"{couchdb}/_replicate", json=wanted, timeout=120)
        assert answer.ok, answer.text
        told: dict[str, Any] = answer.json()
        return told

    return ask


def test_once_and_once_more_after_edits(sides: tuple[Side, Side], replicate: Any) -> None:
    source, target = sides
    source.fill()
    first = replicate(source, target)["history"][0]
    assert first["doc_write_failures"] == 0
    assert target.told() == source.told()
    source.edit()
    again = replicate(source, target)["history"][0]
    assert again["start_last_seq"] == first["end_last_seq"]  # it went on from its checkpoint
    assert (again["docs_written"] - first["docs_written"], again["doc_write_failures"]) == (3, 0)
    assert target.told() == source.told()
    assert replicate(source, target)["no_changes"] is True


def test_continuously(sides: tuple[Side, Side], replicate: Any) -> None:
    source, target = sides
    source.fill()
    replicate(source, target, continuous=True)
    wait_for(target, "r2")
    source.edit()
    source.write("last", n=1)
    wait_for(target, "last")
    replicate(source, target, continuous=True, cancel=True)
    assert target.told() == source.told()


def wait_for(side: Side, doc_id: str) -> None:
    """Until the document is there: the database's own feed tells it."""
    since, wanted = "0", {"doc_ids": [doc_id]}
    while not (page := changed(side, since, wanted))["results"]:
        since = page["last_seq"]


def changed(side: Side, since: str, wanted: dict[str, Any]) -> dict[str, Any]:
    params = {"feed": "longpoll", "filter": "_doc_ids", "since": since, "timeout": "30000"}
    told: dict[str, Any] = side.ask("POST", "/_changes", params=params, json=wanted)
    return told


def test_only_what_a_selector_or_a_list_names(sides: tuple[Side, Side], replicate: Any) -> None:
    source, target = sides
    source.fill()
    replicate(source, target, selector={"n": {"$gt": 17}})
    assert set(target.told()) == {"d18", "d19"}
    replicate(source, target, doc_ids=["d1", "村/记录 1", "nothing"])
    assert set(target.told()) == {"d18", "d19", "d1", "村/记录 1"}
