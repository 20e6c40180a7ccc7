"""What replication is made of: _revs_diff, _bulk_docs, _bulk_get."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby, takewhile
from typing import Any

import orjson
from flask import Response

from sync.endpoint import answers, attached, local_calls
from sync.endpoint.attached import Framed, Telling
from sync.endpoint.call import Call
from sync.incoming import check_rev
from sync.rendering import WritesJson, writing_json
from sync.store import BadRequest, Database, StoreError

BULK_GET_AT_ONCE = 100
BULK_GET_DECODED_AT_ONCE = 10
NOT_ASKED_IN_BULK = ("rev", "open_revs", "atts_since", "new_edits", "w")
BULK_GET_AT_ONCE_WITH_ATTACHMENTS = 1


def revs_diff(call: Call) -> Response:
    return answers.json(call.database.revs_diff(_asked_revs(call)))


def missing_revs(call: Call) -> Response:
    told = call.database.revs_diff(_asked_revs(call))
    return answers.json({"missing_revs": {doc_id: found["missing"] for doc_id, found in told.items()}})


def _asked_revs(call: Call) -> dict[str, list[str]]:
    asked = call.json_object()
    call.bounded(asked)
    for revs in asked.values():
        if not isinstance(revs, list):
            raise BadRequest("Invalid list of revisions")
        call.bounded(revs)
    return asked


def bulk_docs(call: Call) -> Response:
    """Grafts are all kept or, if one cannot be kept at all, all refused: a client never counts a dropped one
    as sent.
    """
    asked = call.json_object()
    docs, new_edits = asked.get("docs"), asked.get("new_edits", True)
    if not isinstance(docs, list):
        raise BadRequest("POST body must include `docs` parameter.")
    if not isinstance(new_edits, bool):
        raise BadRequest("`new_edits` must be true or false.")
    call.bounded(docs)
    if new_edits:
        for doc in docs:
            if isinstance(doc, dict):
                doc.setdefault("_id", uuid.uuid4().hex)
    replicated = [doc for doc in docs if not local_calls.is_local(doc)]
    written = iter(call.database.bulk_docs(replicated, new_edits=new_edits, writer=call.writer))
    rows = [_local_row(call, doc) if local_calls.is_local(doc) else next(written) for doc in docs]
    return answers.json(rows if new_edits else [row for row in rows if "error" in row], 201)


def _local_row(call: Call, doc: dict[str, Any]) -> dict[str, Any]:
    try:
        rev = local_calls.write(call, doc["_id"].removeprefix("_local/"), doc)
    except StoreError as error:
        return {"id": doc["_id"], "error": error.error, "reason": error.reason}
    return {"ok": True, "id": doc["_id"], "rev": rev}


def bulk_get(call: Call) -> Response:
    for name in NOT_ASKED_IN_BULK:
        if name in call.query:
            raise BadRequest(f'"{name}" query parameter is not acceptable')
    wanted = call.json_object().get("docs")
    if not isinstance(wanted, list):
        raise BadRequest("Missing JSON list of 'docs'.")
    call.bounded(wanted)
    options = {name: call.query.says(name) for name in ("revs", "latest", "attachments")}
    if mimetype := _multipart_type(call):
        return attached.mixed(_bulk_get_parts(call.database, wanted, options), mimetype, named=True)
    pages = _bulk_get_pages(call.database, wanted, options)
    return answers.whole_or_streamed(answers.array(b'{"results":[', pages, lambda: b"]}\n"))


def _bulk_get_pages(database: Database, wanted: list[Any], options: dict[str, bool]) -> Iterator[list[bytes]]:
    for is_since, some in groupby(wanted, _is_since):
        if is_since:
            for result, telling in _results_since(database, list(some), options):
                docs = [{"ok": telling.inline(row["ok"])} if "ok" in row else row for row in result["docs"]]
                yield [orjson.dumps(result | {"docs": docs})]
        else:
            yield from _pages_of_store(writing_json(database), list(some), options)


def _pages_of_store(
    database: WritesJson, wanted: list[Any], options: dict[str, bool]
) -> Iterator[list[bytes]]:
    step, done = _at_once(options), 0
    while some := wanted[done : done + step]:
        asked = [one for one in some if _is_askable(one)]
        answered = iter(database.bulk_get_json(asked, **options))
        told = (next(answered, b"") if _is_askable(one) else orjson.dumps(_not_askable(one)) for one in some)
        page = list(takewhile(bool, told))
        yield page
        done += len(page)


def _results_since(
    database: Database, wanted: list[Any], options: dict[str, bool]
) -> Iterator[tuple[dict[str, Any], Telling]]:
    """Results with attachments as stubs, each with how these are to be told."""
    telling = Telling(database, keep_revisions=options["revs"])
    found = _bulk_get_results(database, wanted, telling.options(options))
    for one, result in zip(wanted, found, strict=True):
        yield result, replace(telling, since=_since_of(one))


def _bulk_get_results(
    database: Database, wanted: list[Any], options: dict[str, bool]
) -> Iterator[dict[str, Any]]:
    step = min(_at_once(options), BULK_GET_DECODED_AT_ONCE)
    for start in range(0, len(wanted), step):
        some = wanted[start : start + step]
        answered = iter(database.bulk_get([one for one in some if _is_askable(one)], **options))
        for one in some:
            yield next(answered) if _is_askable(one) else _not_askable(one)


def _at_once(options: dict[str, bool]) -> int:
    return BULK_GET_AT_ONCE_WITH_ATTACHMENTS if options["attachments"] else BULK_GET_AT_ONCE


def _multipart_type(call: Call) -> str | None:
    if call.accepts("application/json"):
        return None
    types = ("multipart/mixed", "multipart/related")
    return next((mimetype for mimetype in types if call.accepts(mimetype)), None)


def _bulk_get_parts(
    database: Database, wanted: list[Any], options: dict[str, bool]
) -> Iterator[Framed | dict[str, Any]]:
    for result, telling in _results_since(database, wanted, options):
        for row in result["docs"]:
            yield telling.framed(row["ok"]) if "ok" in row else row["error"]


def _is_since(one: object) -> bool:
    """Asked to tell the attachments that are younger than some revisions; without these, none is."""
    return isinstance(one, dict) and bool(one.get("atts_since")) and _is_askable(one)


def _is_askable(one: object) -> bool:
    return _complaint(one) is None


def _since_of(one: Any) -> tuple[str, ...]:
    return tuple(map(check_rev, one.get("atts_since", ()))) if _is_askable(one) else ()


def _complaint(one: object) -> tuple[object, str] | None:
    """What is wrong with an item of `docs`: the revision and CouchDB's reason to tell."""
    if not isinstance(one, dict):
        return None, "document must be a JSON object"
    doc_id, since = one.get("id"), one.get("atts_since", [])
    if not isinstance(doc_id, str):
        return None, "document id missed" if doc_id is None else "Document id must be a string"
    if not isinstance(since, list):
        return since, "att_since value must be array of revs."
    for one_rev in [one["rev"], *since] if "rev" in one else since:
        try:
            check_rev(one_rev)
        except BadRequest as problem:
            return one_rev, problem.reason
    return None


def _not_askable(one: object) -> dict[str, Any]:
    doc_id = one.get("id") if isinstance(one, dict) else None
    rev, reason = _complaint(one) or (None, "")
    error = {"id": doc_id, "rev": rev, "error": "bad_request", "reason": reason}
    return {"id": doc_id, "docs": [{"error": error}]}
