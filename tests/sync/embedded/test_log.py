"""The write-ahead log stays short, whoever reads."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.embedded import connections, open_store
from sync.store import Database, Store

ROOT = Path(__file__).parents[3]
LOG_BYTES = 1 << 20
BATCHES = 160
READERS = 3
READER = """
import sys
from sync.embedded import open_store
database = open_store(sys.argv[1]).open("inbox-a")
print("reading", flush=True)
while True:
    database.changes(include_docs=True, limit=50)
"""


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setattr(connections, "LOG_BYTES_MAX", LOG_BYTES)
    monkeypatch.setattr(connections, "WAL_PAGES", 100)
    made = open_store(tmp_path / "store.sqlite3")
    yield made
    made.close()


def write(database: Database, path: Path) -> int:
    """The greatest length that the log had while 16 MB were written."""
    greatest = 0
    for batch in range(BATCHES):
        docs = [{"_id": f"{batch}:{n}", "_rev": "1-a", "text": "x" * 5000} for n in range(20)]
        database.bulk_docs(docs, new_edits=False, writer="w")
        greatest = max(greatest, path.with_name(path.name + "-wal").stat().st_size)
    return greatest


def test_readers_that_always_overlap_do_not_make_it_grow(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "LOG_TRIES", 10_000)  # however slow the machine
    path = tmp_path / "store.sqlite3"
    database = store.create("inbox-a")
    docs = [{"_id": f"early:{n}", "_rev": "1-a", "text": "x" * 5000} for n in range(200)]
    database.bulk_docs(docs, new_edits=False, writer="w")
    command = [sys.executable, "-c", READER, str(path)]
    readers = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(READERS)]
    try:
        for reader in readers:
            assert reader.stdout and reader.stdout.readline()
        assert write(database, path) < 3 * LOG_BYTES
    finally:
        for reader in readers:
            reader.kill()
            reader.communicate()


def test_a_long_reader_holds_up_nobody_and_the_log_is_cut_off_after_it(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "LOG_TRIES", 1)
    path = tmp_path / "store.sqlite3"
    database = store.create("inbox-a")
    with store._connections.reading() as connection:  # type: ignore[attr-defined]
        connection.execute("SELECT count(*) FROM documents").fetchone()
        assert write(database, path) > 10 * LOG_BYTES
    database.bulk_docs(
        [{"_id": f"late:{n}", "_rev": "1-a", "text": "x" * 5000} for n in range(400)],
        new_edits=False,
        writer="w",
    )
    assert path.with_name(path.name + "-wal").stat().st_size < LOG_BYTES
