"""Answers: JSON, whole or streamed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, cast

import orjson
from flask import Request, Response

from sync.endpoint.errors import MethodNotAllowed
from sync.incoming import DEFAULT_CONTENT_TYPE
from sync.pausing import Pause
from sync.store import StoreError

JSON = "application/json"
SEPARATOR = b",\n"
WHOLE_BYTES_MAX = 256 * 1024
CHUNK_BYTES = 64 * 1024


def json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    told = {"Content-Type": JSON, "Cache-Control": "must-revalidate"} | (headers or {})
    # Pairs: of a mapping each value would be looked at for whether it is several.
    return Response([orjson.dumps(value) + b"\n"], status, list(told.items()))


def streamed(chunks: Iterable[bytes | Pause], mimetype: str = JSON) -> Response:
    answer = Response(cast("Iterable[bytes]", chunks), content_type=mimetype)
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
    return unless_known(answer, request)


def unless_known(answer: Response, request: Request, length: int | None = None) -> Response:
    """304 for who has it already; of `length` bytes the part that is asked for. In a question CouchDB knows
    no If-Match, and no `*` for whatever somebody has.
    """
    request.environ.pop("HTTP_IF_MATCH", None)
    if request.environ.get("HTTP_IF_NONE_MATCH") == "*":
        del request.environ["HTTP_IF_NONE_MATCH"]
    answer.make_conditional(request, accept_ranges=length is not None, complete_length=length)
    return answer


def unchanged(tag: str) -> Response:
    answer = Response(status=304)
    answer.set_etag(tag)
    return answer


def written(doc_id: str, rev: str, status: int = 201, **headers: str) -> Response:
    return json({"ok": True, "id": doc_id, "rev": rev}, status, headers)


def taken(doc_id: str) -> Response:
    """As CouchDB answers who does not want to wait for the disk, and is told no revision."""
    return json({"ok": True, "id": doc_id}, 202)


def tag_of(rev: str) -> str:
    return f'"{rev}"'


def gathered(items: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Pages for `array` of items that are made one by one."""
    page: list[bytes] = []
    size = 0
    for item in items:
        page.append(item)
        size += len(item)
        if size > CHUNK_BYTES:
            yield page
            page, size = [], 0
    if page:
        yield page


def array(head: bytes, pages: Iterable[Sequence[bytes]], tail: Callable[[], bytes]) -> Iterator[bytes]:
    """`head`, the items of all pages with commas between, and what `tail` then tells; a chunk a page."""
    separator = head
    for items in pages:
        if items:
            yield separator + SEPARATOR.join(items)
            separator = SEPARATOR
    yield (head if separator is head else b"") + tail()


def whole_or_streamed(chunks: Iterator[bytes]) -> Response:
    """Short answers have a length; long ones are sent as they are read, so that memory stays flat."""
    first: list[bytes] = []
    size = 0
    for chunk in chunks:
        first.append(chunk)
        size += len(chunk)
        if size > WHOLE_BYTES_MAX:
            return streamed(chain([b"".join(first)], chunks))
    answer = Response(b"".join(first), content_type=JSON)
    answer.headers["Cache-Control"] = "must-revalidate"
    return answer
