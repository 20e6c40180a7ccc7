"""Request bodies, read within limits."""

from __future__ import annotations

import zlib
from typing import Any

import orjson
from flask import Request

from sync.endpoint.errors import BadContentType, EntityTooLarge
from sync.store import BadRequest

CHUNK_BYTES = 64 * 1024
DRAINED_TIMES_MAX = 4


def read(request: Request, bytes_max: int) -> bytes:
    """The body, decompressed. Raises EntityTooLarge, BadRequest, BadContentType."""
    data = _received(request, bytes_max)
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        return data
    if encoding not in ("gzip", "x-gzip"):
        raise BadContentType(f"{encoding} is not a supported content encoding.")
    return _gunzipped(data, bytes_max)


def read_json(request: Request, bytes_max: int) -> Any:
    try:
        return orjson.loads(read(request, bytes_max))
    except orjson.JSONDecodeError:
        raise BadRequest("invalid UTF-8 JSON") from None


def _received(request: Request, bytes_max: int) -> bytes:
    declared = request.content_length
    if declared is not None and declared > bytes_max:
        _drain(request, declared, bytes_max)
        raise EntityTooLarge
    data = bytearray()
    while chunk := request.stream.read(CHUNK_BYTES):
        data += chunk
        if len(data) > bytes_max:
            _drain(request, bytes_max * DRAINED_TIMES_MAX, bytes_max)
            raise EntityTooLarge
    if declared is not None and len(data) != declared:
        raise BadRequest(f"The body ended after {len(data)} of {declared} bytes.")
    return bytes(data)


def _drain(request: Request, left: int, bytes_max: int) -> None:
    """Read a body that is refused. Otherwise the client, still sending, sees a reset connection and no
    answer.
    """
    left = min(left, bytes_max * DRAINED_TIMES_MAX)
    while left > 0 and (chunk := request.stream.read(min(CHUNK_BYTES, left))):
        left -= len(chunk)


def _gunzipped(data: bytes, bytes_max: int) -> bytes:
    gunzip = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        plain = gunzip.decompress(data, bytes_max + 1)
    except zlib.error:
        raise BadRequest("The body is not valid gzip.") from None
    if len(plain) > bytes_max:
        raise EntityTooLarge
    if not gunzip.eof or gunzip.unused_data:
        raise BadRequest("The body is not valid gzip.")
    return plain
