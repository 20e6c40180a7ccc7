"""The SQLite file: who may read it, who may open it, what survives."""

from __future__ import annotations

import base64
import os
import sqlite3
import stat
from pathlib import Path

import pytest

from sync.embedded import open_store
from sync.embedded.schema import UnknownLayout
from sync.store import InsufficientStorage


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_the_owner_can_read_the_files(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = open_store(tmp_path / "data" / "store.sqlite3")
        store.create("a").put({"_id": "x"}, writer="w")
        files = [path for path in (tmp_path / "data").iterdir() if path.is_file()]
        assert {path.name for path in files} >= {"store.sqlite3", "store.sqlite3-wal"}
        assert {mode(path) for path in files} == {0o600}
        assert mode(tmp_path / "data" / "run") == 0o700
    finally:
        os.umask(before)
        store.close()


def test_everything_is_there_after_opening_again(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite3"
    store = open_store(path)
    uuid = store.uuid
    database = store.create("a")
    rev = database.put({"_id": "x", "n": 1}, writer="device:1")
    database.put_attachment("x", "photo", b"data", "image/png", rev=rev, writer="device:1")
    database.put_local({"last_seq": 5}, "checkpoint")
    store.close()
    again = open_store(path)
    assert again.uuid == uuid
    found = again.open("a")
    assert found.epoch == database.epoch
    assert found.attachment("x", "photo").data == b"data"
    assert found.get_local("checkpoint")["last_seq"] == 5
    assert found.seq() == f"2-{found.epoch}"
    again.close()


def test_two_stores_have_different_names_in_the_world(tmp_path: Path) -> None:
    one, other = open_store(tmp_path / "1" / "s"), open_store(tmp_path / "2" / "s")
    assert one.uuid != other.uuid
    one.close()
    other.close()


def test_a_file_of_a_newer_layout_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite3"
    open_store(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(UnknownLayout, match="99"):
        open_store(path)


def test_what_was_acknowledged_was_flushed_to_the_disk(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store.sqlite3")
    connections = store._connections  # type: ignore[attr-defined]
    with connections.reading() as connection:
        assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    store.close()


def test_the_same_content_is_kept_once_and_forgotten_with_its_last_name(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite3"
    store = open_store(path)
    photo = {"content_type": "image/png", "data": base64.b64encode(b"x" * 10_000).decode()}
    for name in ("a", "b"):
        store.create(name).put({"_id": "r", "_attachments": {"p": photo}}, writer="w")

    def blobs() -> int:
        with sqlite3.connect(path) as connection:
            count: int = connection.execute("SELECT count(*) FROM blobs").fetchone()[0]
        connection.close()
        return count

    assert blobs() == 1
    store.delete("a")
    assert blobs() == 1
    assert store.open("b").attachment("r", "p").length == 10_000
    database = store.open("b")
    database.put({"_id": "r", "_rev": database.get("r")["_rev"]}, writer="w")
    database.compact()
    assert blobs() == 0
    store.close()


def test_a_deleted_database_leaves_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite3"
    store = open_store(path)
    database = store.create("a")
    database.bulk_docs([{"_id": f"d{n}", "_rev": "1-a"} for n in range(700)], new_edits=False, writer="w")
    database.bulk_docs([{"_id": f"d{n}", "_rev": "1-b"} for n in range(700)], new_edits=False, writer="w")
    database.put_local({}, "x")
    store.delete("a")
    with sqlite3.connect(path) as connection:
        for table in ("databases", "documents", "revisions", "attachments", "blobs", "locals"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == 0, table  # noqa: S608
    connection.close()
    store.close()


def test_a_full_disk_refuses_the_write_whole_and_works_again_when_there_is_room(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store.sqlite3")
    database = store.create("a")
    connections = store._connections  # type: ignore[attr-defined]

    def allow_pages(count: int) -> None:
        (connection,) = connections._here().idle
        connection.execute(f"PRAGMA max_page_count = {count}")

    allow_pages(40)
    docs = [{"_id": f"d{n}", "_rev": "1-a", "text": "x" * 10_000} for n in range(20)]
    with pytest.raises(InsufficientStorage):
        database.bulk_docs(docs, new_edits=False, writer="w")
    assert (database.changes().rows, database.info()["doc_count"]) == ([], 0)
    allow_pages(2**30)
    database.bulk_docs(docs, new_edits=False, writer="w")
    assert database.info()["doc_count"] == 20
    store.close()


def test_changes_come_in_the_order_of_their_last_write(tmp_path: Path) -> None:
    database = open_store(tmp_path / "store.sqlite3").create("a")
    for name in ("b", "a", "c"):
        database.put({"_id": name}, writer="w")
    database.put({"_id": "a", "_rev": database.get("a")["_rev"], "n": 2}, writer="w")
    assert [row.id for row in database.changes().rows] == ["b", "c", "a"]
    assert [row.id for row in database.changes_backwards()] == ["a", "c", "b"]
    assert [row.id for row in database.changes(limit=1).rows] == ["b"]
