"""Waiting for a database to move: one longpoll of CouchDB for all who wait for the same database.

    phone ──┐                                  ┌─ GET register-1/_changes?feed=longpoll ──► CouchDB
    phone ──┼─ wait_for(register-1) ─► Watch ──┘
    phone ──┘        (asks once whether it moved already, then sleeps)

A watch is a thread (a greenlet under gevent) that begins with the first who waits and ends when nobody has
waited for `LINGER_S`, or when its database is gone, which all who wait are told. Whoever comes asks after the
watch began, so no change falls between. A question that was answered "not yet" need not be asked again before
the watch sees the database move: phones that wait on and on ask CouchDB nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from sync.couchdb.errors import DATABASE_GONE
from sync.store import NotFound, Seq, StoreError

POLL_S = 25.0
LINGER_S = 30.0
AFTER_FAULT_S = 1.0

Poll = Callable[[Seq, float], Seq]
"""`poll(since, timeout_s)` returns when something came after `since`, or the time is over, where to go on."""


class Watch:
    """`moves` counts how often the database was seen to move."""

    def __init__(self, begin: Callable[[], Seq], poll: Poll) -> None:
        self._begin = begin
        self._poll = poll
        self._condition = threading.Condition()
        self._moves = 0
        self._still: dict[Seq, int] = {}  # sequences after which nothing had come at that count of moves
        self._waiting = 0
        self._calls: set[Callable[[], None]] = set()
        self._last_left = time.monotonic()
        self._closed = False
        self._gone = False
        threading.Thread(target=self._run, name="couchdb-watch", daemon=True).start()

    def wait(self, since: Seq, timeout_s: float, moved: Callable[[], bool]) -> bool:
        """Whether something came after `since` within the time, which a watch that closes cuts short.

        `moved` asks CouchDB. Raises NotFound when the database is gone, also if another has its name by now.
        """
        end = time.monotonic() + timeout_s
        with self._counted():
            while True:
                with self._condition:
                    moves, closed = self._moves, self._closed
                if self._gone:
                    raise NotFound(DATABASE_GONE)
                if self._still.get(since) != moves:
                    if moved():
                        return True
                    self._still[since] = moves
                if closed or not self._sleep(moves, end - time.monotonic()):
                    return False

    def call(self, since: Seq, call: Callable[[], None], moved: Callable[[], bool]) -> Callable[[], None]:
        """Call `call` at each move and at the end, at once if something came after `since` already. Returns
        what ends that.
        """
        with self._condition:
            self._waiting += 1
            self._calls.add(call)
            moves, closed = self._moves, self._closed
        if closed or (self._still.get(since) != moves and self._has_moved(since, moves, moved)):
            call()
        return partial(self._forget, call)

    def _has_moved(self, since: Seq, moves: int, moved: Callable[[], bool]) -> bool:
        try:
            if moved():
                return True
        except StoreError:  # who asks next is told
            return True
        self._still[since] = moves
        return False

    def _forget(self, call: Callable[[], None]) -> None:
        with self._condition:
            self._waiting -= 1
            self._calls.discard(call)
            self._last_left = time.monotonic()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._condition:
            self._waiting += 1
        try:
            yield
        finally:
            with self._condition:
                self._waiting -= 1
                self._last_left = time.monotonic()

    def _sleep(self, moves: int, left_s: float) -> bool:
        with self._condition:
            return self._condition.wait_for(lambda: self._moves != moves or self._closed, max(left_s, 0))

    def nudge(self) -> None:
        """Let all who wait look for themselves."""
        with self._condition:
            self._moves += 1
            self._still.clear()
            self._condition.notify_all()
            calls = list(self._calls)
        for call in calls:
            call()

    @property
    def closed(self) -> bool:
        return self._closed

    def close(self, *, gone: bool = False) -> None:
        """`gone`: because there is no such database any more."""
        self._gone = self._gone or gone
        self._closed = True
        self.nudge()

    def _is_wanted(self) -> bool:
        with self._condition:
            return self._waiting > 0 or time.monotonic() - self._last_left < LINGER_S

    def _run(self) -> None:
        since: Seq | None = None
        while not self._closed and self._is_wanted():
            try:
                after = self._begin() if since is None else self._poll(since, POLL_S)
            except NotFound:
                self.close(gone=True)
                return
            except StoreError:  # CouchDB is away; who waits is told so when asking
                since = None
                self.nudge()
                time.sleep(AFTER_FAULT_S)
                continue
            if after != since:
                since = after
                self.nudge()
        self.close()
