"""Answers: JSON, whole or streamed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson
from flask import Request, Response

from sync.endpoint.errors import MethodNotAllowed
from sync.incoming import DEFAULT_CONTENT_TYPE
from sync.store import StoreError

JSON = "application/json"


def json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    answer = Response(orjson.dumps(value) + b"\n", status, mimetype=JSON)
    answer.headers["Cache-Control"] = "must-revalidate"
    answer.headers.update(headers or {})
    return answer


def streamed(chunks: Iterable[bytes], mimetype: str = JSON) -> Response:
    answer = Response(chunks, content_type=mimetype)
    answer.headers["Cache-Control"] = "must-revalidate"
    answer.headers["X-Accel-Buffering"] = (
        "no"  # a proxy that collects an answer first would hold heartbeats back
    )
    return answer


def error(problem: StoreError) -> Response:
    headers = {"Allow": ", ".join(problem.methods)} if isinstance(problem, MethodNotAllowed) else None
    return json({"error": problem.error, "reason": problem.reason}, problem.status, headers)


def header_value(content_type: str) -> str:
    """A content type that somebody declared, if it can stand in a header."""
    return content_type if content_type.isascii() and content_type.isprintable() else DEFAULT_CONTENT_TYPE


def tagged(value: Any, tag: str, request: Request) -> Response:
    """A JSON answer with an ETag; 304 without a body if the client has it already."""
    answer = json(value)
    answer.set_etag(tag)
    answer.make_conditional(request)
    return answer


def written(doc_id: str, rev: str, status: int = 201) -> Response:
    return json({"ok": True, "id": doc_id, "rev": rev}, status, {"ETag": f'"{rev}"'})


def array(head: bytes, items: Iterable[Any], tail: bytes) -> Iterator[bytes]:
    """`head`, the items as JSON with commas between, `tail`; one chunk an item."""
    separator = head
    for item in items:
        yield separator + orjson.dumps(item)
        separator = b",\n"
    yield (head if separator is head else b"") + tail
