"""From CouchDB's answers to the store's errors.

A client must see what it can act on. That CouchDB is down, slow or refuses this server's own credential is
nothing that the client did: it is told 503, which PouchDB and every replicator meet by trying again. A 401
or 403 would end a phone's replication for good.
"""

from __future__ import annotations

import logging
from typing import Any

import orjson

from sync import store
from sync.store import StoreError

log = logging.getLogger(__name__)


class Unavailable(StoreError):
    """CouchDB does not answer, or has not stored on enough nodes. The call can be repeated."""

    status, error = 503, "service_unavailable"


_BY_ERROR: dict[str, type[StoreError]] = {
    "conflict": store.Conflict,
    "file_exists": store.FileExists,
    "missing_stub": store.MissingStub,
    "not_found": store.NotFound,
    "illegal_docid": store.IllegalDocid,
    "illegal_database_name": store.IllegalDatabaseName,
    "doc_validation": store.DocValidation,
    "content_md5_mismatch": store.ContentMismatch,
    "document_too_large": store.TooLarge,
    "too_large": store.TooLarge,
    "insufficient_storage": store.InsufficientStorage,
}
_BY_STATUS: dict[int, type[StoreError]] = {
    400: store.BadRequest,
    404: store.NotFound,
    409: store.Conflict,
    412: store.FileExists,
    413: store.TooLarge,
    507: store.InsufficientStorage,
}


def of_answer(status: int, content: bytes) -> StoreError:
    """What to raise for an answer that is no success, or no full one."""
    error, reason = _told(content)
    if status == 202:
        return Unavailable("Too few nodes of the document store are up. Send it again.")
    if status in (401, 403):
        log.error("CouchDB refuses this server's credential: %s: %s", error, reason)
        return Unavailable("The document store does not let this server in.")
    kind = _BY_ERROR.get(error) or _BY_STATUS.get(status)
    if kind is None:
        log.error("CouchDB answered %d: %s: %s", status, error, reason)
        return Unavailable(f"The document store failed: {error or status}. Try again later.")
    return kind(DATABASE_GONE if reason in _GONE else reason)


def of_row(row: dict[str, object]) -> StoreError:
    """What to raise for a row of a bulk answer that says `error`."""
    error, reason = str(row.get("error")), str(row.get("reason"))
    return _BY_ERROR.get(error, Unavailable)(reason)


def json_of(content: bytes) -> Any:
    """Raises Unavailable for what is no JSON: a proxy's page, an answer cut short."""
    try:
        return orjson.loads(content)
    except ValueError:
        raise Unavailable("The document store's answer is no JSON.") from None


# CouchDB says so too where a database is deleted under a request, and pouchdb-server in its own words.
DATABASE_GONE = "Database does not exist."
_GONE = {"no_db_file", "Database is deleted.", "Database not found", "No DB shards could be opened."}


def _told(content: bytes) -> tuple[str, str]:
    try:
        told = orjson.loads(content)
        return str(told["error"]), str(told.get("reason"))
    except (ValueError, KeyError, TypeError, AttributeError):
        return "", ""
