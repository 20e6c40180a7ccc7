"""Writes documents only where they differ from what stands, and never touches what others wrote into them.

Intake keeps its `summary` in the same documents; a write that meets a newer revision reads again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from server.register.kinds import Document
from sync.store import Conflict, Database, NotFound, Store

WRITER = "server"
BATCH_DOCS = 500
ROUNDS_MAX = 10
KEPT = ("_rev", "summary")  # of the standing document


def upsert(
    store: Store,
    database: str,
    documents: Sequence[Document],
    *,
    first_only: Mapping[str, Any] | None = None,
    dry_run: bool = False,
) -> dict[str, str]:
    """{document id: "added" | "changed" | "unchanged"}.

    `first_only` fills fields that a document lacks: with what stands, or else with these values.
    """
    outcomes: dict[str, str] = {}
    for start in range(0, len(documents), BATCH_DOCS):
        batch = documents[start : start + BATCH_DOCS]
        outcomes |= _upsert_batch(store, database, batch, first_only or {}, dry_run)
    return outcomes


def _upsert_batch(
    store: Store, database: str, batch: Sequence[Document], first_only: Mapping[str, Any], dry_run: bool
) -> dict[str, str]:
    outcomes: dict[str, str] = {}
    waiting = list(batch)
    for _ in range(ROUNDS_MAX):
        found = standing(store, database, [doc["_id"] for doc in waiting])
        merged = [_merged(doc, found.get(doc["_id"]), first_only) for doc in waiting]
        states = [(doc, _outcome(doc, found.get(doc["_id"]))) for doc in merged]
        outcomes |= {doc["_id"]: outcomes.get(doc["_id"], outcome) for doc, outcome in states}
        writes = [doc for doc, outcome in states if outcome != "unchanged"]
        refused = set() if dry_run or not writes else _write(store.ensure(database), writes)
        waiting = [doc for doc in waiting if doc["_id"] in refused]
        if not waiting:
            return outcomes
    raise Conflict(f"{len(waiting)} documents of {database} kept changing while they were written")


def _merged(doc: Document, old: Document | None, first_only: Mapping[str, Any]) -> Document:
    inherited = {key: old[key] for key in KEPT if old and key in old}
    filled = {key: (old or {}).get(key, value) for key, value in first_only.items() if key not in doc}
    return doc | filled | inherited


def _outcome(doc: Document, old: Document | None) -> str:
    if old is None:
        return "added"
    return "unchanged" if doc == old else "changed"


def _write(database: Database, writes: Sequence[Document]) -> set[str]:
    """The ids that met a newer revision."""
    rows = database.bulk_docs(writes, writer=WRITER)
    failed = [row for row in rows if "error" in row]
    for row in failed:
        if row["error"] != "conflict":
            raise ValueError(f"{row['id']} was not written: {row['error']}, {row.get('reason')}")
    return {row["id"] for row in failed}


def standing(store: Store, database: str, ids: Sequence[str]) -> dict[str, Document]:
    """{id: document} for those of `ids` that exist; empty when the database does not."""
    try:
        rows = store.open(database).all_docs(keys=ids, include_docs=True)["rows"]
    except NotFound:
        return {}
    return {row["id"]: row["doc"] for row in rows if row.get("doc")}


def ids_with(store: Store, database: str, prefix: str) -> Iterator[str]:
    """The ids of the live documents of `database` that begin with `prefix`."""
    try:
        rows = store.open(database).all_docs(startkey=prefix, endkey=prefix + "\ufff0")["rows"]
    except NotFound:
        return
    yield from (row["id"] for row in rows)
