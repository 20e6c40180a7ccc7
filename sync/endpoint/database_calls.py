"""Calls to a database as a whole."""

from __future__ import annotations

import uuid

from flask import Response

from sync.access import Access
from sync.endpoint import answers, local_calls
from sync.endpoint.call import Call
from sync.endpoint.errors import NotImplementedHere
from sync.store import BEGINNING, BadRequest


def info(call: Call) -> Response:
    told = call.database.info()
    if not call.access & (Access.READ | Access.ADMIN):
        # Who only pushes learns that the database is there, and nothing about what the others have put into
        # it.
        told |= {"doc_count": 0, "doc_del_count": 0, "update_seq": BEGINNING}
    return answers.json(told)


def create(call: Call) -> Response:
    for name in ("n", "q"):  # shards: there are none, but nonsense is told
        if call.query.text(name) is not None and not call.query.integer(name):
            raise BadRequest(f"The `{name}` value should be a positive integer.")
    call.store.create(call.database_name)
    return answers.json({"ok": True}, 201, {"Location": call.address()})


def delete(call: Call) -> Response:
    """Refused with a revision: who sends one meant a document and left its id empty."""
    if "rev" in call.query:
        raise BadRequest(
            "You tried to DELETE a database with a ?=rev parameter. "
            "Did you mean to DELETE a document instead?"
        )
    call.store.delete(call.database_name)
    return answers.json({"ok": True})


def add_document(call: Call) -> Response:
    doc = call.json_object()
    doc.setdefault("_id", uuid.uuid4().hex)
    if local_calls.is_local(doc):
        rev = local_calls.write(call, doc["_id"].removeprefix("_local/"), doc)
    else:
        rev = call.database.put(doc, writer=call.writer)
    if call.wants_batch:
        return answers.taken(doc["_id"])
    return answers.written(doc["_id"], rev, Location=call.address(doc["_id"]))


def compact(call: Call) -> Response:
    if call.names:
        call.database.get(f"_design/{call.names[0]}")  # whose views would be compacted, if there were any
    else:
        call.database.compact()
    return answers.json({"ok": True}, 202)


def view_cleanup(call: Call) -> Response:
    call.database.seq()
    return answers.json({"ok": True}, 202)


def ensure_full_commit(call: Call) -> Response:
    """Nothing to do: what was acknowledged is on disk."""
    began = call.database.info()["instance_start_time"]
    return answers.json({"ok": True, "instance_start_time": began}, 201)


def revs_limit(call: Call) -> Response:
    return answers.json(call.database.revs_limit())


def set_revs_limit(call: Call) -> Response:
    limit = call.json()
    if not isinstance(limit, int) or isinstance(limit, bool) or limit >= 2**31:
        raise BadRequest("`revs_limit` must be a positive integer")
    call.database.set_revs_limit(limit)
    return answers.json({"ok": True})


def security(call: Call) -> Response:
    """Who may do what is decided outside of the databases; this is how CouchDB says: admins only."""
    call.database.seq()
    return answers.json({"admins": {"roles": ["_admin"]}, "members": {"roles": ["_admin"]}})


def mango(call: Call) -> Response:
    raise NotImplementedHere("This server has no _find and no indexes. Read _all_docs or _changes instead.")


def temp_view(call: Call) -> Response:
    raise NotImplementedHere("This server runs no views. Read _all_docs or _changes instead.")
