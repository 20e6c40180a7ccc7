"""How many connections a worker can have, and which of them nobody would miss.

A phone that listens has one connection for its longpoll, and keeps another on which it asked before. When
places run low, the connections that have waited longest for another request are ended, as time would have
ended them: the client opens another when it needs one.
"""

from __future__ import annotations

import contextlib
import resource
import socket

PLACES_MAX = 8000  # of each worker: 3,000 phones with two connections, should all come to one
PLACES_MIN = 64
FILES_KEPT = 256  # for databases, their logs, wake-up sockets, attachments
KEPT_FREE = 16  # one place of so many


def places_possible() -> int:
    """Raises the limit on open files as far as it is needed and allowed; what it leaves for connections."""
    wanted = PLACES_MAX + FILES_KEPT
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if resource.RLIM_INFINITY != soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return places_with(wanted if soft == resource.RLIM_INFINITY else soft)


def places_with(files: int) -> int:
    return max(PLACES_MIN, min(PLACES_MAX, files - FILES_KEPT))


class Places:
    def __init__(self, size: int) -> None:
        self._many = size - max(1, size // KEPT_FREE)
        self._taken = 0
        self._idle: dict[socket.socket, None] = {}  # who has waited longest comes first

    def take(self) -> None:
        self._taken += 1
        if self._taken > self._many:
            self._end_one()

    def leave(self) -> None:
        self._taken -= 1

    def wait(self, client: socket.socket) -> None:
        """This connection has nothing to do until another request comes."""
        self._idle[client] = None

    def resume(self, client: socket.socket) -> None:
        self._idle.pop(client, None)

    def end_idle(self) -> None:
        while self._idle:
            self._end_one()

    def _end_one(self) -> None:
        if not self._idle:
            return
        client = next(iter(self._idle))
        del self._idle[client]
        with contextlib.suppress(OSError):  # who reads from it reads its end
            client.shutdown(socket.SHUT_RDWR)
