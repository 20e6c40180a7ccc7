"""Wake-ups: who waits for a change sleeps until one is written, in this process or another, and polls
nothing.

    writer commits ── "!" ──► run/<pid>-<random>.sock of all processes ─► listeners ask what moved ──► waiters

The datagrams carry nothing: what moved is read from the store, so a lost, doubled or late one does no harm.
Should one be lost, the listener looks by itself every `RECHECK_S`; where many write, it looks every `REST_S`
and not at every commit. A process that died leaves its socket file behind; the next writer that finds nobody
there removes it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

RECHECK_S = 3.0
REST_S = 0.05
_SUN_PATH_MAX = 107

Moved = Callable[[int], tuple[list[str], int]]
Call = Callable[[], None]


class _Listener:
    """The socket and the waiters of one process."""

    def __init__(self, folder: _SocketFolder, moved: Moved) -> None:
        self.pid = os.getpid()
        self._moved = moved
        self._waiters: dict[str | None, set[Call]] = defaultdict(set)
        self._changing = threading.Lock()
        self._closed = False
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._name = folder.bind(self._socket)
        self._folder = folder
        self._token = moved(0)[1]
        self._thread = threading.Thread(target=self._listen, name="sync-wakes", daemon=True)
        self._thread.start()

    def add(self, key: str | None, call: Call) -> None:
        with self._changing:
            self._waiters[key].add(call)

    def discard(self, key: str | None, call: Call) -> None:
        with self._changing:
            self._waiters[key].discard(call)
            if not self._waiters[key]:
                del self._waiters[key]

    def close(self) -> None:
        self._closed = True
        self._folder.send()
        self._thread.join(timeout=RECHECK_S + 1)
        self._socket.close()
        self._folder.remove(self._name)

    def _listen(self) -> None:
        while not self._closed:
            self._sleep()
            with contextlib.suppress(
                Exception
            ):  # the store may be closing, or busy for long: look again later
                self._tell()
            time.sleep(REST_S)

    def _sleep(self) -> None:
        self._socket.settimeout(RECHECK_S)
        with contextlib.suppress(TimeoutError):
            self._socket.recv(1)
        self._socket.settimeout(0)
        with contextlib.suppress(BlockingIOError):
            while True:
                self._socket.recv(1)

    def _tell(self) -> None:
        names, token = self._moved(self._token)
        if token == self._token:
            return
        self._token = token
        # A database that was deleted moved too, and has no name any more: everybody looks.
        with self._changing:
            keys = [None, *names] if names else list(self._waiters)
            calls = [call for key in keys for call in self._waiters.get(key, ())]
        for call in calls:
            call()


class _SocketFolder:
    def __init__(self, path: Path) -> None:
        self._path = path
        path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def bind(self, sock: socket.socket) -> str:
        name = f"{os.getpid()}-{secrets.token_hex(4)}.sock"
        with self._address(name) as address:
            sock.bind(address)
        return name

    def remove(self, name: str) -> None:
        (self._path / name).unlink(missing_ok=True)

    def send(self) -> None:
        """Nudge every process that listens."""
        names = [name for name in os.listdir(self._path) if name.endswith(".sock")]
        if not names:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            for name in names:
                self._send_to(sock, name)

    def _send_to(self, sock: socket.socket, name: str) -> None:
        try:
            with self._address(name) as address:
                sock.sendto(b"!", address)
        except OSError as error:
            if error.errno == errno.ECONNREFUSED:
                self.remove(name)  # its process died
            # A full queue (EAGAIN) means that the process is about to look anyway.

    @contextmanager
    def _address(self, name: str) -> Iterator[str]:
        address = str(self._path / name)
        if len(os.fsencode(address)) <= _SUN_PATH_MAX:
            yield address
            return
        # A socket's path is short by law of the kernel; a long one is reached through the folder's
        # descriptor.
        folder = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            yield f"/proc/self/fd/{folder}/{name}"
        finally:
            os.close(folder)


class Wakes:
    """`moved(token)` tells the names of the databases that moved after `token`, and the next token."""

    def __init__(self, folder: Path, moved: Moved) -> None:
        self._folder = _SocketFolder(folder)
        self._moved = moved
        self._listener: _Listener | None = None
        self._starting = threading.Lock()
        self._pid = os.getpid()

    def nudge(self) -> None:
        """Tell every process, this one too, that something was written."""
        self._folder.send()

    @contextmanager
    def waiting(self, key: str | None) -> Iterator[threading.Event]:
        """An event that is set when the database named `key` moves, or with None any of them."""
        event = threading.Event()
        forget = self.call(key, event.set)
        try:
            yield event
        finally:
            forget()

    def call(self, key: str | None, call: Call) -> Call:
        """Call `call`, which must not wait, each time that the database named `key` moves. Returns what ends
        that; until then no other `call` may be equal to it.
        """
        listener = self._running()
        listener.add(key, call)
        return partial(listener.discard, key, call)

    def close(self) -> None:
        if self._listener is not None and self._listener.pid == os.getpid():
            self._listener.close()
            self._listener = None

    def _running(self) -> _Listener:
        if self._pid != os.getpid():
            self._pid, self._starting, self._listener = os.getpid(), threading.Lock(), None
        with self._starting:
            if self._listener is None:
                self._listener = _Listener(self._folder, self._moved)
            return self._listener
