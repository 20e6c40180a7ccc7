"""One longpoll for all who wait for a database, with CouchDB's part played by hand."""

from __future__ import annotations

import threading

import pytest

from sync.couchdb import watches
from sync.couchdb.watches import Watch
from sync.store import NotFound, Seq

LONG_S = 30.0


def test_who_waits_for_a_database_that_is_made_again_is_told_that_his_is_gone() -> None:
    asked: list[Seq] = []

    def gone(since: Seq, timeout_s: float) -> Seq:
        raise NotFound("Database does not exist.")

    watch = Watch(lambda: "1", gone)
    with pytest.raises(NotFound):
        watch.wait("1", LONG_S, lambda: bool(asked.append("1")))
    assert watch.closed
    assert len(asked) <= 3


def test_a_watch_goes_on_while_somebody_sleeps_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asleep, polled, written = threading.Event(), threading.Event(), threading.Event()
    polls: list[Seq] = []

    def begin() -> Seq:
        asleep.wait(LONG_S)
        return "1"

    def poll(since: Seq, timeout_s: float) -> Seq:
        polls.append(since)
        if len(polls) < 3:
            return since  # the time of a longpoll is over, and nothing came
        polled.set()
        written.wait(LONG_S)
        return "2"

    def moved() -> bool:
        monkeypatch.setattr(watches, "LINGER_S", 0.0)
        asleep.set()
        return written.is_set()

    watch = Watch(begin, poll)
    told: list[bool] = []
    sleeper = threading.Thread(target=lambda: told.append(watch.wait("1", LONG_S, moved)))
    sleeper.start()
    assert polled.wait(LONG_S)
    written.set()
    sleeper.join(LONG_S)
    assert told == [True]
