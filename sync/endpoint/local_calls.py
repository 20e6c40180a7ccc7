"""Local documents: replication checkpoints. Each writer has its own; an admin sees them as they are."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from flask import Response

from sync.access import Access
from sync.endpoint import answers
from sync.endpoint.call import Call
from sync.incoming import body_bytes, is_encodable
from sync.store import BadRequest, Doc, DocValidation, IllegalDocid, NotFound

DELETED = "0-0"
ANY_REV = re.compile(r"\d+-.*", re.ASCII | re.DOTALL)


def is_local(doc: object) -> bool:
    return isinstance(doc, dict) and str(doc.get("_id")).startswith("_local/")


def kept_id(call: Call, local_id: str) -> str:
    """The id in the store of what the client calls `_local/<local_id>`."""
    return local_id if call.access & Access.ADMIN else f"{call.writer}/{local_id}"


def write(call: Call, local_id: str, doc: dict[str, Any]) -> str:
    """Put or, with `_deleted`, delete what may be missing; returns the revision."""
    is_deleted = doc.get("_deleted", False)
    if not isinstance(is_deleted, bool):
        raise DocValidation("Bad special document member: _deleted")
    if not is_deleted:
        return call.database.put_local(doc, kept_id(call, local_id))
    try:
        call.database.delete_local(kept_id(call, local_id))
    except NotFound:
        call.database.seq()  # raises it again if it is the database that is not there
    return DELETED


def get(call: Call) -> Response:
    local_id = _asked_id(call)
    doc = call.database.get_local(kept_id(call, local_id)) | {"_id": f"_local/{local_id}"}
    if _asked_rev(call) is not None:
        raise NotFound("missing")  # as CouchDB finds no revision of a local document, not even its own
    return answers.tagged(doc, _tag(doc, doc["_rev"]), call.request)


def put(call: Call) -> Response:
    local_id, doc = _asked_id(call), call.json_object()
    doc_id = f"_local/{local_id}"
    if not isinstance(doc.get("_id", doc_id), str):
        raise IllegalDocid("Document id must be a string")
    if (asked_rev := _asked_rev(call)) and doc.setdefault("_rev", asked_rev) != asked_rev:
        raise BadRequest("Document rev from request body and query string have different values")
    rev = write(call, local_id, doc)
    if call.wants_batch:
        return answers.taken(doc_id)
    status = 200 if rev == DELETED else 201
    tag = answers.tag_of(_tag(doc, rev))
    return answers.written(doc_id, rev, status, ETag=tag, Location=call.address(doc_id))


def delete(call: Call) -> Response:
    local_id = _asked_id(call)
    _asked_rev(call)
    call.database.delete_local(kept_id(call, local_id))
    return answers.written(f"_local/{local_id}", DELETED, 200)


def _asked_rev(call: Call) -> str | None:
    rev = call.query.text("rev")
    if rev is not None and not ANY_REV.fullmatch(rev):
        raise BadRequest("Invalid rev format")
    return rev


def _tag(doc: Doc, rev: str) -> str:
    """A document that is deleted and made anew has the same revision again: its content counts, too."""
    return hashlib.md5(rev.encode() + body_bytes(doc, ""), usedforsecurity=False).hexdigest()


def _asked_id(call: Call) -> str:
    if len(call.names) > 1:
        raise BadRequest("_local documents do not accept attachments.")
    if not call.names[0] or not is_encodable(call.names[0]):
        raise BadRequest("Invalid _local document id.")
    return call.names[0]
