"""_all_docs, _design_docs and _local_docs; `queries` asks several questions in one request."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

import orjson
from flask import Response

from sync.endpoint import answers, id_pages
from sync.endpoint.call import Call
from sync.endpoint.errors import EntityTooLarge, QueryParseError
from sync.endpoint.id_pages import Asked, IdPages
from sync.endpoint.query import Query
from sync.rendering import AllDocsJson
from sync.store import BadRequest

QUERIES_MAX = 1_000
EITHER_OR = "`keys` is incompatible with `key`, `start_key` and `end_key`"

Chunks = Iterator[bytes]


def get(call: Call, pages: IdPages) -> Response:
    return answers.whole_or_streamed(_answer(call, pages, call.query, call.query.json("keys")))


def post(call: Call, pages: IdPages) -> Response:
    query = Query(call.request.args, call.json_object())
    keys = _strings(call, query.json("keys")) if "keys" in query else None
    if keys and _has_bounds(query):
        raise QueryParseError(EITHER_OR)
    return answers.whole_or_streamed(_answer(call, pages, query, keys))


def queries(call: Call, pages: IdPages) -> Response:
    """All are understood before the first is answered."""
    wanted = call.json_object().get("queries")
    if wanted is None:
        raise BadRequest("POST body must include `queries` parameter.")
    if not isinstance(wanted, list) or not all(isinstance(one, dict) for one in wanted):
        raise BadRequest("`queries` member must be an array.")
    if len(wanted) > QUERIES_MAX:
        raise EntityTooLarge(f"One request may ask {QUERIES_MAX} queries at most.")
    asked = (Query(call.request.args, one) for one in wanted)
    told = [_answer(call, pages, one, _keys_of(one)) for one in asked]
    return answers.whole_or_streamed(_one_after_another(told))


def _has_bounds(query: Query) -> bool:
    return any(name in query for name in ("key", "startkey", "start_key", "endkey", "end_key"))


def _keys_of(query: Query) -> object:
    """Of one query of several. CouchDB lets bounds go before a single key there."""
    keys = query.json("keys")
    if not keys or not isinstance(keys, list) or not _has_bounds(query):
        return keys
    if len(keys) > 1:
        raise QueryParseError(EITHER_OR)
    return None


def _one_after_another(told: list[Chunks]) -> Chunks:
    separator = b'{"results":[\n'
    for chunks in told:
        yield separator
        yield from chunks
        separator = b","
    yield b"]}\n" if told else separator + b"]}\n"


def _answer(call: Call, pages: IdPages, query: Query, keys: object) -> Chunks:
    """What is asked is judged here, and read when it is sent."""
    database, asked = call.database, asked_rows(call, query)
    if keys is not None:
        named = _strings(call, keys)[:: -1 if asked.descending else 1]
        found = pages.of_keys(database, named[asked.skip :][: asked.limit], asked)
    else:
        found = pages.of_range(database, asked)
    if not query.flag("update_seq"):
        return _chunks(found, {})
    has_seq = keys is None and pages is not id_pages.LOCAL_DOCS
    return _chunks(found, {"update_seq": database.seq() if has_seq else None})


def _chunks(pages: Iterator[AllDocsJson], more: dict[str, Any]) -> Chunks:
    first = next(pages)
    head = {"total_rows": first.total_rows, "offset": first.offset} | more
    yield from answers.array(
        orjson.dumps(head)[:-1] + b',"rows":[\n',
        (page.rows for page in chain([first], pages)),
        lambda: b"\n]}\n",
    )


def asked_rows(call: Call, query: Query) -> Asked:
    key = _id(query.json("key"))
    is_one = key is not None
    include_docs, attachments = query.flag("include_docs"), query.flag("attachments")
    return Asked(
        startkey=key if is_one else _bound(query, "start"),
        endkey=key if is_one else _bound(query, "end"),
        inclusive_end=is_one or query.flag("inclusive_end", default=True),
        descending=not is_one and query.flag("descending"),
        skip=query.integer("skip", QueryParseError) or 0,
        limit=query.integer("limit", QueryParseError),
        include_docs=include_docs,
        conflicts=query.flag("conflicts"),
        attachments=attachments,
        page_rows=1 if include_docs and attachments else call.limits.page_rows,
    )


def _bound(query: Query, side: str) -> str | None:
    """Without a key CouchDB takes the id that elsewhere decides between rows with the same key."""
    if f"{side}key" in query or f"{side}_key" in query:
        return _id(query.json(f"{side}key", f"{side}_key"))
    return query.text(f"{side}key_docid") or query.text(f"{side}_key_doc_id")


def _strings(call: Call, keys: object) -> list[str]:
    if not isinstance(keys, list):
        word = "body member" if call.request.method == "POST" else "parameter"
        raise BadRequest(f"`keys` {word} must be an array.")
    call.bounded(keys)
    if not all(isinstance(key, str) for key in keys):
        raise BadRequest("`keys` must be document ids, which are strings.")
    return keys


def _id(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise QueryParseError("A key of _all_docs is a document id, which is a string.")
    return value
