"""What every process would make for itself at first use, made once before the fork, so that all share it.

Much is made when it is first asked for: the pages' templates, the table of addresses, SQL as text; and Python
writes into its code when that runs for the first times. In each process of its own that is some megabytes,
and the first requests wait for it.
"""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Any

from flask import Flask
from sqlalchemy import select

import server.webhooks.delivering  # noqa: F401 - the intake follower's, and what it imports
from server.people import devices
from server.readmodel.tables import checkpoints
from server.webhooks import subscriptions
from sync import endpoint
from sync.access import Access

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from server.app import Gridbook

TIMES = 2  # code is adapted when it runs again
PAGES = ("/ready", "/sign-in", "/api/v1/areas", "/sync/")
READS = (
    ("GET", "/", b""),
    ("GET", "/_local/warm", b""),
    ("GET", "/_changes?style=all_docs&since=0&limit=100", b""),
    ("GET", "/_all_docs?limit=10&include_docs=true", b""),
    ("POST", "/_revs_diff", b'{"warm":["1-00"]}'),
    ("POST", "/_bulk_get?revs=true&latest=true", b'{"docs":[{"id":"warm","rev":"1-00"}]}'),
)


def warm(app: Flask, shared: Gridbook) -> None:
    """Read, as nobody, what is read most. Nothing is written; every file is closed again, and a store or
    database elsewhere is not asked.
    """
    if not (shared.settings.store_is_embedded and shared.readmodel.engine.name == "sqlite"):
        return
    try:
        for _ in range(TIMES):
            _read(app, shared)
    finally:
        shared.store.close()
        shared.people.engine.dispose()
        shared.readmodel.engine.dispose()


def _read(app: Flask, shared: Gridbook) -> None:
    for path in PAGES:
        _ask(app, path)
    syncing = Flask(__name__, static_folder=None)  # whose reader only this process can be
    endpoint.mount(syncing, "/sync", shared.store, lambda _: _Reader(), lambda *_: Access.READ | Access.PUSH)
    for method, path, body in READS:
        _ask(syncing, f"/sync/catalogue{path}", method, body)
    devices.by_token(shared.people, "")
    subscriptions.active(shared.people)
    with shared.readmodel.engine.connect() as connection:
        connection.execute(select(checkpoints).limit(1)).all()


class _Reader:
    writer = "server"


def _ask(app: WSGIApplication, address: str, method: str = "GET", body: bytes = b"") -> None:
    path, _, query = address.partition("?")
    environ: dict[str, Any] = {
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.input": io.BytesIO(body),
        "SCRIPT_NAME": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_HOST": "localhost",
    }
    answer = app(environ, lambda *_: lambda _: None)
    for _ in answer:
        pass
    if hasattr(answer, "close"):
        answer.close()
