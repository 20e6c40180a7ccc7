"""An answer as it goes out: the head with the first piece of the body, each further piece as it comes."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from socket import socket
from types import TracebackType
from typing import TYPE_CHECKING, Any
from wsgiref.handlers import format_date_time

from server.worker.asking import Asked
from sync.pausing import Pause

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

WITHOUT_BODY = ("204", "304")


class Answering:
    """What the app says to one request, in its framing: a length, chunks, or the end of the connection."""

    def __init__(self, client: socket, asked: Asked, *, keeps_alive: bool) -> None:
        self._client = client
        self._asked = asked
        self.keeps_alive = keeps_alive
        self.has_begun = False
        self._status = ""
        self._headers: Sequence[tuple[str, str]] = ()
        self._head_is_sent = False
        self._is_chunked = False
        self._left: int | None = None  # bytes that the head has promised and the body not given yet
        self._is_bare = asked.method == "HEAD"
        self._told: Iterable[bytes | Pause] = ()
        self._pieces: Iterator[bytes | Pause] | None = None

    def start(
        self,
        status: str,
        headers: Sequence[tuple[str, str]],
        exc_info: tuple[type[BaseException], BaseException, TracebackType]
        | tuple[None, None, None]
        | None = None,
    ) -> Any:
        if self._head_is_sent and exc_info and exc_info[1]:
            raise exc_info[1]
        self._status, self._headers = status, headers
        return self._write

    def begin(self, app: WSGIApplication, environ: WSGIEnvironment) -> None:
        """Ask the app. It holds `environ` no longer than it wants: a feed that waits needs nothing of it."""
        self.has_begun = True
        self._told = app(environ, self.start)

    def go_on(self) -> Pause | None:
        """Send what there is, up to a pause, after which it is to be called again, or to the end."""
        self._client.settimeout(None)
        if isinstance(self._told, list | tuple):
            self._send_whole(b"".join(self._told))
            return None
        self._pieces = self._pieces or iter(self._told)
        for piece in self._pieces:
            if isinstance(piece, Pause):
                return piece
            self._write(piece)
        rest = (b"" if self._head_is_sent else self._head(0)) + self._end()
        if rest:
            self._send(rest)
        return None

    def close(self) -> None:
        """However it ended."""
        told, self._told, self._pieces = self._told, (), None
        if hasattr(told, "close"):
            told.close()

    def _send_whole(self, body: bytes) -> None:
        self._send(self._head(len(body)) + self._framed(body) + self._end())

    def _write(self, piece: bytes) -> None:
        if piece:
            head = b"" if self._head_is_sent else self._head(None)
            self._send(head + self._framed(piece))

    def _send(self, data: bytes) -> None:
        """gevent's `sendall` first asks the kernel for its buffer's size; a short answer fits into it."""
        sent = self._client.send(data)
        if sent < len(data):
            self._client.sendall(memoryview(data)[sent:])

    def _head(self, length: int | None) -> bytes:
        """`length` is that of the whole body, if it is known."""
        self._head_is_sent = True
        lines = [f"HTTP/1.1 {self._status}\r\nDate: {_date()}"]
        declared = None
        for name, value in self._headers:
            known = name.lower()
            if known == "date":
                continue  # two would be no date any more
            lines.append(f"{name}: {value}")
            if known == "content-length":
                declared = int(value)
        self._left = declared
        if self._status.startswith(WITHOUT_BODY):
            self._is_bare = True
        elif declared is None:
            lines += self._framing(length)
        lines.append("Connection: keep-alive" if self.keeps_alive else "Connection: close")
        head = "\r\n".join(lines)
        if head.count("\n") != len(lines) or head.count("\r") != len(lines):
            raise ValueError("a header has a line break in it")
        return f"{head}\r\n\r\n".encode("latin-1")

    def _framing(self, length: int | None) -> list[str]:
        if length is not None:
            self._left = length
            return [f"Content-Length: {length}"]
        if self._asked.version == "1.0":
            self.keeps_alive = False
            return []  # the body ends with the connection
        self._is_chunked = True
        return ["Transfer-Encoding: chunked"]

    def _framed(self, piece: bytes) -> bytes:
        if self._is_bare or not piece:
            return b""
        if self._is_chunked:
            return b"%x\r\n%b\r\n" % (len(piece), piece)
        if self._left is not None:
            piece = piece[: self._left]
            self._left -= len(piece)
        return piece

    def _end(self) -> bytes:
        if self._is_chunked and not self._is_bare:
            return b"0\r\n\r\n"
        if self._left and not self._is_bare:
            self.keeps_alive = False  # the client still waits for what the app had announced
        return b""


_moment, _text = 0, ""


def _date() -> str:
    global _moment, _text
    now = int(time.time())
    if now != _moment:
        _moment, _text = now, format_date_time(now)
    return _text
