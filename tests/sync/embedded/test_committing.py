"""Writes that wait together go to disk together, and none of them suffers for another."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from sync.embedded import open_store
from sync.store import Database, InsufficientStorage, MissingStub, NotFound, Store

Write = Callable[[], Any]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = open_store(tmp_path / "store.sqlite3")
    yield made
    made.close()


@pytest.fixture
def together(store: Store) -> Iterator[Callable[..., list[Future[Any]]]]:
    """Start writes while the turn to write is taken, so that they wait in one queue; then let them go."""
    with ThreadPoolExecutor(16) as threads:

        def start(*writes: Write) -> list[Future[Any]]:
            connections = store._connections  # type: ignore[attr-defined]
            with connections.writing_turn():
                futures = []
                for count, write in enumerate(writes, 1):
                    futures.append(threads.submit(write))
                    reached(lambda count=count: len(connections.waiting()) == count)  # type: ignore[misc]
            for future in futures:
                future.exception(timeout=30)
            return futures

        yield start


def reached(condition: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(10_000):
        if condition():
            return
        pause.wait(0.001)
    raise AssertionError("it did not come to that")


def grafting(database: Database, name: str, **more: Any) -> Write:
    docs = [{"_id": f"{name}-{number}", "_rev": "1-a"} for number in range(3)]
    docs[-1] |= more
    return lambda: database.bulk_docs(docs, new_edits=False, writer=name)


def ids(database: Database) -> set[str]:
    return {row["id"] for row in database.all_docs()["rows"]}


def transactions(store: Store) -> int:
    """How often the clock that all databases share has ticked."""
    return int(store.updates()[1])


def test_writes_that_wait_together_share_one_transaction(store: Store, together: Any) -> None:
    villages = [store.create("a"), store.create("b")]
    before = transactions(store)
    together(*(grafting(villages[number % 2], f"phone{number}") for number in range(8)))
    assert [len(ids(village)) for village in villages] == [12, 12]
    assert [village.info()["update_seq"].partition("-")[0] for village in villages] == ["12", "12"]
    # One tick a database that moved, not one a request.
    assert transactions(store) - before == 2


def test_a_request_that_fails_in_the_middle_takes_no_neighbour_along(store: Store, together: Any) -> None:
    village = store.create("a")
    stub = {"_attachments": {"photo": {"stub": True, "digest": "md5-nothing"}}}
    good, bad, other = together(
        grafting(village, "good"), grafting(village, "bad", **stub), grafting(village, "other")
    )
    assert isinstance(bad.exception(), MissingStub)
    assert (good.exception(), other.exception()) == (None, None)
    assert ids(village) == {f"{name}-{number}" for name in ("good", "other") for number in range(3)}
    assert village.info()["doc_count"] == 6


def test_a_request_for_a_database_that_is_gone_fails_alone(store: Store, together: Any) -> None:
    village, gone = store.create("a"), store.create("gone")
    store.delete("gone")
    before = transactions(store)
    lost, kept = together(grafting(gone, "lost"), grafting(village, "kept"))
    assert isinstance(lost.exception(), NotFound)
    assert kept.exception() is None
    assert transactions(store) - before == 1


def test_a_full_disk_is_told_to_each_and_all_succeed_when_there_is_room(store: Store, together: Any) -> None:
    village = store.create("a")
    large = "x" * 100_000

    def allow_pages(count: int) -> None:
        for connection in store._connections._here().idle:  # type: ignore[attr-defined]
            connection.execute(f"PRAGMA max_page_count = {count}")

    allow_pages(30)
    writes = [grafting(village, name, text=large) for name in ("one", "two", "three")]
    assert all(isinstance(future.exception(), InsufficientStorage) for future in together(*writes))
    assert ids(village) == set()
    allow_pages(2**30)
    assert not any(future.exception() for future in together(*writes))
    assert village.info()["doc_count"] == 9


def test_a_small_write_gets_through_where_its_large_neighbour_does_not(store: Store, together: Any) -> None:
    village = store.create("a")
    (connection,) = store._connections._here().idle  # type: ignore[attr-defined]
    connection.execute("PRAGMA max_page_count = 60")
    small, large = together(grafting(village, "small"), grafting(village, "large", text="x" * 1_000_000))
    assert small.exception() is None
    assert isinstance(large.exception(), InsufficientStorage)
    assert ids(village) == {"small-0", "small-1", "small-2"}


@pytest.mark.parametrize("place", [0, 2])
def test_who_is_killed_while_it_leads_leaves_the_others_to_the_next(
    store: Store, together: Any, place: int
) -> None:
    village = store.create("a")
    kills = [KeyboardInterrupt()]

    def is_killed_once() -> None:
        def work(transaction: Any) -> None:
            if kills:
                transaction.connection.execute("DELETE FROM databases")
                raise kills.pop()

        store._committer.run(work)  # type: ignore[attr-defined]

    writes = [grafting(village, f"phone{number}") for number in range(3)]
    writes.insert(place, is_killed_once)
    futures = together(*writes)
    assert sum(future.exception() is not None for future in futures) == 1
    assert village.info()["doc_count"] == 9


def test_a_child_does_not_do_what_waits_in_its_parent(store: Store, together: Any, tmp_path: Path) -> None:
    village = store.create("a")
    connections = store._connections  # type: ignore[attr-defined]

    def fork() -> None:
        child = os.fork()
        if child == 0:
            failed = 1
            try:
                village.put({"_id": "child"}, writer="child")
                failed = int(ids(village) != {"child"})
            finally:
                os._exit(failed)
        assert os.waitpid(child, 0)[1] == 0

    waiting = threading.Thread(target=grafting(village, "parent"))
    with connections.writing_turn():
        waiting.start()
        reached(lambda: len(connections.waiting()) == 1)
        fork()
    waiting.join()
    assert ids(village) == {"child", "parent-0", "parent-1", "parent-2"}


def test_the_turn_of_a_killed_process_is_given_back(store: Store, tmp_path: Path) -> None:
    village = store.create("a")
    taken, told = os.pipe()
    child = os.fork()
    if child == 0:
        with store._connections.writing() as connection:  # type: ignore[attr-defined]
            connection.execute("DELETE FROM databases")
            os.write(told, b"!")
            threading.Event().wait()
    os.read(taken, 1)
    os.kill(child, 9)
    os.waitpid(child, 0)
    village.put({"_id": "after"}, writer="w")
    assert ids(village) == {"after"}
    with sqlite3.connect(tmp_path / "store.sqlite3") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    for descriptor in (taken, told):
        os.close(descriptor)
