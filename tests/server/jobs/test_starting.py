"""When a worker for jobs is started, and what becomes of one that ends."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from server.jobs import starting
from server.jobs.queue import MARK, Queue, is_marked
from server.jobs.starting import start_workers
from server.jobs.worker import Kind, Result, Work, Worker

KEEP = timedelta(hours=1)


@pytest.fixture
def queue(tmp_path: Path) -> Queue:
    made = Queue(tmp_path, KEEP)
    made.create()
    (tmp_path / MARK).unlink()
    return made


@pytest.fixture
def began(tmp_path: Path, queue: Queue) -> Path:
    """A file with a letter for each worker that began."""
    path = tmp_path / "began"
    path.touch()
    return path


def begin(path: Path) -> None:
    with path.open("a") as file:
        file.write("w")


def looks(number: int) -> Callable[[], bool]:
    """Stops who asks so often."""
    left = iter(range(number))
    return lambda: next(left, None) is None


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "LOOK_EVERY_S", 0.01)


def until_worked(times: int, path: Path) -> Callable[[], bool]:
    end = time.monotonic() + 30
    return lambda: len(path.read_text()) >= times or time.monotonic() > end


def test_at_the_start_a_worker_looks_and_then_none_is_there_until_a_job_is_ordered(
    tmp_path: Path, queue: Queue, began: Path
) -> None:
    def work() -> None:
        queue.claim()
        begin(began)

    start_workers(tmp_path, work, looks(200))
    assert began.read_text() == "w"
    worked_twice = until_worked(3, began)

    def ordered_and_done() -> bool:
        if len(began.read_text()) == 2 and not is_marked(tmp_path) and not queue.of("dong"):
            queue.order("export", "dong", {})
        return worked_twice()

    start_workers(tmp_path, work, ordered_and_done)
    assert began.read_text() == "www"
    assert [job.state for job in queue.of("dong")] == ["running"]


def test_an_order_marks_and_whoever_looks_takes_the_mark_away(tmp_path: Path, queue: Queue) -> None:
    assert not is_marked(tmp_path)
    for _ in range(2):
        queue.order("export", "dong", {})
        assert is_marked(tmp_path)
        assert queue.claim() is not None
        assert not is_marked(tmp_path)
    assert queue.claim() is None


def test_files_that_nobody_fetched_are_tidied_up_without_an_order(
    tmp_path: Path, queue: Queue, began: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "TIDY_EVERY_S", 0.05)
    queue.file("kept").touch()
    start_workers(tmp_path, lambda: begin(began), until_worked(3, began))
    assert len(began.read_text()) >= 3


def test_a_worker_that_fails_ends_who_started_it(tmp_path: Path, queue: Queue) -> None:
    def fail() -> None:
        raise RuntimeError("broken")

    for work in (fail, lambda: os.kill(os.getpid(), signal.SIGKILL)):
        with pytest.raises(SystemExit):
            start_workers(tmp_path, work, looks(1000))


def test_a_worker_is_told_to_end_and_waited_for(tmp_path: Path, queue: Queue, began: Path) -> None:
    def work() -> None:
        signal.signal(signal.SIGTERM, lambda *_: (begin(began), os._exit(0)))
        begin(began)
        signal.pause()

    start_workers(tmp_path, work, until_worked(1, began))
    assert began.read_text() == "ww"


def test_a_worker_ends_when_nothing_waits_and_stays_a_while_after_a_job(queue: Queue) -> None:
    asked: list[str] = []

    def export(work: Work) -> Result:
        asked.append(work.job_id)
        return Result()

    def worker() -> Worker:
        return Worker(queue, {"export": Kind(export, "", dict)}, 1 << 20, lambda: False)

    began = time.monotonic()
    worker().run(idle_s=30)
    assert time.monotonic() - began < 20
    queue.order("export", "dong", {})
    worker().run(idle_s=0)
    assert len(asked) == 1
