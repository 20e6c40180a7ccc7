"""Who keeps a connection when there are more than a worker has places for."""

from __future__ import annotations

import resource
import socket
from collections.abc import Iterator

import pytest

from server.worker.places import FILES_KEPT, PLACES_MAX, PLACES_MIN, Places, places_possible, places_with

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pairs() -> Iterator[list[Pair]]:
    made = [socket.socketpair() for _ in range(6)]
    yield made
    for ours, theirs in made:
        ours.close()
        theirs.close()


def ended(pair: Pair) -> bool:
    pair[1].setblocking(False)
    try:
        return pair[1].recv(1) == b""
    except BlockingIOError:
        return False


def all_wait(places: Places, pairs: list[Pair]) -> None:
    for ours, _ in pairs:
        places.take()
        places.wait(ours)


def test_the_longest_idle_gives_way_and_who_is_at_work_does_not(pairs: list[Pair]) -> None:
    places = Places(4)
    all_wait(places, pairs[:3])
    places.resume(pairs[0][0])
    places.take()
    assert [ended(pair) for pair in pairs[:3]] == [False, True, False]
    places.take()
    assert [ended(pair) for pair in pairs[:3]] == [False, True, True]
    places.take()  # nobody is idle any more: whoever comes waits until one of them leaves
    assert not ended(pairs[0])


def test_with_places_enough_nobody_is_ended(pairs: list[Pair]) -> None:
    places = Places(100)
    all_wait(places, pairs)
    assert not any(ended(pair) for pair in pairs)


def test_a_place_that_was_left_is_free_for_another(pairs: list[Pair]) -> None:
    places = Places(4)
    for ours, _ in pairs:
        places.take()
        places.wait(ours)
        places.resume(ours)
        places.leave()
    places.take()
    places.wait(pairs[0][0])
    assert not ended(pairs[0])


def test_a_worker_that_stops_ends_all_idle_connections(pairs: list[Pair]) -> None:
    places = Places(100)
    all_wait(places, pairs)
    places.resume(pairs[0][0])
    pairs[1][0].close()  # gone by itself in the meantime
    places.end_idle()
    assert [ended(pair) for pair in pairs] == [False, True, True, True, True, True]


def test_places_follow_the_limit_on_open_files_and_leave_some_for_databases() -> None:
    assert places_with(1024) == 1024 - FILES_KEPT
    assert places_with(1_000_000) == PLACES_MAX
    assert places_with(100) == PLACES_MIN


@pytest.mark.parametrize(
    ("limits", "places", "raised_to"),
    [
        ((1024, 4096), 4096 - FILES_KEPT, (4096, 4096)),
        ((1024, 1_000_000), PLACES_MAX, (PLACES_MAX + FILES_KEPT, 1_000_000)),
        ((1024, resource.RLIM_INFINITY), PLACES_MAX, (PLACES_MAX + FILES_KEPT, resource.RLIM_INFINITY)),
        ((20_000, 20_000), PLACES_MAX, None),
        ((resource.RLIM_INFINITY, resource.RLIM_INFINITY), PLACES_MAX, None),
    ],
)
def test_the_limit_on_open_files_is_raised_as_far_as_it_may_and_need_be(
    monkeypatch: pytest.MonkeyPatch,
    limits: tuple[int, int],
    places: int,
    raised_to: tuple[int, int] | None,
) -> None:
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _which: limits)
    monkeypatch.setattr(resource, "setrlimit", lambda _which, wanted: told.append(wanted))
    assert places_possible() == places
    assert told == ([] if raised_to is None else [raised_to])
