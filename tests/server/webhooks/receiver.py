"""A receiver on loopback that remembers what it got and answers as it is told to."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass(frozen=True)
class Got:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def told(self) -> dict[str, Any]:
        return dict(json.loads(self.body))


@dataclass
class Receiver:
    port: int = 0
    got: list[Got] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)  # for the next requests; then `otherwise`
    otherwise: Callable[[Got], int] = lambda got: 204
    arrived: queue.Queue[Got] = field(default_factory=queue.Queue)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?from=gridbook"

    @property
    def types(self) -> list[str]:
        return [each.told["type"] for each in self.got]


def status(code: int, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()

    return answer


def slow(until: threading.Event) -> Answer:
    """Sends a byte and then nothing until it is let go."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"H")
        handler.wfile.flush()
        until.wait(30)

    return answer


@contextmanager
def receiving(port: int = 0) -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got = Got(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            receiver.got.append(got)
            receiver.arrived.put(got)
            (receiver.answers.pop(0) if receiver.answers else status(receiver.otherwise(got)))(self)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        receiver.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        yield receiver
        server.shutdown()
        thread.join()
