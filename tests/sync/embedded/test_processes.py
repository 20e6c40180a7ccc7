"""Several processes on one file: writes do not get lost, and sleepers are woken across processes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.embedded import open_store, wakes
from sync.store import BEGINNING, Store

ROOT = Path(__file__).parents[3]

WRITER = """
import sys
from sync.embedded import open_store
store = open_store(sys.argv[1])
database = store.ensure("a")
for n in range(int(sys.argv[3])):
    database.put({"_id": f"{sys.argv[2]}-{n}"}, writer=sys.argv[2])
store.close()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite3"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    made = open_store(path)
    yield made
    made.close()


def writer(path: Path, name: str, count: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WRITER, str(path), name, str(count)], cwd=ROOT)


def test_processes_that_open_and_write_at_once_lose_nothing(path: Path) -> None:
    running = [writer(path, f"p{n}", 50) for n in range(4)]
    assert [one.wait(timeout=120) for one in running] == [0, 0, 0, 0]
    store = open_store(path)
    assert store.open("a").info()["doc_count"] == 200
    assert len(store.open("a").changes().rows) == 200
    store.close()


def test_a_sleeper_is_woken_by_another_process(store: Store, path: Path) -> None:
    database = store.create("a")
    other = writer(path, "p", 1)
    started = time.monotonic()
    assert store.wait_for(database, BEGINNING, 60) is True
    assert time.monotonic() - started < 30
    assert other.wait(timeout=60) == 0


def test_the_datagram_wakes_and_not_the_second_look(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wakes, "RECHECK_S", 1000.0)
    database = store.create("a")
    other = writer(path, "p", 1)
    assert store.wait_for(database, BEGINNING, 60) is True
    assert other.wait(timeout=60) == 0


def test_a_lost_datagram_does_not_hang_a_sleeper(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wakes, "RECHECK_S", 0.1)
    database = store.create("a")
    assert store.wait_for(database, database.seq(), 0.01) is False  # the listener runs from here on
    for left in (path.parent / "run").glob("*.sock"):
        left.unlink()
    other = writer(path, "p", 1)
    assert store.wait_for(database, BEGINNING, 60) is True
    assert other.wait(timeout=60) == 0


def test_the_socket_of_a_dead_process_is_removed_by_the_next_writer(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = path.parent / "run" / "1-dead.sock"
    with monkeypatch.context() as there, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        there.chdir(dead.parent)  # an address has room for 107 bytes
        bound.bind(dead.name)
    assert dead.exists()
    store.create("a")
    assert not dead.exists()


def test_the_sockets_work_in_a_folder_with_a_long_path(tmp_path: Path) -> None:
    path = tmp_path / ("long" * 40) / "store.sqlite3"
    store = open_store(path)
    database = store.create("a")
    other = writer(path, "p", 1)
    assert store.wait_for(database, BEGINNING, 60) is True
    assert other.wait(timeout=60) == 0
    store.close()
    assert list((path.parent / "run").glob("*.sock")) == []


def test_a_forked_child_starts_anew_and_harms_nobody(store: Store, path: Path) -> None:
    database = store.create("a")
    database.put({"_id": "before"}, writer="w")
    store.wait_for(database, database.seq(), 0.01)
    child = os.fork()
    if child == 0:
        failed = 1
        try:
            woken_before_anything = store.wait_for(database, database.seq(), 0.01)
            database.put({"_id": "child"}, writer="child")
            failed = int(woken_before_anything)
        finally:
            os._exit(failed)
    assert os.waitpid(child, 0)[1] == 0
    database.put({"_id": "after"}, writer="w")
    assert [row["id"] for row in database.all_docs()["rows"]] == ["after", "before", "child"]
