"""Calls to the server as a whole."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response

from sync.access import Access
from sync.endpoint import answers
from sync.endpoint.all_docs_calls import asked_rows
from sync.endpoint.call import Call
from sync.store import BadRequest, IllegalDatabaseName, NotFound, Store

SPOKEN_VERSION = "3.5.0"  # of CouchDB: what a client may expect of the API
UUIDS_MAX = 1000
INFOS_MAX = 100


def welcome(store: Store) -> Response:
    return answers.json(
        {
            "couchdb": "Welcome",
            "version": SPOKEN_VERSION,
            "uuid": store.uuid,
            "features": [],
            "vendor": {"name": "Gridbook"},
        }
    )


def up(call: Call) -> Response:
    return answers.json({"status": "ok", "seeds": {}})


def session(call: Call) -> Response:
    """Who asks. There are no cookie sessions: a client that tries to begin one is told so by the 404 on which
    CouchDB's replicator goes on with Basic credentials.
    """
    if call.request.method not in ("GET", "HEAD"):
        raise NotFound("There are no cookie sessions here; send the credentials with each request.")
    roles = ["_admin"] if call.access & Access.ADMIN else []
    info = {"authentication_handlers": ["default"], "authenticated": "default"}
    return answers.json({"ok": True, "userCtx": {"name": call.writer, "roles": roles}, "info": info})


def all_dbs(call: Call) -> Response:
    return answers.json(_asked_names(call))


def _asked_names(call: Call) -> list[str]:
    """As `_all_docs` picks ids."""
    asked = asked_rows(call, call.query)
    low, high = (asked.endkey, asked.startkey) if asked.descending else (asked.startkey, asked.endkey)
    end = None if asked.inclusive_end else asked.endkey
    names = sorted(call.store.names(), reverse=asked.descending)
    found = [
        name
        for name in names
        if (low is None or low <= name) and (high is None or name <= high) and name != end
    ]
    return found[asked.skip :][: asked.limit]


def all_infos(call: Call) -> Response:
    return answers.json([_info(call, name) for name in _asked_names(call)])


def infos(call: Call) -> Response:
    names = call.json_object().get("keys")
    if not isinstance(names, list):
        complaint = "must exist" if names is None else "must be an array"
        raise BadRequest(f"`keys` member {complaint}.")
    if len(names) > INFOS_MAX:
        raise BadRequest("too_many_keys")
    return answers.json([_info(call, name) for name in names])


def _info(call: Call, name: object) -> dict[str, Any]:
    try:
        return {"key": name, "info": call.store.open(str(name)).info()}
    except (NotFound, IllegalDatabaseName):
        return {"key": name, "error": "not_found"}


def active_tasks(call: Call) -> Response:
    return answers.json([])  # compaction is done when it answers, and nothing else takes long


def uuids(call: Call) -> Response:
    count = call.query.integer("count")
    if count is not None and count > UUIDS_MAX:
        raise BadRequest(f"count parameter too large: {UUIDS_MAX} at most")
    made = [uuid.uuid4().hex for _ in range(1 if count is None else count)]
    return answers.json({"uuids": made}, headers={"Cache-Control": "no-cache"})
