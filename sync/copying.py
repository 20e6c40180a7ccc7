"""Moving databases from one store to another, as a replication does, with everything that a store remembers:
conflicts, deletions, histories, attachments, and each leaf's receipt.

    source ─ changes(receipts) ─► which revisions? ─ revs_diff ─► target
           ─ bulk_get ──────────► the missing ones ─ restore ───► target
                                  how far          ─ put_local ─► target

It may break off anywhere and be repeated: a repetition begins at the last checkpoint, which the target keeps
in a local document, and writes nothing twice. Local documents themselves, the checkpoints of phones, stay
behind: a phone asks once more what is missing, and sends or fetches only that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from sync.store import BEGINNING, Change, Database, Doc, NotFound, Receipt, Store

PAGE_CHANGES = 200
BODIES_AT_ONCE = 20  # with their attachments in memory

Revision = tuple[str, str]  # document id, revision
Digests = dict[Revision, bytes]


class CopyFailed(Exception):
    """The source names a revision and does not give it."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What two databases of one name do not share; empty when they hold the same."""

    only_in_source: list[Revision] = field(default_factory=list)
    only_in_target: list[Revision] = field(default_factory=list)
    unequal: list[Revision] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.only_in_source or self.only_in_target or self.unequal)


def copy_database(source: Store, target: Store, name: str) -> Iterator[int]:
    """Bring what the target's database of that name lacks; yields the revisions written, page by page."""
    here, there = source.open(name), target.ensure(name)
    checkpoint = f"copy-from-{source.uuid}"
    reached = _checkpoint(there, checkpoint)
    while (page := here.changes(since=reached["since"], limit=PAGE_CHANGES, receipts=True)).rows:
        yield _copy_page(here, there, page.rows)
        reached["since"] = page.last_seq
        reached["_rev"] = there.put_local(reached, checkpoint)


def copy_revs_limit(source: Store, target: Store, name: str) -> None:
    """Before the documents, so that the target keeps as long a history."""
    target.ensure(name).set_revs_limit(source.open(name).revs_limit())


def _checkpoint(there: Database, checkpoint: str) -> Doc:
    try:
        found = there.get_local(checkpoint)
    except NotFound:
        return {"since": BEGINNING}
    return {"_rev": found["_rev"], "since": found["since"]}


def _copy_page(here: Database, there: Database, rows: Sequence[Change]) -> int:
    missing = there.revs_diff({row.id: [leaf.rev for leaf in row.leaves] for row in rows})
    receipts = {
        (row.id, leaf.rev): Receipt(leaf.writer, leaf.received_at) for row in rows for leaf in row.leaves
    }
    wanted = [(doc_id, rev) for doc_id, told in missing.items() for rev in told["missing"]]
    for docs in _bodies(here, wanted):
        there.restore([(doc, receipts[doc["_id"], doc["_rev"]]) for doc in docs])
    return len(wanted)


def _bodies(database: Database, wanted: Sequence[Revision]) -> Iterator[list[Doc]]:
    for start in range(0, len(wanted), BODIES_AT_ONCE):
        asked = [{"id": doc_id, "rev": rev} for doc_id, rev in wanted[start : start + BODIES_AT_ONCE]]
        results = database.bulk_get(asked, revs=True, attachments=True)
        yield [_body(one) for result in results for one in result["docs"]]


def _body(told: Mapping[str, Any]) -> Doc:
    if "ok" not in told:
        raise CopyFailed(f"{told['error']['id']} {told['error']['rev']}: {told['error']['reason']}")
    doc: Doc = told["ok"]
    return doc


def compare(source: Store, target: Store, name: str) -> tuple[Difference, int]:
    """Every leaf of both, with body, history, attachments and receipt; and how many are the same."""
    here, there = _digests(source.open(name)), _digests(_open(target, name))
    difference = Difference(
        only_in_source=sorted(here.keys() - there.keys()),
        only_in_target=sorted(there.keys() - here.keys()),
        unequal=sorted(each for each in here.keys() & there.keys() if here[each] != there[each]),
    )
    return difference, len(here.keys() & there.keys()) - len(difference.unequal)


def _open(store: Store, name: str) -> Database | None:
    try:
        return store.open(name)
    except NotFound:
        return None


def _digests(database: Database | None) -> Digests:
    found: Digests = {}
    since = BEGINNING
    while database and (page := database.changes(since=since, limit=PAGE_CHANGES, receipts=True)).rows:
        leaves = {(row.id, leaf.rev): leaf for row in page.rows for leaf in row.leaves}
        for docs in _bodies(database, list(leaves)):
            for doc in docs:
                leaf = leaves[doc["_id"], doc["_rev"]]
                found[doc["_id"], doc["_rev"]] = _digest(doc, leaf.writer, leaf.received_at)
        since = page.last_seq
    return found


def _digest(doc: Mapping[str, Any], writer: str, received_at: str) -> bytes:
    """Of attachments their type and content count: stores differ in how they count and compress them."""
    attachments = {
        name: [each["content_type"], each["data"]] for name, each in doc.get("_attachments", {}).items()
    }
    whole = [{**doc, "_attachments": attachments}, writer, received_at]
    return hashlib.sha256(orjson.dumps(whole, option=orjson.OPT_SORT_KEYS)).digest()
