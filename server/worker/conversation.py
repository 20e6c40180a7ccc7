"""One connection: request after request, each handed to the app as WSGI has it."""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote_to_bytes, urlsplit

from server.worker.answering import Answering
from server.worker.asking import READ_BYTES, Asked, Asking, Body, Refused
from server.worker.places import Places

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

UNREAD_BYTES_MAX = 1024 * 1024
LINGER_S = 5.0
DECLARED = {"CONTENT_TYPE", "CONTENT_LENGTH"}


class Host(Protocol):
    """The worker that a conversation belongs to."""

    cfg: Any
    log: Any
    alive: bool
    nr: int
    places: Places
    wsgi: WSGIApplication


class Conversation:
    def __init__(self, host: Host, listener: socket.socket, client: socket.socket, address: Any) -> None:
        self._host = host
        self._client = client
        self._asking = Asking(client)
        self._environ = _environ_of(listener, address, host.cfg)

    def run(self) -> None:
        try:
            while (asked := self._next()) and self._answer(asked):
                pass
        except Refused as refused:
            self._refuse(refused)
            self._linger()

    def _next(self) -> Asked | None:
        self._host.places.wait(self._client)
        try:
            return self._asking.next(self._host.cfg.keepalive)
        finally:
            self._host.places.resume(self._client)

    def _answer(self, asked: Asked) -> bool:
        """False when the connection must end."""
        self._host.nr += 1
        body = Body(self._asking, asked)
        answering = Answering(self._client, asked, keeps_alive=asked.keeps_alive and self._host.alive)
        try:
            answering.run(self._host.wsgi, self._environ_for(asked, body))
        except OSError:
            return False  # the client has gone
        except Refused:
            raise
        except Exception:
            self._host.log.exception("Error handling request")
            return False
        goes_on = answering.keeps_alive and body.drain(UNREAD_BYTES_MAX)
        if not asked.is_whole:
            self._linger()
        return goes_on

    def _environ_for(self, asked: Asked, body: Body) -> WSGIEnvironment:
        environ = self._environ | _environ_of_request(asked)
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


def _environ_of(listener: socket.socket, address: Any, cfg: Any) -> WSGIEnvironment:
    here = listener.getsockname()
    here, there = (here if isinstance(here, tuple) else (str(here), "")), address or ("", "")
    return {
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
        "REMOTE_ADDR": there[0],
        "REMOTE_PORT": str(there[1]),
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
