"""Server-sent events: a page learns within about a second that the data moved.

However many pages listen, one worker process asks the read model at most once in POLL_S.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

from flask import Response

from server.app import gridbook
from server.event_streams import LIFE_S, event_stream
from server.people.web import require_staff
from server.readmodel import ReadModel, queries
from server.web.pages import blueprint

POLL_S = 1.0
HEARTBEAT_S = 15.0


class Watch:
    """The version, asked for at most once in POLL_S by whoever comes first."""

    def __init__(self, ask: Callable[[], int], clock: Callable[[], float] = time.monotonic) -> None:
        self._ask, self._clock = ask, clock
        self._lock = threading.Lock()
        self._asked_at: float | None = None
        self._version = 0

    def version(self) -> int:
        with self._lock:
            now = self._clock()
            if self._asked_at is None or now - self._asked_at >= POLL_S * 0.9:
                self._version, self._asked_at = self._ask(), now
            return self._version


_watches: dict[int, Watch] = {}


def watch_of(readmodel: ReadModel) -> Watch:
    return _watches.setdefault(id(readmodel), Watch(lambda: queries.version(readmodel)))


@blueprint.get("/events")
@require_staff
def events() -> Response:
    return event_stream(announcements(watch_of(gridbook().readmodel), time.sleep, time.monotonic))


def announcements(watch: Watch, sleep: Callable[[float], None], clock: Callable[[], float]) -> Iterator[str]:
    """`version` events when it moved, a comment line as heartbeat, until LIFE_S is over."""
    began = quiet_since = clock()
    told = watch.version()
    yield f"retry: 3000\nevent: version\ndata: {told}\n\n"
    while clock() - began < LIFE_S:
        sleep(POLL_S)
        current = watch.version()
        if current != told:
            told, quiet_since = current, clock()
            yield f"event: version\ndata: {told}\n\n"
        elif clock() - quiet_since >= HEARTBEAT_S:
            quiet_since = clock()
            yield ": still here\n\n"
