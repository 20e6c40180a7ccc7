"""What intake writes into the registers: verdicts and summaries. Every call may be repeated; others may be
writing the same documents."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from server.intake.chaining import chunks
from server.readmodel.recount import Shown
from server.readmodel.register_rows import core
from sync.store import Database, Doc, Store, StoreError

log = logging.getLogger(__name__)

WRITER = "server"
ATTEMPTS = 10
OUR_FAULT = 500  # and above: the store failed, such as on a full disk, not the document
DOCS_AT_ONCE = 500


def register_name(village_code: str) -> str:
    return f"register-{village_code}"


def verdict_id(record_id: str) -> str:
    return f"verdict:{record_id}"


def standing(store: Store, village_code: str, record_ids: Sequence[str]) -> dict[str, Doc]:
    """The verdicts that the village's register already holds, by record id."""
    try:
        register = store.open(register_name(village_code))
    except StoreError:
        return {}
    found = read(register, [verdict_id(record_id) for record_id in record_ids])
    return {doc_id.partition(":")[2]: doc for doc_id, doc in found.items()}


def read(database: Database, doc_ids: Sequence[str]) -> dict[str, Doc]:
    """The documents that are there, by id."""
    rows = database.all_docs(keys=list(doc_ids), include_docs=True)["rows"] if doc_ids else []
    return {row["id"]: row["doc"] for row in rows if row.get("doc")}


def _write(register: Database, docs: Sequence[Doc], revs: dict[str, str] | None = None) -> list[str]:
    """The ids that somebody else wrote meanwhile; those that were written go into `revs`. A document that the
    store refuses for another reason is passed over."""
    if not docs:
        return []
    try:
        rows = register.bulk_docs(docs, writer=WRITER)
    except StoreError as error:
        if error.status >= OUR_FAULT:
            raise
        return _one_by_one(register, docs, revs) if len(docs) > 1 else _refused(docs[0], error.reason)
    conflicts = []
    for doc, row in zip(docs, rows, strict=True):
        if row.get("error") == "conflict":
            conflicts.append(doc["_id"])
        elif "error" in row:
            _refused(doc, row.get("reason"))
        elif revs is not None:
            revs[doc["_id"]] = row["rev"]
    return conflicts


def _one_by_one(register: Database, docs: Sequence[Doc], revs: dict[str, str] | None) -> list[str]:
    return [doc_id for doc in docs for doc_id in _write(register, [doc], revs)]


def _refused(doc: Mapping[str, Any], reason: Any) -> list[str]:
    log.warning("the store refuses %r: %s", str(doc.get("_id"))[:200], reason)
    return []


def amend(store: Store, village_code: str, changes: Mapping[str, Callable[[Doc], Doc | None]]) -> None:
    """Rewrite documents of a register by functions from the document ({"_id"} when absent) to its successor,
    or None to leave it. A
    concurrent writer's edit is kept: the function runs again on what that writer left."""
    if not changes:
        return
    register = store.ensure(register_name(village_code))
    waiting = list(changes)
    for _ in range(ATTEMPTS):
        if not waiting:
            return
        waiting = _amend_once(register, waiting[:DOCS_AT_ONCE], changes) + waiting[DOCS_AT_ONCE:]
    log.warning("gave up rewriting %d documents of %s: others keep writing them", len(waiting), register.name)


def _amend_once(
    register: Database, doc_ids: Sequence[str], changes: Mapping[str, Callable[[Doc], Doc | None]]
) -> list[str]:
    there = read(register, doc_ids)
    changed = [changes[doc_id](there.get(doc_id, {"_id": doc_id})) for doc_id in doc_ids]
    wanted = [doc for doc in changed if doc is not None]
    return _write(register, wanted) if wanted else []


def tell(store: Store, village_code: str, verdicts: Sequence[Doc], shown: Sequence[Shown]) -> dict[str, str]:
    """Write verdicts that are not there yet, and bring summaries up to date; an entry that already shows its
    own is not written. Returns the revision of each entry that now is what the read model knows of it."""
    register = store.ensure(register_name(village_code))
    there: dict[str, Doc] = {}
    for some in chunks([one.doc_id for one in shown], DOCS_AT_ONCE):
        there |= read(register, some)
    known = {one.doc_id: one.entry for one in shown}
    docs = [doc for one in shown if (doc := _summarize(one)(there.get(one.doc_id, {"_id": one.doc_id})))]
    revs: dict[str, str] = {}
    conflicts: set[str] = set()
    for some in chunks([*verdicts, *docs], DOCS_AT_ONCE):
        conflicts.update(_write(register, some, revs))
    changes = {one.doc_id: _summarize(one) for one in shown if one.doc_id in conflicts}
    amend(store, village_code, changes)
    return {
        doc_id: revs[doc_id] for doc_id in known.keys() & revs.keys() if core(there[doc_id]) == known[doc_id]
    }


def _summarize(shown: Shown) -> Callable[[Doc], Doc | None]:
    def apply(doc: Doc) -> Doc | None:
        if "_rev" not in doc or doc.get("summary", {}) == shown.summary:
            return None
        rest = {name: value for name, value in doc.items() if name != "summary"}
        return {**rest, "summary": shown.summary} if shown.summary else rest

    return apply
