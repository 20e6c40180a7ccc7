"""Request bodies, read within limits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
from flask import Request

from sync import following
from sync.endpoint import multipart
from sync.endpoint.errors import BadContentType, EntityTooLarge
from sync.endpoint.multipart import Part
from sync.following import gunzipped
from sync.store import BadRequest

CHUNK_BYTES = 64 * 1024
DRAINED_TIMES_MAX = 4


def read(request: Request, bytes_max: int) -> bytes:
    """The body, decompressed. Raises EntityTooLarge, BadRequest, BadContentType."""
    data = b"".join(chunks(request, bytes_max))
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        return data
    if encoding not in ("gzip", "x-gzip"):
        raise BadContentType(f"{encoding} is not a supported content encoding.")
    return gunzipped(data, bytes_max, EntityTooLarge())


def read_json(request: Request, bytes_max: int) -> Any:
    return decoded(read(request, bytes_max))


def decoded(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        raise BadRequest("invalid UTF-8 JSON") from None


def read_related(request: Request, bytes_max: int) -> Any:
    """The document of a multipart/related body, with the attachments that follow it put in."""
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise BadContentType("A multipart body is taken only as it is, without Content-Encoding.")
    arriving = chunks(request, bytes_max)
    try:
        parts = multipart.parts(arriving, multipart.boundary_of(request.headers["Content-Type"]))
        doc = _document(next(parts, None))
        return following.put_in(doc, (part.data for part in parts), bytes_max=bytes_max)
    finally:
        for _ in arriving:  # a client that still sends would not see the answer
            pass


def _document(part: Part | None) -> dict[str, Any]:
    if part is None:
        raise BadRequest("The multipart body has no parts.")
    if part.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise BadContentType("Content-Type must be application/json")
    doc = decoded(part.data)
    if not isinstance(doc, dict):
        raise BadRequest("Document must be a JSON object")
    return doc


def chunks(request: Request, bytes_max: int) -> Iterator[bytes]:
    """The body as it arrives. Raises EntityTooLarge, and BadRequest for one that is cut short."""
    declared = request.content_length
    if declared is not None and declared > bytes_max:
        _drain(request, declared, bytes_max)
        raise EntityTooLarge
    received = 0
    while chunk := request.stream.read(CHUNK_BYTES):
        received += len(chunk)
        if received > bytes_max:
            _drain(request, bytes_max * DRAINED_TIMES_MAX, bytes_max)
            raise EntityTooLarge
        yield chunk
    if declared is not None and received != declared:
        raise BadRequest(f"The body ended after {received} of {declared} bytes.")


def _drain(request: Request, left: int, bytes_max: int) -> None:
    """Read a body that is refused. Otherwise the client, still sending, sees a reset connection and no
    answer.
    """
    left = min(left, bytes_max * DRAINED_TIMES_MAX)
    while left > 0 and (chunk := request.stream.read(min(CHUNK_BYTES, left))):
        left -= len(chunk)
