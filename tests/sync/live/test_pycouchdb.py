"""pycouchdb as a plain client of the real server."""

from __future__ import annotations

import io
from typing import Any

import pycouchdb
import pytest
from pycouchdb.exceptions import Conflict, GenericError, NotFound


@pytest.fixture
def server(live_server: Any) -> pycouchdb.Server:
    return pycouchdb.Server(live_server.admin_url + "/", authmethod="basic")


def test_databases(server: pycouchdb.Server) -> None:
    server.create("village")
    server.create("another")
    assert list(server) == ["another", "village"]
    assert "village" in server
    with pytest.raises(Conflict):
        server.create("village")
    server.delete("another")
    with pytest.raises(NotFound):
        server.database("another")
    with pytest.raises(NotFound):
        server.delete("another")


def test_documents(server: pycouchdb.Server) -> None:
    database = server.create("village")
    doc = database.save({"_id": "household:1", "head_name": "张三", "residents": 3})
    assert database.get("household:1") == doc
    assert "household:1" in database
    assert len(database) == 1
    again = database.save(doc | {"residents": 4})
    assert again["_rev"].startswith("2-")
    with pytest.raises(Conflict):
        database.save(doc)
    assert [one["_rev"] for one in database.revisions("household:1")] == [again["_rev"], doc["_rev"]]
    database.delete("household:1")
    assert "household:1" not in database
    with pytest.raises(NotFound):
        database.get("household:1")


def test_a_document_without_an_id_gets_one(server: pycouchdb.Server) -> None:
    database = server.create("village")
    saved = database.save({"n": 1})
    assert database.get(saved["_id"])["n"] == 1


def test_bulk_writes(server: pycouchdb.Server) -> None:
    database = server.create("village")
    saved = database.save_bulk([{"_id": f"d{n}", "n": n} for n in range(50)])
    assert len(saved) == len(database) == 50
    rows = list(database.all(keys=["d3", "d1"]))
    assert [row["doc"]["n"] for row in rows] == [3, 1]
    assert len(list(database.all(limit=10))) == 10
    assert len(list(database.all(startkey="d48", flat="id"))) == 7
    database.delete_bulk(saved[:20])
    assert len(database) == 30


def test_changes(server: pycouchdb.Server) -> None:
    database = server.create("village")
    database.save_bulk([{"_id": f"d{n}"} for n in range(3)])
    last_seq, changes = database.changes_list()
    assert [row["id"] for row in changes] == ["d0", "d1", "d2"]
    database.save({"_id": "d3"})
    _, changes = database.changes_list(since=last_seq)
    assert [row["id"] for row in changes] == ["d3"]


def test_a_continuous_feed(server: pycouchdb.Server) -> None:
    database = server.create("village")
    database.save_bulk([{"_id": f"d{n}"} for n in range(3)])
    seen = []

    def reader(message: dict[str, Any], db: Any) -> None:
        seen.append(message["id"])
        if len(seen) == 3:
            db.save({"_id": "written-meanwhile"})
        if len(seen) == 4:
            raise pycouchdb.exceptions.FeedReaderExited

    database.changes_feed(reader, timeout=20_000)
    assert seen == ["d0", "d1", "d2", "written-meanwhile"]


def test_attachments(server: pycouchdb.Server) -> None:
    database = server.create("village")
    doc = database.save({"_id": "r"})
    doc = database.put_attachment(doc, io.BytesIO(b"photo"), "p.jpg", content_type="image/jpeg")
    assert database.get_attachment(doc, "p.jpg") == b"photo"
    assert doc["_attachments"]["p.jpg"]["content_type"] == "image/jpeg"
    doc = database.delete_attachment(doc, "p.jpg")
    assert "_attachments" not in doc


def test_maintenance(server: pycouchdb.Server) -> None:
    database = server.create("village")
    database.save({"_id": "a"})
    database.compact()
    database.commit()
    database.cleanup()
    assert database.config()["db_name"] == "village"


def test_a_wrong_password_is_told(live_server: Any) -> None:
    url = live_server.admin_url.replace("secret", "wrong") + "/"
    with pytest.raises(GenericError):
        pycouchdb.Server(url, authmethod="basic").create("village")
