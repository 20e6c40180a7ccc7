"""Calls to the server as a whole."""

from __future__ import annotations

import uuid

from flask import Response

from sync.access import Access
from sync.endpoint import answers
from sync.endpoint.call import Call
from sync.store import BadRequest, NotFound, Store

SPOKEN_VERSION = "3.5.0"  # of CouchDB: what a client may expect of the API
UUIDS_MAX = 1000


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
    return answers.json({"status": "ok"})


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
    return answers.json(call.store.names())


def uuids(call: Call) -> Response:
    count = call.query.integer("count")
    if count is not None and count > UUIDS_MAX:
        raise BadRequest(f"count parameter too large: {UUIDS_MAX} at most")
    return answers.json({"uuids": [uuid.uuid4().hex for _ in range(1 if count is None else count)]})
