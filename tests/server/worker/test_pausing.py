"""Connections that wait without a greenlet: when they go on, and that they keep their places."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import gevent
import pytest
from gevent.pool import Pool

from server.worker.pausing import goes_on_in, wait_for, when_readable
from sync.pausing import Pause

LONG_S = 30.0


class Moves:
    """What a pause watches. `ends` counts how often that was ended."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], None]] = []
        self.ends = 0

    def watch(self, call: Callable[[], None]) -> Callable[[], None]:
        self.calls.append(call)
        return self._end

    def _end(self) -> None:
        self.ends += 1

    def move(self) -> None:
        for call in self.calls:
            call()


@pytest.fixture
def moves() -> Moves:
    return Moves()


@pytest.fixture
def pool() -> Iterator[Pool]:
    pool = Pool(2)
    yield pool
    pool.kill()


def test_it_goes_on_once_however_often_it_is_woken(pool: Pool, moves: Moves) -> None:
    went_on: list[bool] = []
    pause = Pause(LONG_S, moves.watch)
    assert goes_on_in(pool, pause, lambda: went_on.append(pause.woken))
    assert not went_on
    moves.move()
    moves.move()
    assert pool.join(timeout=LONG_S)
    moves.move()
    assert (went_on, moves.ends) == ([True], 1)


def test_it_goes_on_unwoken_when_the_time_is_over(pool: Pool, moves: Moves) -> None:
    went_on: list[bool] = []
    pause = Pause(0.01, moves.watch)
    goes_on_in(pool, pause, lambda: went_on.append(pause.woken))
    assert pool.join(timeout=LONG_S)
    assert (went_on, moves.ends) == ([False], 1)


def test_what_was_there_before_the_pause_began_wakes_it(pool: Pool) -> None:
    def watch(call: Callable[[], None]) -> Callable[[], None]:
        call()
        return lambda: None

    pause = Pause(LONG_S, watch)
    goes_on_in(pool, pause, lambda: None)
    assert pool.join(timeout=LONG_S / 2)
    assert pause.woken


def test_who_pauses_keeps_a_place_and_who_finds_none_waits_where_it_is(pool: Pool, moves: Moves) -> None:
    for _ in range(2):
        assert goes_on_in(pool, Pause(LONG_S, moves.watch), lambda: None)
    assert pool.full()
    third = Pause(0.01, moves.watch)
    assert not goes_on_in(pool, third, lambda: None)
    wait_for(third)
    assert not third.woken
    moves.move()
    assert pool.join(timeout=LONG_S)
    assert pool.free_count() == 2


def test_a_pause_that_cannot_begin_leaves_no_place_taken(pool: Pool) -> None:
    def watch(_: Callable[[], None]) -> Callable[[], None]:
        raise OSError("the store is away")

    went_on: list[None] = []
    with pytest.raises(OSError, match="away"):
        goes_on_in(pool, Pause(0.01, watch), lambda: went_on.append(None))
    assert pool.join(timeout=LONG_S)
    assert not went_on


def test_a_worker_that_ends_ends_who_pauses(pool: Pool, moves: Moves) -> None:
    went_on: list[None] = []
    goes_on_in(pool, Pause(LONG_S, moves.watch), lambda: went_on.append(None))
    pool.kill()
    moves.move()
    assert pool.free_count() == 2
    assert not went_on


def test_a_socket_wakes_when_there_is_something_to_read_or_its_end(pool: Pool) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        pause = Pause(LONG_S, lambda call: when_readable(theirs, call))
        with gevent.Timeout(LONG_S), ours:
            ours.sendall(b"x")
            wait_for(pause)
        assert pause.woken
        assert theirs.recv(1) == b"x"
        ended = Pause(LONG_S, lambda call: when_readable(theirs, call))
        wait_for(ended)
        assert ended.woken
