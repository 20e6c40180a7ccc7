"""Calls to one document."""

from __future__ import annotations

from typing import Any

from flask import Response

from sync.endpoint import answers, attached
from sync.endpoint.attached import Telling
from sync.endpoint.call import Call
from sync.endpoint.errors import NotImplementedHere
from sync.incoming import check_id, check_rev
from sync.store import BadRequest, Doc, IllegalDocid, NotFound

META = ("conflicts", "deleted_conflicts", "revs_info")
OPTIONS = ("revs", "latest", "attachments", *META)


def get(call: Call) -> Response:
    doc_id = findable(call.names[0])
    options = {name: call.query.says(name) for name in OPTIONS}
    if call.query.says("local_seq") and "open_revs" not in call.query:
        options["local_seq"] = True
    if call.query.says("meta"):
        options |= dict.fromkeys(META, True)
    wanted, rev = _open_revs(call), asked_rev(call)
    if wanted or (rev is not None and not options["latest"]):
        options |= dict.fromkeys(META, False)  # are told of the winner alone
    if wanted:
        return _open_revs_answer(call, doc_id, wanted, options)
    return _winner_or_rev_answer(call, doc_id, rev, options)


def asked_rev(call: Call) -> str | None:
    """A revision that can be none is told also where the document is missing."""
    rev = call.query.text("rev")
    return None if rev is None else check_rev(rev)


def findable(doc_id: str) -> str:
    """An id that no document can have is not there, as far as a reader is concerned."""
    try:
        return check_id(doc_id)
    except IllegalDocid:
        raise NotFound("missing") from None


def _winner_or_rev_answer(call: Call, doc_id: str, rev: str | None, options: dict[str, bool]) -> Response:
    telling = _telling(call, options, "multipart/related")
    if telling is None:
        doc = call.database.get(doc_id, rev=rev, **options)
        return _tagged(call, answers.json(doc), doc)
    doc = call.database.get(doc_id, rev=rev, **telling.options(options))
    framed = telling.framed(doc)
    if framed.heads and call.accepts("multipart/related"):
        return _tagged(call, attached.related(framed), doc)
    return _tagged(call, answers.json(telling.inline(doc)), doc)


def _tagged(call: Call, answer: Response, doc: Doc) -> Response:
    """With an ETag, unless more is told than the revision alone decides."""
    if not any(f"_{member}" in doc for member in (*META, "local_seq")):
        answer.set_etag(doc["_rev"])
        return answers.unless_known(answer, call.request)
    return answer


def _telling(call: Call, options: dict[str, bool], mimetype: str) -> Telling | None:
    """How attachments are told; None leaves it to the store, which knows them inline and as stubs."""
    since = attached.asked_since(call)
    if since is None and not (options["attachments"] and call.accepts(mimetype)):
        return None
    return Telling(call.database, since or (), keep_revisions=options["revs"])


def _open_revs(call: Call) -> tuple[str, ...] | str | None:
    text = call.query.text("open_revs")
    if text is None or text == "all":
        return text
    return attached.revs_of(call, call.query.json("open_revs"))


def _open_revs_answer(
    call: Call, doc_id: str, wanted: tuple[str, ...] | str, options: dict[str, bool]
) -> Response:
    telling = _telling(call, options, "multipart/mixed")
    as_parts = call.accepts("multipart/mixed")
    if as_parts and telling is None:  # a part has its attachments, asked for or not, as in CouchDB
        telling = Telling(call.database, keep_revisions=options["revs"])
    found = call.database.open_revs(
        doc_id,
        None if isinstance(wanted, str) else wanted,
        **(telling.options(options) if telling else options),
    )
    if wanted == "all" and not found:
        raise NotFound("missing")
    if telling is None:
        return answers.json(found)
    if as_parts:
        return attached.mixed(telling.framed(row["ok"]) if "ok" in row else row for row in found)
    return answers.json([{"ok": telling.inline(row["ok"])} if "ok" in row else row for row in found])


def put(call: Call) -> Response:
    doc_id = check_id(call.names[0])
    is_multipart = call.request.mimetype == "multipart/related"
    doc = call.related() if is_multipart else call.json()
    if not isinstance(doc, dict):
        raise BadRequest("Document must be a JSON object")
    check_id(doc.get("_id", doc_id))
    doc["_id"] = doc_id
    rev = _written_rev(call, doc)
    if call.wants_batch and not is_multipart:
        return answers.taken(doc_id)
    status = 200 if doc.get("_deleted") is True else 201
    return answers.written(doc_id, rev, status, ETag=answers.tag_of(rev), Location=call.address(doc_id))


def _written_rev(call: Call, doc: Doc) -> str:
    if call.query.text("new_edits") != "false":
        if rev := named_rev(call, doc.get("_rev")):
            doc["_rev"] = rev
        return call.database.put(doc, writer=call.writer)
    if "_revisions" not in doc and (rev := named_rev(call, doc.get("_rev"))):
        doc["_rev"] = rev
    call.database.bulk_docs([doc], new_edits=False, writer=call.writer)
    return _told_rev(doc)


def delete(call: Call) -> Response:
    doc_id = findable(call.names[0])
    call.database.get(doc_id)  # 404 for what is missing or deleted already
    doc: dict[str, Any] = {"_id": doc_id, "_deleted": True}
    if rev := named_rev(call):
        doc["_rev"] = rev
    rev = call.database.put(doc, writer=call.writer)
    return answers.written(doc_id, rev, 200, ETag=answers.tag_of(rev))


def named_rev(call: Call, in_body: object = None) -> str | None:
    """The revision that the client builds on: in the body, the query or If-Match, which must agree."""
    if_match = call.request.headers.get("If-Match")
    told = [in_body, call.query.text("rev"), if_match.strip('" ') if if_match else None]
    found = {check_rev(rev) for rev in told if rev is not None}
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
