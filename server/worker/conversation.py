"""One connection: request after request, each handed to the app as WSGI has it."""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote_to_bytes, urlsplit

from server.worker.answering import Answering
from server.worker.asking import READ_BYTES, Asked, Asking, Body, Refused
from server.worker.places import Places
from sync.pausing import PAUSES, Pause

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

UNREAD_BYTES_MAX = 1024 * 1024
LINGER_S = 5.0
SOON_S = 0.5  # within a sync the next request follows at once: a pause would cost more than it saves
DECLARED = {"CONTENT_TYPE", "CONTENT_LENGTH"}


class Host(Protocol):
    """The worker that a conversation belongs to."""

    keepalive_s: float
    log: Any
    alive: bool
    nr: int
    places: Places
    wsgi: WSGIApplication

    def when_readable(self, client: socket.socket, call: Callable[[], None]) -> Callable[[], None]: ...


@dataclass(slots=True)
class _Turn:
    """A request and its answer, while there is one under way."""

    asked: Asked
    body: Body
    answering: Answering
    has_paused: bool = False


class Conversation:
    """`environ` is what all of a listener's requests have in common."""

    __slots__ = ("_address", "_asking", "_client", "_environ", "_host", "_soon_s", "_turn")

    def __init__(self, host: Host, environ: WSGIEnvironment, client: socket.socket, address: Any) -> None:
        self._host = host
        self._client = client
        self._asking = Asking(client, partial(host.when_readable, client))
        self._environ = environ
        self._address = address
        self._soon_s = SOON_S
        self._turn: _Turn | None = None

    def run(self) -> Pause | None:
        """Until there is a pause, which is returned: call this again after it. None when the connection must
        end.
        """
        try:
            while True:
                pause = self._next() if self._turn is None else self._go_on(self._turn)
                if isinstance(pause, Pause):
                    return pause
                if pause is False:
                    return None
        except Refused as refused:
            self._refuse(refused)
            self._linger()
            return None

    def end(self) -> None:
        self._host.places.resume(self._client)
        self._asking.end()
        if self._turn is not None:
            self._turn.answering.close()

    def _next(self) -> Pause | bool:
        """Begin with the next request. False when the connection must end."""
        self._host.places.wait(self._client)
        asked = self._asking.next(self._host.keepalive_s, self._soon_s)
        self._soon_s = 0.0
        if isinstance(asked, Pause):
            return asked
        self._host.places.resume(self._client)
        if asked is None:
            return False
        self._host.nr += 1
        body = Body(self._asking, asked)
        answering = Answering(self._client, asked, keeps_alive=asked.keeps_alive and self._host.alive)
        self._turn = _Turn(asked, body, answering)
        return self._go_on(self._turn)

    def _go_on(self, turn: _Turn) -> Pause | bool:
        """Answer it, up to a pause or to the end."""
        try:
            if not turn.answering.has_begun:
                turn.answering.begin(self._host.wsgi, self._environ_for(turn.asked, turn.body))
            if pause := turn.answering.go_on():
                self._asking.rest()
                turn.has_paused = True
                return pause
        except OSError:
            return False  # the client has gone
        except Refused:
            raise
        except Exception:
            self._host.log.exception("Error handling request")
            return False
        self._turn = None
        self._soon_s = 0.0 if turn.has_paused else SOON_S
        turn.answering.close()
        goes_on = turn.answering.keeps_alive and turn.body.drain(UNREAD_BYTES_MAX)
        if not turn.asked.is_whole:
            self._linger()
        return goes_on

    def _environ_for(self, asked: Asked, body: Body) -> WSGIEnvironment:
        there = self._address or ("", "")
        environ = self._environ | _environ_of_request(asked)
        environ["REMOTE_ADDR"], environ["REMOTE_PORT"] = there[0], str(there[1])
        asked.headers.clear()  # they are in `environ` from here on
        body.expects_continue = environ.get("HTTP_EXPECT", "").lower() == "100-continue"
        environ["wsgi.input"] = body
        return environ

    def _refuse(self, refused: Refused) -> None:
        body = json.dumps({"error": refused.error, "reason": refused.reason}).encode()
        head = (
            f"HTTP/1.1 {refused.status}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        self._asking.send(head.encode() + body)

    def _linger(self) -> None:
        """Take what still comes, for a moment. A socket that is closed over unread bytes resets the
        connection, and the client loses the answer that is on its way.
        """
        end = time.monotonic() + LINGER_S
        with contextlib.suppress(OSError):
            self._client.shutdown(socket.SHUT_WR)
            while (left := end - time.monotonic()) > 0:
                self._client.settimeout(left)
                if not self._client.recv(READ_BYTES):
                    return


def environ_of(listener: socket.socket, cfg: Any) -> WSGIEnvironment:
    here = listener.getsockname()
    here = here if isinstance(here, tuple) else (str(here), "")
    return {
        PAUSES: True,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https" if cfg.is_ssl else "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": cfg.workers > 1,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
        "SCRIPT_NAME": "",
        "SERVER_NAME": here[0],
        "SERVER_PORT": str(here[1]),
    }


def _environ_of_request(asked: Asked) -> WSGIEnvironment:
    raw = asked.url.decode("latin-1")
    path, _, query = (raw if raw.startswith("/") else _of_absolute(raw)).partition("?")
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": asked.method,
        "RAW_URI": raw,
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1") if "%" in path else path,
        "QUERY_STRING": query,
        "SERVER_PROTOCOL": f"HTTP/{asked.version}",
    }
    for name, value in asked.headers:
        if key := _key(name):
            text = value.decode("latin-1")
            environ[key] = f"{environ[key]},{text}" if key in environ else text
    return environ


def _of_absolute(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path or '/'}?{parts.query}"


@lru_cache(512)
def _key(name: bytes) -> str:
    """The header's name in a WSGI environ; empty for one that could pass itself off as another."""
    if b"_" in name:
        return ""
    key = name.decode("latin-1").upper().replace("-", "_")
    return key if key in DECLARED else f"HTTP_{key}"
