"""_all_docs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import chain
from typing import Any

import orjson
from flask import Response

from sync.endpoint import answers
from sync.endpoint.call import Call
from sync.endpoint.errors import QueryParseError
from sync.endpoint.query import Query
from sync.rendering import AllDocsJson, writing_json
from sync.store import BadRequest


def get(call: Call) -> Response:
    return _answer(call, call.query)


def post(call: Call) -> Response:
    body = call.json_object()
    if "queries" in body:
        raise BadRequest("Ask one query a request; `queries` is not known here.")
    return _answer(call, Query(call.request.args, body))


def _answer(call: Call, query: Query) -> Response:
    return _of_keys(call, query) if "keys" in query else _page_by_page(call, query)


def _of_keys(call: Call, query: Query) -> Response:
    if call.request.method == "POST" and "key" in query:
        raise QueryParseError("`keys` is incompatible with `key`, `start_key` and `end_key`")
    keys = _strings(call, query.json("keys"))
    if query.flag("descending"):
        keys = keys[::-1]
    skip, limit = query.integer("skip", QueryParseError), query.integer("limit", QueryParseError)
    pages = _pages_of_keys(call, keys[skip or 0 :][:limit], _told_of_documents(query))
    return _streamed(pages, _update_seq(call, query))


def _page_by_page(call: Call, query: Query) -> Response:
    """Each page is read by itself: memory stays flat, and a write in between may or may not be seen."""
    options = _range(query) | _told_of_documents(query)
    skip, limit = query.integer("skip", QueryParseError), query.integer("limit", QueryParseError)
    return _streamed(_pages(call, options, skip or 0, limit), _update_seq(call, query))


def _streamed(pages: Iterator[AllDocsJson], more: dict[str, str]) -> Response:
    first = next(pages)
    head = {"total_rows": first.total_rows, "offset": first.offset} | more
    return answers.whole_or_streamed(
        answers.array(
            orjson.dumps(head)[:-1] + b',"rows":[\n',
            (page.rows for page in chain([first], pages)),
            lambda: b"\n]}\n",
        )
    )


def _pages(call: Call, options: dict[str, Any], skip: int, limit: int | None) -> Iterator[AllDocsJson]:
    database = writing_json(call.database)
    rows_max = _rows_at_once(call, options)
    left = sys.maxsize if limit is None else limit
    after: str | None = None
    while True:
        asked = min(left, rows_max)
        page = database.all_docs_json(**options, after=after, skip=skip, limit=asked)
        yield page
        left, after, skip = left - len(page.rows), page.last_id, 0
        if not page.more or left == 0:
            return


def _pages_of_keys(call: Call, keys: list[str], options: dict[str, Any]) -> Iterator[AllDocsJson]:
    database, rows_max, done = writing_json(call.database), _rows_at_once(call, options), 0
    while True:
        page = database.keys_json(keys[done : done + rows_max], **options)
        yield page
        done += len(page.rows)
        if done >= len(keys):
            return


def _rows_at_once(call: Call, options: dict[str, Any]) -> int:
    return 1 if options["attachments"] and options["include_docs"] else call.limits.page_rows


def _told_of_documents(query: Query) -> dict[str, Any]:
    return {name: query.flag(name) for name in ("include_docs", "conflicts", "attachments")}


def _update_seq(call: Call, query: Query) -> dict[str, str]:
    return {"update_seq": call.database.seq()} if query.flag("update_seq") else {}


def _range(query: Query) -> dict[str, Any]:
    key = _id(query.json("key"))
    if key is not None:
        return {"startkey": key, "endkey": key, "inclusive_end": True, "descending": False}
    return {
        "startkey": _id(query.json("startkey", "start_key")),
        "endkey": _id(query.json("endkey", "end_key")),
        "inclusive_end": query.flag("inclusive_end", default=True),
        "descending": query.flag("descending"),
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
