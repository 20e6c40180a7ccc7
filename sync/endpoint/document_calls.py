"""Calls to one document."""

from __future__ import annotations

from typing import Any

from flask import Response

from sync.endpoint import answers
from sync.endpoint.call import Call
from sync.endpoint.errors import BadContentType, NotImplementedHere
from sync.incoming import check_id, check_rev
from sync.store import BadRequest, NotFound

OPTIONS = ("revs", "latest", "attachments", "conflicts", "deleted_conflicts", "revs_info")


def get(call: Call) -> Response:
    doc_id = check_id(call.names[0])
    options = {name: call.query.flag(name) for name in OPTIONS}
    if call.query.flag("meta"):
        options |= {"conflicts": True, "deleted_conflicts": True, "revs_info": True}
    if wanted := _open_revs(call):
        return _open_revs_answer(call, doc_id, wanted, options)
    doc = call.database.get(doc_id, rev=call.query.text("rev"), **options)
    if any(options.values()):
        return answers.json(doc)
    return answers.tagged(doc, doc["_rev"], call.request)


def _open_revs(call: Call) -> list[str] | str | None:
    text = call.query.text("open_revs")
    if text is None or text == "all":
        return text
    wanted = call.query.json("open_revs")
    if not isinstance(wanted, list):
        raise BadRequest("Invalid list of revisions")
    call.bounded(wanted)
    return [check_rev(rev) for rev in wanted]


def _open_revs_answer(call: Call, doc_id: str, wanted: list[str] | str, options: dict[str, bool]) -> Response:
    revs = None if isinstance(wanted, str) else wanted
    found = call.database.open_revs(doc_id, revs, **options)
    if revs is None and not found:
        raise NotFound("missing")
    return answers.json(found)


def put(call: Call) -> Response:
    if call.request.mimetype == "multipart/related":
        raise BadContentType("Attachments are taken inline, as base64, or one by one; not as multipart.")
    doc_id = check_id(call.names[0])
    doc = call.json()
    if not isinstance(doc, dict):
        raise BadRequest("Document must be a JSON object")
    doc["_id"] = doc_id
    if not call.query.flag("new_edits", default=True):
        call.database.bulk_docs([doc], new_edits=False, writer=call.writer)
        return answers.written(doc_id, _told_rev(doc))
    if rev := named_rev(call, doc.get("_rev")):
        doc["_rev"] = rev
    return answers.written(doc_id, call.database.put(doc, writer=call.writer))


def delete(call: Call) -> Response:
    doc_id = check_id(call.names[0])
    call.database.get(doc_id)  # 404 for what is missing or deleted already
    doc: dict[str, Any] = {"_id": doc_id, "_deleted": True}
    if rev := named_rev(call):
        doc["_rev"] = rev
    return answers.written(doc_id, call.database.put(doc, writer=call.writer), 200)


def named_rev(call: Call, in_body: object = None) -> str | None:
    """The revision that the client builds on: in the body, the query or If-Match, which must agree."""
    if_match = call.request.headers.get("If-Match")
    told = [in_body, call.query.text("rev"), if_match.strip('" ') if if_match else None]
    found = {check_rev(rev) for rev in told if rev not in (None, "")}
    if len(found) > 1:
        raise BadRequest("Document rev from request body and query string have different values")
    return found.pop() if found else None


def _told_rev(doc: dict[str, Any]) -> str:
    revisions = doc.get("_revisions")
    return f"{revisions['start']}-{revisions['ids'][0]}" if revisions else str(doc["_rev"])


def functions(call: Call) -> Response:
    """Views, lists, shows, updates, rewrites of a design document: kept and replicated, never run."""
    call.database.get(call.names[0])
    raise NotImplementedHere("This server keeps the functions of design documents and runs none of them.")
