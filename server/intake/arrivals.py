"""Which revision of a document in an inbox is the record, and which came after it.

The first revision that arrived is the record. Whatever came later to the same id, a rewriting, a deletion or
a second beginning, is kept and
quarantined by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sync.store import Change, Database, Doc, Leaf, NotFound


@dataclass(frozen=True, slots=True)
class Arrival:
    """`doc` is the first revision's body; None when the store has let go of it."""

    doc_id: str
    rev: str
    writer: str
    received_at: str
    doc: Doc | None
    later: Sequence[Leaf]


def arrival(database: Database, change: Change, standing: Mapping[str, object]) -> Arrival:
    """`standing` is the verdict that was given before, if any: it says which revision was judged."""
    first_rev = standing.get("record_rev")
    rev = first_rev if isinstance(first_rev, str) else _first_rev(database, change)
    leaf = next((leaf for leaf in change.leaves if leaf.rev == rev), None)
    known_at = standing.get("received_at")
    earliest = min(change.leaves, key=lambda each: each.received_at)
    return Arrival(
        change.id,
        rev,
        (leaf or earliest).writer,
        leaf.received_at if leaf else known_at if isinstance(known_at, str) else earliest.received_at,
        _body(database, change, rev),
        [each for each in change.leaves if each.rev != rev],
    )


def _first_rev(database: Database, change: Change) -> str:
    """The root of the branch that arrived first."""
    leaf = min(change.leaves, key=lambda each: (each.received_at, each.rev))
    generation = int(leaf.rev.partition("-")[0])
    if generation == 1:
        return leaf.rev
    try:
        history = database.get(change.id, rev=leaf.rev, revs=True).get("_revisions", {})
    except NotFound:
        return leaf.rev
    ids = history.get("ids") or [leaf.rev.partition("-")[2]]
    return f"{generation - len(ids) + 1}-{ids[-1]}"


def _body(database: Database, change: Change, rev: str) -> Doc | None:
    if change.doc is not None and change.doc.get("_rev") == rev:
        return change.doc
    try:
        return database.get(change.id, rev=rev)
    except NotFound:
        return None
