"""Multipart bodies as CouchDB frames them: a document with its attachments behind it, or several of those.

    multipart/related                          multipart/mixed
    --b                                        --outer
    Content-Type: application/json             Content-Type: multipart/related; boundary="b"
                                                   (as on the left)
    {"_id":…, "_attachments":                  --outer
      {"p":{…, "length":9, "follows":true}}}   Content-Type: application/json; error="true"
    --b
    Content-Disposition: …                     {"missing":"3-…"}
    Content-Length: 9                          --outer--

    the bytes
    --b--

Attachments follow in the order in which the document names them; that, and not their headers, tells which
is which. Reading holds one body within its limit and stops at the first byte too many; writing holds one
attachment at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from werkzeug.http import parse_options_header

from sync.store import BadRequest

HEADERS_BYTES_MAX = 16 * 1024
BOUNDARY_CHARACTERS_MAX = 200


@dataclass(frozen=True, slots=True)
class Part:
    """`headers` have their names in lower case."""

    headers: Mapping[str, str]
    data: bytes


def boundary_of(content_type: str) -> bytes:
    boundary = parse_options_header(content_type)[1].get("boundary", "")
    if not boundary or len(boundary) > BOUNDARY_CHARACTERS_MAX or not boundary.isascii():
        raise BadRequest("The multipart body names no usable boundary in its Content-Type.")
    return boundary.encode()


def parts(chunks: Iterable[bytes], boundary: bytes) -> Iterator[Part]:
    """The parts of a body that arrives in `chunks`. Raises BadRequest for one that is cut short."""
    incoming = _Incoming(chunks)
    delimiter = b"\r\n--" + boundary
    incoming.until(delimiter)  # what stands before the first part says nothing
    while not incoming.starts_with(b"--"):
        headers = _headers(incoming.until(b"\r\n\r\n", HEADERS_BYTES_MAX))
        yield Part(headers, incoming.until(delimiter))


class _Incoming:
    """Bytes that arrive in chunks, read up to a mark."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._held = bytearray(b"\r\n")  # so that the first boundary is one like the others

    def until(self, mark: bytes, bytes_max: int | None = None) -> bytes:
        looked_at = 0
        while (found := self._held.find(mark, looked_at)) < 0:
            if bytes_max is not None and len(self._held) > bytes_max:
                raise BadRequest("The headers of a part are too long.")
            looked_at = max(0, len(self._held) - len(mark) + 1)
            self._read_on()
        told = bytes(memoryview(self._held)[:found])
        del self._held[: found + len(mark)]
        return told

    def starts_with(self, mark: bytes) -> bool:
        while len(self._held) < len(mark):
            self._read_on()
        return self._held.startswith(mark)

    def _read_on(self) -> None:
        chunk = next(self._chunks, None)
        if chunk is None:
            raise BadRequest("The multipart body ends before its last boundary.")
        self._held += chunk


def _headers(block: bytes) -> dict[str, str]:
    lines = block.decode("utf-8", "replace").split("\r\n")
    told = {}
    for line in filter(None, lines):
        name, colon, value = line.partition(":")
        if not colon:
            raise BadRequest("bad part header")
        told[name.strip().lower()] = value.strip()
    return told


@dataclass(frozen=True, slots=True)
class Following:
    """The head of one attachment that follows its document."""

    name: str
    content_type: str
    length: int  # bytes

    def head(self) -> bytes:
        # Names are kept as they are, but must not break out of their quotes.
        name = "".join(quote(c) if c in '"\\' or not c.isprintable() else c for c in self.name)
        return (
            f'Content-Disposition: attachment; filename="{name}"\r\n'
            f"Content-Type: {self.content_type}\r\nContent-Length: {self.length}\r\n\r\n"
        ).encode()


JSON_HEAD = b"Content-Type: application/json\r\n\r\n"


def related_length(boundary: bytes, document: bytes, following: Iterable[Following]) -> int:
    """The bytes of what `related` yields."""
    between = len(b"\r\n--\r\n") + len(boundary)
    behind = sum(between + len(one.head()) + one.length for one in following)
    return len(b"--\r\n") + len(boundary) + len(JSON_HEAD) + len(document) + behind + between


def related(
    boundary: bytes, document: bytes, following: Iterable[tuple[Following, bytes]]
) -> Iterator[bytes]:
    """One document and its attachments."""
    yield b"--%b\r\n%b%b" % (boundary, JSON_HEAD, document)
    for one, data in following:
        yield b"\r\n--%b\r\n%b" % (boundary, one.head())
        yield data
    yield b"\r\n--%b--" % boundary
