"""Writing documents inside a transaction: grafts (replication) and edits (a client that expects to be told of
conflicts).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sync import revtree
from sync.embedded import documents_sql, revisions_sql
from sync.embedded.committing import Transaction
from sync.embedded.documents_sql import DatabaseRow, Entry
from sync.embedded.revisions_sql import StoredAttachment
from sync.incoming import Incoming, IncomingAttachment, digest_of, is_digest_of, new_rev
from sync.store import Conflict, ContentMismatch, MissingStub

CONFLICT = "Document update conflict."

Kept = dict[str, list[StoredAttachment]]  # by name, the nearest first


@dataclass(slots=True)
class Pen:
    """One transaction's hand on one database."""

    connection: sqlite3.Connection
    row: DatabaseRow
    writer: str
    received_at: int  # ms since 1970

    @classmethod
    def open(cls, transaction: Transaction, db: int, writer: str, received_at: int) -> Pen:
        return cls(transaction.connection, transaction.database(db), writer, received_at)

    def graft(self, incomings: Sequence[Incoming]) -> None:
        """Keep revisions that were made elsewhere; those that are here already stay as they are."""
        taken = documents_sql.known_ids(self.connection, self.row.db, [one.id for one in incomings])
        firsts: list[Incoming] = []
        others: list[Incoming] = []
        for one in incomings:
            is_first = one.id not in taken and len(one.path) == 1 and not one.attachments
            (firsts if is_first else others).append(one)
            taken.add(one.id)
        self._insert_firsts(firsts)
        for one in others:
            self._graft_one(one)

    def edit_all(self, incomings: Sequence[Incoming]) -> list[str | Conflict]:
        """`edit` for each, in their order: its revision or why there is none."""
        taken = documents_sql.known_ids(self.connection, self.row.db, [one.id for one in incomings])
        revs: dict[int, str | Conflict] = {}
        firsts: list[Incoming] = []
        for at, one in enumerate(incomings):
            if one.id not in taken and not one.path and not one.attachments:
                revs[at] = rev = new_rev(None, one.deleted, one.body, [])
                firsts.append(replace(one, path=[rev]))
            taken.add(one.id)
        self._insert_firsts(firsts)
        return [revs[at] if at in revs else self._edit_or_not(one) for at, one in enumerate(incomings)]

    def _edit_or_not(self, incoming: Incoming) -> str | Conflict:
        try:
            return self.edit(incoming)
        except Conflict as conflict:
            return conflict

    def _insert_firsts(self, incomings: Sequence[Incoming]) -> None:
        """Documents that nobody has seen, each with one revision: nearly all that is written."""
        if not incomings:
            return
        bodies = [one.body for one in incomings]
        revision = revisions_sql.insert_revisions(self.connection, bodies, self.writer, self.received_at)
        documents_sql.insert_documents(
            self.connection,
            self.row.db,
            [
                (one.id, self.row.seq + step, one.path[0], one.deleted, revision + step - 1)
                for step, one in enumerate(incomings, 1)
            ],
        )
        deleted = sum(one.deleted for one in incomings)
        self.row.seq += len(incomings)
        self.row.doc_count += len(incomings) - deleted
        self.row.doc_del_count += deleted

    def _graft_one(self, incoming: Incoming) -> None:
        entry = self._entry(incoming.id)
        if incoming.path[0] in entry.bodies:
            return
        was_live = entry.is_live() if entry.bodies else None
        attachments = self._grafted_attachments(entry, incoming)
        self._add(entry, incoming, incoming.path, attachments, was_live)

    def edit(self, incoming: Incoming) -> str:
        """Make a new revision of the leaf that the client names. Raises Conflict."""
        entry = self._entry(incoming.id)
        was_live = entry.is_live() if entry.bodies else None
        parent = self._edited_leaf(entry, incoming)
        kept = self._attachments_of(entry, [parent] if parent else [])
        start = revtree.generation(parent) + 1 if parent else 1
        attachments = [self._settle(attachment, kept, start) for attachment in incoming.attachments]
        digests = [(a.name, a.digest, a.content_type) for a in attachments]
        rev = new_rev(parent, incoming.deleted, incoming.body, digests)
        self._add(entry, incoming, [rev, parent] if parent else [rev], attachments, was_live)
        return rev

    def _entry(self, doc_id: str) -> Entry:
        found = documents_sql.load_entry(self.connection, self.row.db, doc_id)
        return found or Entry(doc_id, revtree.Tree())

    def _edited_leaf(self, entry: Entry, incoming: Incoming) -> str | None:
        if not entry.bodies:
            if incoming.path:
                raise Conflict(CONFLICT)
            return None
        leaves = revtree.leaves(entry.tree)
        # Without a revision, a deleted document that is written anew goes on where it ended.
        parent = incoming.path[0] if incoming.path else leaves[0]
        is_deleted = parent in entry.tree.deleted
        if parent not in leaves or (incoming.deleted and is_deleted):
            raise Conflict(CONFLICT)
        if not incoming.path and not is_deleted:
            raise Conflict(CONFLICT)
        return parent

    def _add(
        self,
        entry: Entry,
        incoming: Incoming,
        path: list[str],
        attachments: list[StoredAttachment],
        was_live: bool | None,
    ) -> None:
        entry.bodies[path[0]] = revisions_sql.insert_revision(
            self.connection, incoming.body, attachments, self.writer, self.received_at
        )
        revtree.graft(entry.tree, path, deleted=incoming.deleted)
        self._stem(entry)
        self.row.seq += 1
        entry.seq = self.row.seq
        documents_sql.save_entry(self.connection, self.row.db, entry)
        self._count(was_live, entry.is_live())

    def _stem(self, entry: Entry) -> None:
        entry.tree = revtree.stem(entry.tree, self.row.revs_limit)
        gone = [rev for rev in entry.bodies if rev not in entry.tree]
        revisions_sql.delete_revisions(self.connection, [entry.bodies.pop(rev) for rev in gone])

    def _count(self, was_live: bool | None, is_live: bool) -> None:
        self.row.doc_count += is_live - (was_live is True)
        self.row.doc_del_count += (not is_live) - (was_live is False)

    def _attachments_of(self, entry: Entry, revs: list[str]) -> Kept:
        kept: Kept = {}
        for rev in revs:
            if rev in entry.bodies:
                for found in revisions_sql.load_attachments(self.connection, entry.bodies[rev]):
                    kept.setdefault(found.name, []).append(found)
        return kept

    def _grafted_attachments(self, entry: Entry, incoming: Incoming) -> list[StoredAttachment]:
        if not incoming.attachments:
            return []
        kept: Kept = {}
        if any(attachment.data is None for attachment in incoming.attachments):
            # A stub means what an ancestor has; failing that, what another revision of the document has.
            near = incoming.path[1:]
            kept = self._attachments_of(entry, [*near, *(rev for rev in entry.bodies if rev not in near)])
        start = revtree.generation(incoming.path[0])
        return [self._settle(attachment, kept, start, trust=True) for attachment in incoming.attachments]

    def _settle(
        self,
        attachment: IncomingAttachment,
        kept: Kept,
        generation: int,
        *,
        trust: bool = False,
    ) -> StoredAttachment:
        """What to keep for an attachment of a revision of `generation`. A replica's `revpos` is trusted."""
        if attachment.data is None:
            return self._of_stub(attachment, kept.get(attachment.name, []))
        _check_content(attachment, [] if trust else kept.get(attachment.name, []))
        revpos = attachment.revpos if trust and attachment.revpos else generation
        return StoredAttachment(
            attachment.name,
            attachment.content_type,
            digest_of(attachment.data),
            len(attachment.data),
            revpos,
            revisions_sql.keep_blob(self.connection, attachment.data),
        )

    def _of_stub(self, stub: IncomingAttachment, kept: list[StoredAttachment]) -> StoredAttachment:
        for found in kept:
            if stub.revpos in (None, found.revpos) and self._is_named(found, stub.digest):
                return found
        raise MissingStub(f"Invalid attachment stub in document for {stub.name}")

    def _is_named(self, found: StoredAttachment, digest: str | None) -> bool:
        if digest in (None, found.digest):
            return True
        return is_digest_of(revisions_sql.load_blob(self.connection, found.blob), digest, found.content_type)


def _check_content(attachment: IncomingAttachment, replaced: list[StoredAttachment]) -> None:
    """Refuse data that is not what is declared.

    Who edits a document often replaces an attachment's `data` and leaves the digest of what is replaced.
    """
    leftover = any(found.digest == attachment.digest for found in replaced)
    if attachment.mismatch is not None and not leftover:
        raise ContentMismatch(attachment.mismatch)
