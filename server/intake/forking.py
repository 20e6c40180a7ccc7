"""Processes that do one thing and end. They are forked with everything that they need at hand, and hand over
what they made in a file without a name."""

from __future__ import annotations

import gc
import os
import pickle
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from server.supervisor import die_with_parent

LIFE_S = 300  # a process that waits for something that only its parent has would wait for ever

Child = tuple[int, int]  # process id, and the file that holds what came of it when it has ended
T = TypeVar("T")


def fork(work: Callable[[], Any]) -> list[Child]:
    """A process that does `work` and ends; none when the machine has no room for it."""
    file, parent = os.memfd_create("gridbook-judged"), os.getpid()
    try:
        pid = os.fork()
    except OSError:
        os.close(file)
        return []
    if pid:
        return [(pid, file)]
    # Nothing of the parent's may be ended, written or closed from here.
    try:
        die_with_parent(signal.SIGKILL, parent)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
            signal.signal(number, signal.SIG_DFL)
        signal.alarm(LIFE_S)
        gc.disable()
        with open(file, "wb", closefd=False) as writing:
            pickle.dump(work(), writing, pickle.HIGHEST_PROTOCOL)
        os._exit(0)
    finally:
        os._exit(1)


def result(pid: int, file: int) -> Any:
    """What the process made; None if it died."""
    try:
        _, status = os.waitpid(pid, 0)
        if status:
            return None
        with open(file, "rb", closefd=False) as reading:
            reading.seek(0)
            return pickle.load(reading)  # noqa: S301 - our own process wrote it
    finally:
        os.close(file)


def end(pid: int, file: int) -> None:
    """Whatever the process is still doing is of no use."""
    with suppress(ProcessLookupError):  # it has ended, and gevent has heard of it already
        os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(file)


class Helpers:
    """Up to `count` processes at once do what they are given; without any it is done at once, here."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._busy: list[tuple[Child, Callable[[], Any], Callable[[Any], None]]] = []

    def give(self, work: Callable[[], T], then: Callable[[T], None]) -> None:
        """`then` is called here with what `work` returns, sooner or later. What a process dies of is done
        again here; so `work` has to be such as may be repeated."""
        child = fork(work) if self.count else []
        if not child:
            then(work())
            return
        self._busy.append((child[0], work, then))
        while len(self._busy) >= self.count:
            self._take()

    def finish(self) -> None:
        while self._busy:
            self._take()

    def _take(self) -> None:
        child, work, then = self._busy.pop(0)
        made = result(*child)
        then(work() if made is None else made)

    def end(self) -> None:
        while self._busy:
            end(*self._busy.pop(0)[0])
