"""Local documents: replication checkpoints. Each writer has its own; an admin sees them as they are."""

from __future__ import annotations

from typing import Any

from flask import Response

from sync.access import Access
from sync.endpoint import answers
from sync.endpoint.call import Call
from sync.incoming import is_encodable
from sync.store import BadRequest


def is_local(doc: object) -> bool:
    return isinstance(doc, dict) and str(doc.get("_id")).startswith("_local/")


def kept_id(call: Call, local_id: str) -> str:
    """The id in the store of what the client calls `_local/<local_id>`."""
    return local_id if call.access & Access.ADMIN else f"{call.writer}/{local_id}"


def write(call: Call, local_id: str, doc: dict[str, Any]) -> str:
    """Put or, with `_deleted`, delete; returns the revision."""
    if doc.get("_deleted") is True:
        call.database.delete_local(kept_id(call, local_id))
        return "0-0"
    return call.database.put_local(doc, kept_id(call, local_id))


def get(call: Call) -> Response:
    local_id = _asked_id(call)
    doc = call.database.get_local(kept_id(call, local_id))
    return answers.json(doc | {"_id": f"_local/{local_id}"})


def put(call: Call) -> Response:
    local_id = _asked_id(call)
    rev = write(call, local_id, call.json_object())
    return answers.written(f"_local/{local_id}", rev, as_batch=call.wants_batch)


def delete(call: Call) -> Response:
    local_id = _asked_id(call)
    return answers.written(f"_local/{local_id}", write(call, local_id, {"_deleted": True}), 200)


def _asked_id(call: Call) -> str:
    if len(call.names) > 1:
        raise BadRequest("_local documents do not accept attachments.")
    if not call.names[0] or not is_encodable(call.names[0]):
        raise BadRequest("Invalid _local document id.")
    return call.names[0]
