"""A client's document, taken apart and judged: what a store needs to keep it. Pure.

Whatever cannot be stored at all is refused here, before a transaction begins, with CouchDB's error and
reason.
"""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from sync.store import BadRequest, DocValidation, IllegalDocid, TooLarge

ID_BYTES_MAX = 4096
BODY_BYTES_MAX = 8_000_000
HASH_CHARACTERS_MAX = 256
PATH_REVS_MAX = 100_000
DEFAULT_CONTENT_TYPE = "application/octet-stream"

# orjson writes 254 levels at most. Answers wrap a body in some lists and objects, so a body must leave room
# for them.
ENVELOPE_LEVELS = 24
BODY_LEVELS_MAX = 254 - ENVELOPE_LEVELS

_REV = re.compile(r"0{0,30}([1-9][0-9]{0,15})-(.*)", re.DOTALL)
_HEX_32 = re.compile(r"[0-9a-fA-F]{32}")
_IGNORED = {"_id", "_rev", "_revisions", "_deleted", "_attachments"} | {
    "_revs_info",
    "_local_seq",
    "_conflicts",
    "_deleted_conflicts",
}
_KEPT = {
    "_access",
    "_replication_id",
    "_replication_state",
    "_replication_state_reason",
    "_replication_state_time",
    "_replication_stats",
}
_COMPRESSED_BY_COUCHDB = ("text/", "application/javascript", "application/json", "application/xml")


@dataclass(slots=True)
class IncomingAttachment:
    """`data` is None for a stub, which names content that the store has already.

    `digest` is what the client declares. `mismatch` says in which way `data` is not what is declared.
    """

    name: str
    content_type: str
    data: bytes | None
    digest: str | None = None
    revpos: int | None = None
    mismatch: str | None = None


@dataclass(slots=True)
class Incoming:
    """`path` is the revision that the client names, then its ancestors; empty without one. `body` is JSON."""

    id: str
    path: list[str]
    deleted: bool
    body: bytes
    attachments: list[IncomingAttachment] = field(default_factory=list)


def parse(doc: object) -> Incoming:
    """Raises BadRequest and its kin, TooLarge."""
    if not isinstance(doc, Mapping):
        raise BadRequest("Document must be a JSON object")
    doc_id = check_id(doc.get("_id"))
    deleted = doc.get("_deleted", False)
    if not isinstance(deleted, bool):
        raise DocValidation("Bad special document member: _deleted")
    attachments = _attachments(doc) if "_attachments" in doc else []
    return Incoming(doc_id, path_of(doc), deleted, body_bytes(doc, doc_id), attachments)


def check_id(doc_id: object) -> str:
    if not isinstance(doc_id, str):
        raise IllegalDocid("Document id must be a string")
    if not doc_id:
        raise IllegalDocid("Document id must not be empty")
    if doc_id.startswith("_") and not (doc_id.startswith("_design/") and len(doc_id) > len("_design/")):
        raise IllegalDocid("Only reserved document ids may start with underscore.")
    try:
        size = len(doc_id.encode())
    except UnicodeEncodeError:
        raise IllegalDocid("Document id must be valid UTF-8") from None
    if size > ID_BYTES_MAX:
        raise IllegalDocid("Document id is too long")
    return doc_id


def check_local_id(local_id: str) -> None:
    if not local_id:
        raise IllegalDocid("Illegal document id `_local/`")
    if len(local_id) > ID_BYTES_MAX:
        raise IllegalDocid("Document id is too long")


def local_counter(rev: object) -> int:
    """The N of "0-N". A stale one is no conflict: the last writer of a local document wins, as in CouchDB."""
    if rev is None:
        return 0
    start, _, number = str(rev).partition("-")
    if start != "0" or not (number.isascii() and number.isdigit()) or len(number) > 15:
        raise BadRequest("Invalid rev format")
    return int(number)


def check_rev(rev: object) -> str:
    """The revision in its one spelling: a 32 digit hash is hexadecimal and in lower case."""
    found = _REV.fullmatch(rev) if isinstance(rev, str) else None
    if found is None:
        raise BadRequest("Invalid rev format")
    return f"{found[1]}-{_hash(found[2])}"


def _hash(name: object) -> str:
    if not isinstance(name, str):
        raise DocValidation("RevId isn't a string")
    if len(name) == 32:
        if not _HEX_32.fullmatch(name):
            raise BadRequest("Invalid rev format")
        return name.lower()
    if len(name) > HASH_CHARACTERS_MAX or not is_encodable(name):
        raise BadRequest("Invalid rev format")
    return name


def path_of(doc: Mapping[str, Any]) -> list[str]:
    if "_revisions" not in doc:
        return [check_rev(doc["_rev"])] if "_rev" in doc else []
    member = doc["_revisions"]
    start = member.get("start") if isinstance(member, Mapping) else None
    ids = member.get("ids") if isinstance(member, Mapping) else None
    if not isinstance(start, int) or isinstance(start, bool):
        raise DocValidation("_revisions.start isn't an integer.")
    if not isinstance(ids, list) or len(ids) > PATH_REVS_MAX:
        raise DocValidation("_revisions.ids isn't a array.")
    if not len(ids) <= start < 10**16:
        raise DocValidation("_revisions.start is smaller than the number of _revisions.ids.")
    return [f"{start - step}-{_hash_in_history(name)}" for step, name in enumerate(ids)]


