"""Sleeping until something is written."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from sync.store import BEGINNING, Database, NotFound, Store

LONG_S = 30.0


@pytest.mark.beyond_stand_in("updates")
def test_what_moved_already_is_not_waited_for(store: Store, database: Database) -> None:
    database.put({"_id": "a"}, writer="w")
    assert store.wait_for(database, BEGINNING, LONG_S) is True
    assert store.wait(BEGINNING, LONG_S) is True


@pytest.mark.beyond_stand_in("updates")
def test_waiting_ends_when_nothing_comes(store: Store, database: Database) -> None:
    _, token = store.updates()
    assert store.wait_for(database, database.seq(), 0.05) is False
    while store.wait(token, 0.05):  # CouchDB tells of the making of a database some time later
        _, token = store.updates(token)
    assert store.wait_for(database, database.seq(), 0) is False


@pytest.mark.beyond_stand_in("updates")
def test_a_write_wakes_who_waits_for_its_database(store: Store, database: Database) -> None:
    _, token = store.updates()
    with ThreadPoolExecutor(3) as pool:
        started = time.monotonic()
        waiting = [
            pool.submit(store.wait_for, database, database.seq(), LONG_S),
            pool.submit(store.wait_for, store.open("village"), database.seq(), LONG_S),
            pool.submit(store.wait, token, LONG_S),
        ]
        database.put({"_id": "a"}, writer="w")
        assert [one.result() for one in waiting] == [True, True, True]
    assert time.monotonic() - started < LONG_S / 2


def test_a_write_elsewhere_does_not_end_the_wait(store: Store, database: Database) -> None:
    other = store.create("other")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(store.wait_for, database, database.seq(), 0.3)
        other.put({"_id": "a"}, writer="w")
        assert waiting.result() is False


def test_deleting_a_database_ends_the_wait_for_it(store: Store, database: Database) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(store.wait_for, database, database.seq(), LONG_S)
        store.delete("village")
        with pytest.raises(NotFound):
            waiting.result(timeout=LONG_S / 2)


def test_many_threads_write_and_read_at_once(store: Store, database: Database) -> None:
    def write(number: int) -> None:
        for n in range(20):
            database.put({"_id": f"{number}-{n}"}, writer=f"w{number}")
            database.get(f"{number}-{n}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert database.info()["doc_count"] == 160
    assert len(database.changes().rows) == 160
    assert threading.active_count() < 20


class Called:
    """Who wants to be called, from another thread and perhaps for nothing."""

    def __init__(self, store: Store, database: Database) -> None:
        self._store, self._database, self._since = store, database, database.seq()
        self.event = threading.Event()
        self.end = store.call_when_moved(database, self._since, self.event.set)

    def until_moved(self) -> bool:
        while self.event.wait(LONG_S / 2):
            self.event.clear()
            if self._store.wait_for(self._database, self._since, 0):
                return True
        return False


def test_who_is_to_be_called_is_called_at_once_for_what_moved_already(
    store: Store, database: Database
) -> None:
    database.put({"_id": "a"}, writer="w")
    calls: list[None] = []
    store.call_when_moved(database, BEGINNING, lambda: calls.append(None))()
    assert calls


def test_each_write_calls_who_wants_to_be_called(store: Store, database: Database) -> None:
    called = [Called(store, database) for _ in range(3)]
    database.put({"_id": "a"}, writer="w")
    assert all(one.until_moved() for one in called)
    for one in called:
        one.end()


def test_who_wants_to_be_called_no_more_is_not(store: Store, database: Database) -> None:
    ended, still = Called(store, database), Called(store, database)
    ended.end()
    ended.event.clear()
    database.put({"_id": "a"}, writer="w")
    assert still.until_moved()
    assert not ended.event.is_set()
    still.end()


def test_deleting_a_database_calls_who_wants_to_be_called_for_it(store: Store, database: Database) -> None:
    called = Called(store, database)
    store.delete("village")
    with pytest.raises(NotFound):
        called.until_moved()
    called.end()
