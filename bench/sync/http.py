"""A phone's HTTP connection, and what is counted on it. Light, so that the server gets the machine."""

from __future__ import annotations

import asyncio
import base64
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

import httptools
import orjson

PATIENCE_S = 600


class WrongAnswer(Exception):
    """The server answered something that a replicator could not have used."""


@dataclass(frozen=True)
class Address:
    """One CouchDB-speaking URL, taken apart once."""

    url: str
    host: str
    port: int
    path: str
    head: bytes  # the headers that PouchDB sends with everything

    @classmethod
    def of(cls, url: str) -> Address:
        parts = urlsplit(url)
        host, port = parts.hostname or "127.0.0.1", parts.port or 80
        lines = [f"Host: {host}:{port}", "Accept: application/json", "Content-Type: application/json"]
        if parts.username:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
            lines.append(f"Authorization: Basic {base64.b64encode(pair).decode()}")
        return cls(url, host, port, parts.path.rstrip("/"), "\r\n".join(lines).encode())

    @property
    def label(self) -> str:
        return f"{self.host}:{self.port}{self.path}"


@dataclass
class Tally:
    """What one measurement counts. Times are in seconds, by kind of request."""

    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    body_bytes: int = 0  # both ways

    @property
    def requests(self) -> int:
        return sum(map(len, self.times.values()))

    def quantile_ms(self, part: float) -> float:
        every = sorted(second for some in self.times.values() for second in some)
        return every[min(int(part * len(every)), len(every) - 1)] * 1000 if every else 0.0


class Connection(asyncio.Protocol):
    """One keep-alive connection with one question at a time; opened when it is first used."""

    def __init__(self, address: Address, tally: Tally) -> None:
        self.address = address
        self.tally = tally
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._head: asyncio.Future[None] | None = None
        self._chunks: list[bytes] = []
        self._parser: httptools.HttpResponseParser | None = None

    async def ask(
        self, method: str, path: str, body: bytes = b"", *, expect: int = 200, kind: str | None = None
    ) -> Any:
        """The answer's JSON. Raises WrongAnswer for another status than `expect`."""
        return orjson.loads(await self.ask_raw(method, path, body, expect=expect, kind=kind))

    async def ask_raw(
        self, method: str, path: str, body: bytes = b"", *, expect: int = 200, kind: str | None = None
    ) -> bytes:
        start = time.perf_counter()
        await self.send(method, path, body)
        status, told = await asyncio.wait_for(self.answered(), PATIENCE_S)
        self.tally.times[kind or f"{method} {path.split('?')[0].rsplit('/', 1)[-1]}"].append(
            time.perf_counter() - start
        )
        self.tally.body_bytes += len(body) + len(told)
        if status != expect:
            raise WrongAnswer(f"{method} {path}: {status} instead of {expect}: {told[:300]!r}")
        return told

    async def send(self, method: str, path: str, body: bytes = b"") -> None:
        """Ask without waiting: `answered` tells the answer."""
        loop = asyncio.get_running_loop()
        if self._transport is None or self._transport.is_closing():
            await loop.create_connection(lambda: self, self.address.host, self.address.port)
        self._answer, self._head, self._chunks = loop.create_future(), loop.create_future(), []
        self._parser = httptools.HttpResponseParser(self)
        assert self._transport is not None
        head = f"{method} {self.address.path}{path} HTTP/1.1\r\nContent-Length: {len(body)}\r\n".encode()
        self._transport.write(head + self.address.head + b"\r\n\r\n" + body)

    def answered(self) -> asyncio.Future[tuple[int, bytes]]:
        assert self._answer is not None
        return self._answer

    async def begun(self) -> None:
        """Until the head of the answer is here."""
        assert self._head is not None
        await asyncio.wait_for(asyncio.shield(self._head), PATIENCE_S)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    # asyncio and llhttp call these

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        assert self._parser is not None
        self._parser.feed_data(data)

    def on_headers_complete(self) -> None:
        if self._head is not None and not self._head.done():
            self._head.set_result(None)

    def on_body(self, body: bytes) -> None:
        self._chunks.append(body)

    def on_message_complete(self) -> None:
        assert self._parser is not None
        if not self._parser.should_keep_alive():
            self.close()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result((self._parser.get_status_code(), b"".join(self._chunks)))

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(WrongAnswer(f"the server hung up: {error}"))
