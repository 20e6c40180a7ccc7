"""Attachments that follow their document instead of riding in it. Pure.

CouchDB's replicator sends a text as it keeps it, compressed: `encoding` is gzip then, `digest` and
`encoded_length` speak of the compressed bytes and `length` of the text itself. Kept is the text.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Container, Iterable, Mapping
from itertools import islice
from typing import Any

from sync.incoming import digest_of
from sync.store import BadRequest, ContentMismatch, Doc, TooLarge


def put_in(doc: Mapping[str, Any], contents: Iterable[bytes], *, bytes_max: int) -> Doc:
    """`doc` with `contents` in place of its attachments that follow, in their order.

    Raises BadRequest when they are more or fewer than announced, or not as long; ContentMismatch for one
    whose digest is another; TooLarge for one that unpacks to more than `bytes_max`.
    """
    members = doc.get("_attachments")
    if not isinstance(members, Mapping):
        members = {}
    names = [name for name, stub in members.items() if _follows(stub)]
    came = list(islice(contents, len(names) + 1))
    if len(came) != len(names):
        raise BadRequest(f"{len(names)} attachments are announced to follow, but not as many came.")
    filled = {
        name: _inline(name, members[name], content, bytes_max)
        for name, content in zip(names, came, strict=True)
    }
    return {**doc, "_attachments": {**members, **filled}} if filled else dict(doc)


def changed_since(doc: Doc, revs: Iterable[str]) -> list[str]:
    """The attachments that are younger than the youngest of `revs` in the history of `doc`, which has its
    `_revisions`; all of them when it has none of `revs`.
    """
    start, ids = doc["_revisions"]["start"], doc["_revisions"]["ids"]
    known = set(revs)
    common = next((start - step for step, name in enumerate(ids) if f"{start - step}-{name}" in known), -1)
    return [name for name, stub in doc.get("_attachments", {}).items() if stub["revpos"] > common]


def announced(doc: Doc, names: Container[str]) -> Doc:
    """`doc` with its attachments of these `names` announced to follow; the others stay stubs."""
    if "_attachments" not in doc:
        return doc
    stubs = doc["_attachments"].items()
    return {
        **doc,
        "_attachments": {name: _announced(stub) if name in names else stub for name, stub in stubs},
    }


def _announced(stub: Mapping[str, Any]) -> dict[str, Any]:
    return {member: value for member, value in stub.items() if member != "stub"} | {"follows": True}


def _follows(stub: object) -> bool:
    return isinstance(stub, Mapping) and stub.get("follows") is True and stub.get("stub") is not True


def _inline(name: str, stub: Mapping[str, Any], content: bytes, bytes_max: int) -> dict[str, Any]:
    told = {member: stub[member] for member in ("content_type", "revpos") if member in stub}
    compressed = stub.get("encoding", "identity")
    if compressed not in ("gzip", "identity"):
        raise BadRequest(f"Attachment {name} is encoded as {compressed}; only gzip is known.")
    sent_length = stub.get("encoded_length", stub.get("length"))
    _check_length(name, content, sent_length if compressed == "gzip" else stub.get("length"))
    digest = stub.get("digest")
    if isinstance(digest, str) and digest.startswith("md5-") and digest != digest_of(content):
        raise ContentMismatch("Possible message corruption.")
    if compressed == "gzip":
        content = gunzipped(content, bytes_max, TooLarge(name))
        if "encoded_length" in stub:
            _check_length(name, content, stub.get("length"))
    return told | {"data": base64.b64encode(content).decode()}


def _check_length(name: str, content: bytes, declared: object) -> None:
    if declared is None:
        return
    if not isinstance(declared, int):
        raise BadRequest(f"Attachment {name} has a length that is no number.")
    if len(content) != declared:
        word = "shorter" if len(content) < declared else "longer"
        raise BadRequest(f"attachment {word} than expected: {name} has {len(content)} of {declared} bytes")


def gunzipped(data: bytes, bytes_max: int, too_large: Exception) -> bytes:
    """Raises BadRequest for what is no gzip, `too_large` before more than `bytes_max` are unpacked."""
    gunzip = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        plain = gunzip.decompress(data, bytes_max + 1)
    except zlib.error:
        raise BadRequest("The body is not valid gzip.") from None
    if len(plain) > bytes_max:
        raise too_large
    if not gunzip.eof or gunzip.unused_data:
        raise BadRequest("The body is not valid gzip.")
    return plain