def _hash_in_history(name: object) -> str:
    try:
        return _hash(name)
    except DocValidation:
        raise
    except BadRequest:
        raise DocValidation("RevId isn't a valid hexadecimal") from None


def body_bytes(doc: Mapping[str, Any], doc_id: str) -> bytes:
    """The document without its special members, as JSON."""
    body = {key: value for key, value in doc.items() if key[:1] != "_" or _is_body(key)}
    try:
        written = orjson.dumps(body)
        if written.count(b"[") + written.count(b"{") > BODY_LEVELS_MAX:
            _check_depth(body)
    except TypeError as cause:
        raise BadRequest(f"Document cannot be stored as JSON: {cause}") from None
    if len(written) > BODY_BYTES_MAX:
        raise TooLarge(doc_id)
    return written


def _check_depth(body: Mapping[str, Any]) -> None:
    """Raises TypeError for a body that nests too deeply; only one with many brackets can."""
    wrapped: Any = body
    for _ in range(ENVELOPE_LEVELS):
        wrapped = (wrapped,)
    orjson.dumps(wrapped)


def _is_body(key: str) -> bool:
    if key not in _KEPT and key not in _IGNORED:
        raise DocValidation(f"Bad special document member: {key}")
    return key in _KEPT


def is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _attachments(doc: Mapping[str, Any]) -> list[IncomingAttachment]:
    member = doc["_attachments"]
    if not isinstance(member, Mapping):
        raise DocValidation("Bad special document member: _attachments")
    return [_attachment(name, stub) for name, stub in member.items()]


def check_attachment_name(name: object) -> str:
    if not isinstance(name, str) or not name or not is_encodable(name) or len(name) > ID_BYTES_MAX:
        raise BadRequest("Attachment name is not valid UTF-8 of a usable length")
    if name.startswith("_"):
        raise BadRequest(f"Attachment name '{name}' starts with prohibited character '_'")
    return name


def _attachment(name: str, stub: object) -> IncomingAttachment:
    check_attachment_name(name)
    if not isinstance(stub, Mapping):
        raise DocValidation(f"Attachment `{name}` isn't an object.")
    content_type = stub.get("content_type", DEFAULT_CONTENT_TYPE)
    digest, revpos = stub.get("digest"), stub.get("revpos")
    if not isinstance(content_type, str) or not content_type.isprintable():
        raise BadRequest(f"Invalid content type of attachment {name}")
    if (digest is not None and not isinstance(digest, str)) or not isinstance(revpos, int | None):
        raise BadRequest(f"Invalid attachment stub for {name}")
    if stub.get("follows"):
        raise BadRequest(f"Attachment {name} is announced to follow, but this is no multipart request")
    data = None if stub.get("stub") is True else _decoded(name, stub)
    mismatch = None if data is None else _mismatch(name, data, content_type, stub)
    return IncomingAttachment(name, content_type, data, digest, revpos, mismatch)


def _decoded(name: str, stub: Mapping[str, Any]) -> bytes:
    try:
        return base64.b64decode("".join(stub["data"].split()), validate=True)
    except (KeyError, TypeError, AttributeError, ValueError):
        raise BadRequest(f"Invalid attachment data for {name}") from None


def _mismatch(name: str, data: bytes, content_type: str, stub: Mapping[str, Any]) -> str | None:
    digest, length = stub.get("digest"), stub.get("length")
    if digest is not None and not is_digest_of(data, digest, content_type):
        return f"Attachment {name} is not what its digest says. Possible message corruption."
    if length is not None and length != len(data) and "encoding" not in stub:
        return f"Attachment {name} has {len(data)} bytes, but {length} are declared."
    return None


def digest_of(data: bytes) -> str:
    return "md5-" + base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()


def is_digest_of(data: bytes, digest: str, content_type: str) -> bool:
    if not digest.startswith("md5-") or digest == digest_of(data):
        return True  # digests of another kind cannot be checked
    # CouchDB keeps texts compressed and tells the digest of what it keeps; a client that carries a text from
    # there to here hands that digest on, together with the plain text.
    return content_type.startswith(_COMPRESSED_BY_COUCHDB) and digest == digest_of(_as_couchdb_keeps_it(data))


def _as_couchdb_keeps_it(data: bytes) -> bytes:
    gzip = zlib.compressobj(level=8, wbits=16 + zlib.MAX_WBITS)
    return gzip.compress(data) + gzip.flush()


def new_rev(parent: str | None, deleted: bool, body: bytes, digests: list[tuple[str, str, str]]) -> str:
    """The revision that an edit of `parent` gets; the same edit gets the same one everywhere."""
    start = int(parent.partition("-")[0]) if parent else 0
    content = orjson.dumps([parent, deleted, sorted(digests)]) + body
    return f"{start + 1}-{hashlib.md5(content, usedforsecurity=False).hexdigest()}"
