"""Files that an older Gridbook wrote are brought up to date when they are opened."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sync.embedded import UnusableStore, check, migrations, open_store
from sync.embedded.checksums import COVERED
from sync.embedded.schema import LAYOUT
from sync.store import Database, Store
from tests.sync.embedded.villages import filled_store

LAYOUT_1 = Path(__file__).with_name("layout_1.sql")


def told(database: Database) -> list[Any]:
    rows = [
        (change, database.open_revs(change.id, None, revs=True, attachments=True))
        for change in database.changes().rows
    ]
    return [rows, database.info(), database.epoch, database.revs_limit()]


def everything(store: Store) -> dict[str, Any]:
    """All that a client can read of the store."""
    found = {name: told(store.open(name)) for name in store.names()}
    return found | {"uuid": store.uuid, "updates": store.updates(), "local": a_checkpoint(store)}


def a_checkpoint(store: Store) -> Any:
    return store.open("inbox-a").get_local("checkpoint-50")


@pytest.fixture
def of_layout_1(tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    """A file as layout 1 had it, and what it holds."""
    store = filled_store(tmp_path / "today" / "store.sqlite3")
    expected = everything(store)
    store.close()
    path = tmp_path / "store.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(LAYOUT_1.read_text())
        connection.execute("ATTACH ? AS today", (str(tmp_path / "today" / "store.sqlite3"),))
        for table, (covered, _) in COVERED.items():
            columns = migrations.NOT_COVERED.get(table, "") + covered
            connection.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM today.{table}")  # noqa: S608
        connection.execute("INSERT INTO blobs SELECT * FROM today.blobs")
        connection.commit()
    return path, expected


def test_a_file_of_layout_1_holds_the_same_afterwards(of_layout_1: tuple[Path, dict[str, Any]]) -> None:
    path, expected = of_layout_1
    store = open_store(path)
    assert everything(store) == expected
    store.open("inbox-a").put({"_id": "after", "text": "new"}, writer="w")
    assert store.create("inbox-c").seq().startswith("0-")
    store.close()
    assert check(path).problems == []
    again = open_store(path)
    assert again.open("inbox-a").get("after")["text"] == "new"
    again.close()


def test_a_migration_that_fails_changes_nothing(
    of_layout_1: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, expected = of_layout_1

    def no_more(*_: object) -> int:
        raise OSError("the power went out")

    with monkeypatch.context() as broken:
        broken.setitem(COVERED, "locals", (COVERED["locals"][0], no_more))
        with pytest.raises(UnusableStore):
            open_store(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == 1
    store = open_store(path)
    assert everything(store) == expected
    store.close()


def test_the_layout_is_counted_up_with_the_tables(of_layout_1: tuple[Path, dict[str, Any]]) -> None:
    path, _ = of_layout_1
    open_store(path).close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == LAYOUT
