"""Memory stays flat with the size of an answer: its rows are read while it is sent."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from flask.testing import FlaskClient

from sync.embedded import open_store
from sync.endpoint import Limits
from sync.store import Store

MANY, LARGE = 1_500, 60
NAMES = {"many": [f"d{n:04}" for n in range(MANY)], "large": [f"d{n:04}" for n in range(LARGE)]}
TEXT = {"many": "x" * 8_000, "large": "x" * 500_000}
HELD_BYTES_MAX = {"many": 6_000_000, "large": 20_000_000}  # of 12 MB and 30 MB

GETS = [
    "_all_docs?include_docs=true",
    "_all_docs?include_docs=true&descending=true",
    "_all_docs?include_docs=true&conflicts=true",
    "_changes?include_docs=true",
    "_changes?include_docs=true&style=all_docs&seq_interval=10",
    "_changes?include_docs=true&descending=true",
    "_changes?include_docs=true&descending=true&limit=100000",
    "_changes?include_docs=true&conflicts=true",
    "_changes?include_docs=true&attachments=true",
    "_changes?include_docs=true&feed=longpoll",
    "_changes?include_docs=true&feed=longpoll&conflicts=true",
    "_changes?include_docs=true&feed=continuous&timeout=0",
    "_changes?include_docs=true&feed=eventsource&timeout=0",
]
POSTS: list[tuple[str, dict[str, Any]]] = [
    ("_all_docs?include_docs=true", {"keys": "names"}),
    ("_all_docs?include_docs=true&descending=true&attachments=true", {"keys": "names"}),
    ("_changes?include_docs=true&filter=_doc_ids", {"doc_ids": "names"}),
    ("_changes?include_docs=true&filter=_doc_ids&descending=true", {"doc_ids": "names"}),
    ("_changes?include_docs=true&filter=_selector", {"selector": {"kind": "note"}}),
    ("_changes?include_docs=true&filter=_selector&descending=true", {"selector": {"kind": "note"}}),
    ("_bulk_get", {"docs": "names"}),
    ("_bulk_get?revs=true&attachments=true", {"docs": "names"}),
]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = open_store(tmp_path_factory.mktemp("long") / "store.sqlite3")
    for name, doc_ids in NAMES.items():
        database = store.create(name)
        for start in range(0, len(doc_ids), 100):
            docs = [
                {"_id": i, "_rev": "1-a", "kind": "note", "text": TEXT[name]} for i in doc_ids[start:][:100]
            ]
            database.bulk_docs(docs, new_edits=False, writer="w")
    yield store
    store.close()


@pytest.fixture
def reader(standalone: ModuleType, filled: Store) -> FlaskClient:
    made: FlaskClient = standalone.create_app(filled, limits=Limits(page_rows=50)).test_client()
    return made


def held_and_sent(client: FlaskClient, path: str, body: Any = None) -> tuple[int, int]:
    """The most bytes that were held at once while the answer was sent, and the bytes of the answer."""
    method = "GET" if body is None else "POST"
    tracemalloc.start()
    answer = client.open(f"/sync/{path}", method=method, json=body, auth=("admin", "secret"), buffered=False)
    assert answer.status_code == 200
    sent = sum(len(chunk) for chunk in answer.iter_encoded())
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    answer.close()
    return held, sent


@pytest.mark.parametrize("database", NAMES)
@pytest.mark.parametrize("query", GETS)
def test_what_is_read_is_sent_and_forgotten(reader: FlaskClient, database: str, query: str) -> None:
    held, sent = held_and_sent(reader, f"{database}/{query}")
    assert sent > len(NAMES[database]) * len(TEXT[database])
    assert held < HELD_BYTES_MAX[database]


@pytest.mark.parametrize("database", NAMES)
@pytest.mark.parametrize(("query", "asked"), POSTS)
def test_so_it_is_with_what_is_asked_by_name(
    reader: FlaskClient, database: str, query: str, asked: dict[str, Any]
) -> None:
    names: list[Any] = NAMES[database]
    if "docs" in asked:
        names = [{"id": name} for name in names]
    body = {member: names if value == "names" else value for member, value in asked.items()}
    held, sent = held_and_sent(reader, f"{database}/{query}", body)
    assert sent > len(names) * len(TEXT[database])
    assert held < HELD_BYTES_MAX[database]


@pytest.mark.parametrize(
    ("query", "asked", "rows"),
    [
        ("_all_docs?include_docs=true", {"keys": "names"}, "rows"),
        ("_all_docs?include_docs=true", {}, "rows"),
        ("_changes?include_docs=true", {}, "results"),
        ("_changes?include_docs=true&filter=_doc_ids", {"doc_ids": "names"}, "results"),
        ("_bulk_get", {"docs": "names"}, "results"),
    ],
)
def test_large_documents_make_short_pages_and_none_is_left_out(
    reader: FlaskClient, query: str, asked: dict[str, Any], rows: str
) -> None:
    names: list[Any] = (
        [*NAMES["large"], "absent", *NAMES["large"][:3]] if "_changes" not in query else NAMES["large"]
    )
    told = [{"id": name} for name in names] if "docs" in asked else names
    body = {member: told if value == "names" else value for member, value in asked.items()}
    answer = reader.post(f"/sync/large/{query}", json=body, auth=("admin", "secret"))
    found = [row.get("id", row.get("key")) for row in json.loads(answer.data)[rows]]
    assert found == (names if asked else NAMES["large"])
