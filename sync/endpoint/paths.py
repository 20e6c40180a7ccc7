"""From a request's path to what it names.

The path is taken as it came on the wire: an id may contain `/`, sent as %2F, which must not be decoded
before the path is cut into its parts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes, urlsplit

from flask import Request

from sync.store import BadRequest

NOT_ENCODED = re.compile("%(?![0-9A-Fa-f]{2})")
SERVER_CALLS = {"_active_tasks", "_all_dbs", "_dbs_info", "_session", "_uuids", "_up"}
DATABASE_CALLS = {
    "_all_docs",
    "_bulk_docs",
    "_bulk_get",
    "_changes",
    "_compact",
    "_design_docs",
    "_ensure_full_commit",
    "_explain",
    "_find",
    "_index",
    "_local_docs",
    "_missing_revs",
    "_revs_diff",
    "_revs_limit",
    "_security",
    "_temp_view",
    "_view_cleanup",
}
ID_CALLS = {"_all_docs", "_design_docs", "_local_docs"}
CALLS_WITH_MORE = {"_compact", "_index"}  # of a design document, of an index
DESIGN_CALLS = {"_view", "_list", "_show", "_update", "_rewrite", "_info", "_search"}


@dataclass(frozen=True, slots=True)
class Place:
    """`kind` is a row of the route table; `names` are the document id and the attachment's name."""

    kind: str
    database_name: str = ""
    names: tuple[str, ...] = ()


def place_of(request: Request, mounted_at: str) -> Place:
    """Raises BadRequest for a percent sign that encodes nothing."""
    return _place(_parts(request, mounted_at))


def _parts(request: Request, mounted_at: str) -> list[str]:
    environ = request.environ
    raw = environ.get("RAW_URI") or environ.get("REQUEST_URI") or request.full_path
    if "%" in raw and NOT_ENCODED.search(raw):
        raise BadRequest("invalid_url_encoding")
    path = urlsplit(raw).path if "://" in raw.partition("?")[0] else raw.partition("?")[0]
    above = (environ.get("SCRIPT_NAME", "") + mounted_at).count("/")
    return [_decoded(part) for part in path.split("/")[1 + above :] if part]


def _decoded(part: str) -> str:
    """What is no UTF-8 becomes a text that no name and no id can be."""
    if part.isascii() and "%" not in part:
        return part
    return unquote_to_bytes(part).decode(errors="surrogateescape")


def _place(parts: list[str]) -> Place:
    if not parts:
        return Place("server")
    if parts[0] in SERVER_CALLS:
        return Place(parts[0])
    # Bytes that are no text stay visible as such: `a\udcff` names no database, and none can be made of it.
    name, below = parts[0].encode(errors="backslashreplace").decode(), parts[1:]
    if not below:
        return Place("database", name)
    if below[0] in DATABASE_CALLS and (len(below) == 1 or below[0] in CALLS_WITH_MORE):
        return Place(below[0], name, tuple(below[1:]))
    if below[0] in ID_CALLS and below[1:] == ["queries"]:
        return Place(f"{below[0]}/queries", name)
    return _document_place(name, below)


def _document_place(database_name: str, below: list[str]) -> Place:
    # `_design/x` and `_local/x` are sent with a plain slash; encoded, the two parts come as one.
    for prefix in ("_design", "_local"):
        if below[0] == prefix and len(below) > 1:
            below = [f"{prefix}/{below[1]}", *below[2:]]
    doc_id, rest = "_local/" if below == ["_local"] else below[0], below[1:]
    if doc_id.startswith("_local/"):
        return Place("local", database_name, (doc_id.removeprefix("_local/"), *rest))
    if doc_id.startswith("_design/") and rest and rest[0] in DESIGN_CALLS:
        return Place("functions", database_name, (doc_id,))
    if rest:
        return Place("attachment", database_name, (doc_id, "/".join(rest)))
    return Place("document", database_name, (doc_id,))
