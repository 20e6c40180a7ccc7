"""Which of gunicorn's workers follows, told by what its hooks are called with."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from server import supervisor
from server.supervisor import Supervisor


class Master:
    """What the supervisor sees of gunicorn's master; `fork` tells who was forked."""

    def __init__(self, watched: Supervisor, *, wanted: int = 3) -> None:
        self.watched = watched
        self.num_workers = wanted
        self.WORKERS: dict[int, SimpleNamespace] = {}
        self.began: list[str] = []

    def fork(self) -> SimpleNamespace:
        number = len(self.began) + len(self.WORKERS)
        worker = SimpleNamespace(age=number + 1, errand=None, tmp=SimpleNamespace(last_update=lambda: 0.0))
        self.watched.before_fork(self, worker, lambda stopped: self.began.append("followed"))
        self.WORKERS[id(worker)] = worker
        return worker

    def fill(self) -> list[SimpleNamespace]:
        return [self.fork() for _ in range(self.num_workers - len(self.WORKERS))]

    def lose(self, worker: SimpleNamespace) -> None:
        del self.WORKERS[id(worker)]
        self.watched.after_exit(worker)


@pytest.fixture
def master() -> Master:
    return Master(Supervisor(b"follows", 1))


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> Callable[[SimpleNamespace], float]:
    """Runs a worker's errand and tells how long it waits before."""
    now = [0.0]
    monkeypatch.setattr(
        supervisor,
        "time",
        SimpleNamespace(monotonic=lambda: now[0], sleep=lambda seconds: now.__setitem__(0, now[0] + seconds)),
    )

    def wait(worker: SimpleNamespace, lives_s: float = 0.0) -> float:
        start = now[0]
        worker.errand(lambda: False)
        took = now[0] - start
        now[0] += lives_s
        return round(took, 3)

    return wait


def followers(workers: list[SimpleNamespace]) -> list[bool]:
    return [worker.errand is not None for worker in workers]


def test_those_that_answer_requests_come_first(master: Master) -> None:
    assert followers(master.fill()) == [False, False, True]


def test_another_follows_when_the_follower_has_died(master: Master) -> None:
    *_, follower = master.fill()
    master.lose(follower)
    assert followers(master.fill()) == [True]


def test_for_one_that_answers_requests_another_such_one_comes(master: Master) -> None:
    first, *_ = master.fill()
    master.lose(first)
    assert followers(master.fill()) == [False]


def test_the_follower_is_never_the_oldest_nor_silent(master: Master) -> None:
    *_, follower = master.fill()
    assert follower.age == math.inf
    assert time.monotonic() - follower.tmp.last_update() < 60


def test_at_a_reload_another_follows_and_the_old_one_goes_first(master: Master) -> None:
    *others, old = master.fill()
    master.watched.before_reload()
    assert followers([master.fork() for _ in range(3)]) == [True, False, False]
    assert old.age < min(other.age for other in others)
    master.lose(old)
    assert followers([master.fork()]) == [False]


def test_one_that_keeps_dying_waits_longer_and_longer(master: Master, waited) -> None:
    waits = []
    for _ in range(7):
        *_, follower = master.fill()
        waits.append(waited(follower))
        master.lose(follower)
    assert waits == [0, 1, 2, 5, 10, 30, 30]
    assert master.began == ["followed"] * 7


def test_one_that_lived_long_is_followed_by_another_soon(master: Master, waited) -> None:
    for lives_s in (1, 1, 3600):
        *_, follower = master.fill()
        waited(follower, lives_s)
        master.lose(follower)
    *_, follower = master.fill()
    assert waited(follower) == 0.5


def test_one_that_must_end_while_it_waits_does_not_begin(master: Master, waited) -> None:
    *_, follower = master.fill()
    master.lose(follower)
    *_, follower = master.fill()
    follower.errand(lambda: True)
    assert master.began == []


def test_two_errands_come_after_those_that_answer_and_each_has_one_worker() -> None:
    intake, jobs = Supervisor(b"follows", 2), Supervisor(b"works", 2)

    class Watched:
        def before_fork(self, server: Master, worker: SimpleNamespace, _: object) -> None:
            intake.before_fork(server, worker, lambda stopped: server.began.append("followed"))
            jobs.before_fork(server, worker, lambda stopped: server.began.append("worked"))

        def after_exit(self, worker: SimpleNamespace) -> None:
            intake.after_exit(worker)
            jobs.after_exit(worker)

    master = Master(Watched(), wanted=4)  # type: ignore[arg-type]
    first, second, follower, worker = master.fill()
    assert followers([first, second, follower, worker]) == [False, False, True, True]
    for one in (follower, worker):
        one.errand(lambda: False)
    master.lose(follower)
    master.lose(first)
    assert followers(master.fill()) == [False, True]
    assert master.began == ["followed", "worked"]
