"""Pauses of connections as gevent's loop waits for them: with a timer, and without a greenlet's stacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
from gevent.event import Event
from gevent.pool import Pool, PoolFull

from sync.pausing import Pause

READ = 1


def goes_on_in(pool: Pool, pause: Pause, go_on: Callable[[], None]) -> bool:
    """Do `go_on` after the pause, in a greenlet that has its place in the pool from now on; False if there
    is none. Raises what the pause's beginning raises, and nothing follows then.
    """
    timer = gevent.get_hub().loop.timer(max(pause.timeout_s, 0))
    greenlet = gevent.Greenlet(_after, timer, pause, go_on)
    try:
        pool.add(greenlet, blocking=False)
    except PoolFull:
        timer.close()
        return False
    try:
        timer.start(greenlet.start)
        pause.begin(greenlet.start)
    except BaseException:
        timer.close()
        greenlet.kill(block=False)
        raise
    return True


def _after(timer: Any, pause: Pause, go_on: Callable[[], None]) -> None:
    timer.close()
    pause.end()
    go_on()


def wait_for(pause: Pause) -> None:
    """In the greenlet that has the pause."""
    over = Event()
    pause.begin(over.set)
    over.wait(max(pause.timeout_s, 0))
    pause.end()


def when_readable(client: Any, call: Callable[[], None]) -> Callable[[], None]:
    """Call `call`, again and again, while there is something to read. Returns what ends that."""
    watcher = gevent.get_hub().loop.io(client.fileno(), READ)
    watcher.start(call)
    end: Callable[[], None] = watcher.close
    return end
