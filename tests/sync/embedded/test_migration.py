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

OLDER = range(1, LAYOUT)


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


@pytest.fixture(params=OLDER)
def older(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[int, Path, dict[str, Any]]:
    """A layout, a file as that layout had it, and what it holds."""
    layout, today, path = request.param, tmp_path / "today" / "store.sqlite3", tmp_path / "store.sqlite3"
    store = filled_store(today)
    expected = everything(store)
    store.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(Path(__file__).with_name(f"layout_{layout}.sql").read_text())
        connection.execute("ATTACH ? AS today", (str(today),))
        for table in (*COVERED, "blobs"):
            columns = ", ".join(row[1] for row in connection.execute(f"PRAGMA main.table_info({table})"))
            connection.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM today.{table}")  # noqa: S608
        connection.commit()
    return layout, path, expected


def test_an_older_file_holds_the_same_afterwards(older: tuple[int, Path, dict[str, Any]]) -> None:
    _, path, expected = older
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
    older: tuple[int, Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    layout, path, expected = older
    with monkeypatch.context() as broken:
        last = migrations.TABLES[layout][-1]
        broken.setitem(COVERED, last, ("no_such_column", COVERED[last][1]))
        with pytest.raises(UnusableStore):
            open_store(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == layout
    store = open_store(path)
    assert everything(store) == expected
    store.close()


@pytest.mark.parametrize("older", range(2, LAYOUT), indirect=True)  # layout 1 had no checksums to tell
def test_a_rotten_row_stays_one(older: tuple[int, Path, dict[str, Any]]) -> None:
    _, path, _ = older
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE documents SET rev = '1-b' WHERE id = 'record:000'")
        connection.commit()
    open_store(path).close()
    assert any("its checksum does not match" in problem for problem in check(path).problems)


def test_the_layout_is_counted_up_with_the_tables(older: tuple[int, Path, dict[str, Any]]) -> None:
    _, path, _ = older
    open_store(path).close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == LAYOUT
