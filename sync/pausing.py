"""A pause in an answer: what a feed yields instead of bytes when there is nothing to tell before something
moves, so that the server behind it can keep the connection without a thread or greenlet until then.

    feed ── Pause ──► server: begin(go_on) ─► … something moves, or `timeout_s` is over … ─► end(), next piece

A server that can do so says it in the request's environ, by PAUSES; under another a feed waits by itself.
"""

from __future__ import annotations

from collections.abc import Callable

PAUSES = "gridbook.pauses"

GoOn = Callable[[], None]
Watch = Callable[[GoOn], Callable[[], None]]


class Pause:
    """`watch` is given what to call, from any thread and perhaps more than once, when there is something to
    do; it returns what ends that. `woken` tells afterwards whether it was called.
    """

    __slots__ = ("_end", "_go_on", "_watch", "timeout_s", "woken")

    def __init__(self, timeout_s: float, watch: Watch) -> None:
        self.timeout_s = timeout_s
        self.woken = False
        self._watch = watch
        self._go_on: GoOn | None = None
        self._end: Callable[[], None] | None = None

    def begin(self, go_on: GoOn) -> None:
        self._go_on = go_on
        self._end = self._watch(self._wake)

    def end(self) -> None:
        if self._end is not None:
            self._end()
        self._go_on = self._end = None

    def _wake(self) -> None:
        self.woken = True
        if self._go_on is not None:
            self._go_on()
