"""_all_docs."""

from __future__ import annotations

from typing import Any

from flask import Response

from sync.endpoint import answers, sequences
from sync.endpoint.call import Call
from sync.endpoint.errors import QueryParseError
from sync.endpoint.query import Query
from sync.store import BadRequest


def get(call: Call) -> Response:
    return _answer(call, call.query)


def post(call: Call) -> Response:
    body = call.json_object()
    if "queries" in body:
        raise BadRequest("Ask one query a request; `queries` is not known here.")
    return _answer(call, Query(call.request.args, body))


def _answer(call: Call, query: Query) -> Response:
    told = call.database.all_docs(
        **_range(call, query),
        descending=query.flag("descending"),
        include_docs=query.flag("include_docs"),
        conflicts=query.flag("conflicts"),
        attachments=query.flag("attachments"),
        skip=query.integer("skip", QueryParseError) or 0,
        limit=query.integer("limit", QueryParseError),
    )
    if query.flag("update_seq"):
        told["update_seq"] = sequences.written(call.database, call.database.seq())
    return answers.json(told)


def _range(call: Call, query: Query) -> dict[str, Any]:
    if "keys" in query:
        if call.request.method == "POST" and "key" in query:
            raise QueryParseError("`keys` is incompatible with `key`, `start_key` and `end_key`")
        return {"keys": _strings(call, query.json("keys"))}
    key = _id(query.json("key"))
    if key is not None:
        return {"startkey": key, "endkey": key}
    return {
        "startkey": _id(query.json("startkey", "start_key")),
        "endkey": _id(query.json("endkey", "end_key")),
        "inclusive_end": query.flag("inclusive_end", default=True),
    }


def _strings(call: Call, keys: object) -> list[str]:
    if not isinstance(keys, list):
        raise BadRequest("`keys` member must be an array.")
    call.bounded(keys)
    if not all(isinstance(key, str) for key in keys):
        raise BadRequest("`keys` must be document ids, which are strings.")
    return keys


def _id(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise QueryParseError("A key of _all_docs is a document id, which is a string.")
    return value
