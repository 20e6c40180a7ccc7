"""Local documents: replication checkpoints. Each writer has its own; an admin sees them as they are."""

from __future__ import annotations

from flask import Response

from sync.access import Access
from sync.endpoint import answers
from sync.endpoint.call import Call
from sync.store import BadRequest


def _kept_id(call: Call) -> str:
    if len(call.names) > 1:
        raise BadRequest("_local documents do not accept attachments.")
    if call.access & Access.ADMIN:
        return call.names[0]
    return f"{call.writer}/{call.names[0]}"


def get(call: Call) -> Response:
    doc = call.database.get_local(_kept_id(call))
    return answers.json(doc | {"_id": f"_local/{call.names[0]}"})


def put(call: Call) -> Response:
    kept_id, doc = _kept_id(call), call.json_object()
    told_id = f"_local/{call.names[0]}"
    if doc.get("_deleted") is True:
        call.database.delete_local(kept_id)
        return answers.written(told_id, "0-0")
    return answers.written(told_id, call.database.put_local(doc, kept_id))


def delete(call: Call) -> Response:
    call.database.delete_local(_kept_id(call))
    return answers.written(f"_local/{call.names[0]}", "0-0", 200)
