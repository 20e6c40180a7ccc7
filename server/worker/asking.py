"""Requests as they come in: what llhttp calls back, limits on heads, and bodies as WSGI reads them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from socket import socket
from ssl import SSLWantReadError
from typing import Any

import httptools

from sync.pausing import Pause, Watch

READ_BYTES = 64 * 1024
# A document's id may have 4,096 bytes; percent-encoded they are 12,288 characters of the path.
URL_BYTES_MAX = 16 * 1024
HEAD_BYTES_MAX = 64 * 1024
HEADERS_MAX = 100
BODY_SILENCE_S = 120  # a client that sends nothing for so long has gone

NOTHING_YET = (BlockingIOError, TimeoutError, SSLWantReadError)
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Refused(Exception):
    """A request that gets an error, and the end of its connection."""

    def __init__(self, status: str, error: str, reason: str) -> None:
        super().__init__(reason)
        self.status, self.error, self.reason = status, error, reason


class Asked:
    """One request. `chunks` is what came of its body and was not read yet."""

    __slots__ = ("chunks", "head_is_whole", "headers", "is_whole", "keeps_alive", "method", "url", "version")

    def __init__(self) -> None:
        self.method = self.version = ""
        self.url = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.chunks: list[bytes] = []  # an empty deque takes ten times the memory
        self.head_is_whole = self.is_whole = False
        self.keeps_alive = True


class Asking:
    """The requests of one connection in turn; those that come before their turn wait."""

    def __init__(self, client: socket, when_readable: Watch) -> None:
        self._client = client
        self._when_readable = when_readable
        self._parser: Any = None  # httptools.HttpRequestParser, from a request's first byte to its last
        self._asked: list[Asked] = []
        self._head_bytes = 0
        self._deadline = 0.0  # for the next request, in monotonic seconds, while somebody waits for it

    def next(self, patience_s: float, soon_s: float = 0.0) -> Asked | Pause | None:
        """The next request, its head whole; None when the client ends the connection or says nothing more.
        A pause when nothing of it comes within `soon_s`, after which this is to be called again.
        """
        self._deadline = self._deadline or time.monotonic() + patience_s
        try:
            if not self._asked and (left := self._look(soon_s)) is not None:
                return Pause(left, self._when_readable) if left > 0 else None
            while not (self._asked and self._asked[0].head_is_whole):
                self._client.settimeout(max(self._deadline - time.monotonic(), 0.001))
                if not self._receive():
                    return None
        except TimeoutError:
            return None
        self._deadline = 0.0
        return self._asked.pop(0)

    def _look(self, soon_s: float) -> float | None:
        """Take what comes soon. How long to wait for more if nothing does: not at all for a client that has
        gone.
        """
        self._client.settimeout(soon_s)
        try:
            return None if self._receive() else 0.0
        except NOTHING_YET:
            self.rest()
            return self._deadline - time.monotonic()

    def rest(self) -> None:
        """Between two requests the parser remembers nothing, and takes as much memory as all else here."""
        if not self._asked:
            self._parser = None

    def end(self) -> None:
        """The parser knows us, too: as a cycle, both would wait for the garbage collector."""
        self._parser = None

    def send(self, data: bytes) -> None:
        self._client.settimeout(None)
        self._client.sendall(data)

    def read_more(self, asked: Asked) -> bool:
        """Wait for more of the body; False if the client has gone before its end."""
        self._client.settimeout(BODY_SILENCE_S)
        return asked.is_whole or self._receive()

    def _receive(self) -> bool:
        data = self._client.recv(READ_BYTES)
        self._parser = self._parser or httptools.HttpRequestParser(self)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._now.keeps_alive = False  # answered as if nobody had asked for another protocol
            self._now.is_whole = True
        except httptools.HttpParserError as error:
            cause = error.__context__
            raise cause if isinstance(cause, Refused) else _not_http() from None
        return bool(data)

    # llhttp calls these

    def on_message_begin(self) -> None:
        self._now = Asked()
        self._head_bytes = 0
        self._asked.append(self._now)

    def on_url(self, url: bytes) -> None:
        self._now.url += url
        if len(self._now.url) > URL_BYTES_MAX:
            raise Refused("414 URI Too Long", "bad_request", "The address is too long.")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > HEAD_BYTES_MAX or len(self._now.headers) == HEADERS_MAX:
            raise Refused("431 Request Header Fields Too Large", "bad_request", "The headers are too large.")
        self._now.headers.append((name, value))

    def on_headers_complete(self) -> None:
        now = self._now
        now.method = self._parser.get_method().decode()
        now.version = self._parser.get_http_version()
        now.keeps_alive = self._parser.should_keep_alive()
        now.head_is_whole = True

    def on_body(self, data: bytes) -> None:
        self._now.chunks.append(data)

    def on_message_complete(self) -> None:
        self._now.is_whole = True


def _not_http() -> Refused:
    return Refused("400 Bad Request", "bad_request", "This is not HTTP/1.1.")


class Body:
    """`wsgi.input`."""

    def __init__(self, asking: Asking, asked: Asked) -> None:
        self._asking = asking
        self._asked = asked
        self.expects_continue = False

    def read(self, size: int | None = -1) -> bytes:
        wanted = -1 if size is None else size
        parts: list[bytes] = []
        have = 0
        while (wanted < 0 or have < wanted) and (chunk := self._chunk()):
            parts.append(chunk)
            have += len(chunk)
        data = b"".join(parts)
        if 0 <= wanted < have:
            self._asked.chunks.insert(0, data[wanted:])
            return data[:wanted]
        return data

    def readline(self, size: int | None = -1) -> bytes:
        limit = -1 if size is None else size
        line = b""
        while b"\n" not in line and (limit < 0 or len(line) < limit) and (chunk := self._chunk()):
            line += chunk
        end = line.find(b"\n") + 1 or len(line)
        end = min(end, limit) if limit >= 0 else end
        if line[end:]:
            self._asked.chunks.insert(0, line[end:])
        return line[:end]

    def readlines(self, hint: int | None = -1) -> list[bytes]:
        return list(self)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def drain(self, bytes_max: int) -> bool:
        """Read what the app has left; False if that is too much, and the connection must end."""
        if self.expects_continue and not self._asked.is_whole:
            return False  # it waits for a word that will not come
        left = bytes_max
        while left > 0 and (chunk := self._chunk()):
            left -= len(chunk)
        return self._asked.is_whole and not self._asked.chunks

    def _chunk(self) -> bytes:
        """The next piece; empty at the end, or when the client has gone."""
        asked = self._asked
        if self.expects_continue and not asked.chunks and not asked.is_whole:
            self._asking.send(CONTINUE)
        self.expects_continue = False
        while not asked.chunks:
            if asked.is_whole or not self._asking.read_more(asked):
                return b""
        return asked.chunks.pop(0)
