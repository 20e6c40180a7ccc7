"""Who handed each revision in, and when: kept beside the documents, which stay as they came.

    inbox-370304001            record:…            what the phone sent, unchanged
    receipts$inbox-370304001   of:record:…@1-9f3c  {"writer": "device:7", "received_at": "2020-02-21T…Z"}

* A replicated revision gets its receipt BEFORE it is written. So an acknowledged one always has its receipt,
  and a receipt whose document was not written after all is harmless: the next attempt finds it.
* An edit gets its revision from CouchDB, so its receipt follows the document, before the answer leaves.
* The first receipt of a revision stays.
* A revision without one came by another way than this server, such as CouchDB's own replicator. Whoever first
  asks for its receipt writes one with the writer `unknown` and the time of asking (`found`), so that every
  later reader is told the same. A true receipt that comes late replaces it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from sync.couchdb import errors
from sync.couchdb.client import Client
from sync.store import FileExists, NotFound, Receipt

PREFIX = "receipts$"
UNKNOWN = "unknown"
SECURITY = {"admins": {"roles": ["_admin"]}, "members": {"roles": ["_admin"]}}

Revision = tuple[str, str]  # document id, revision


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Receipts:
    """The receipts of one database, in its companion database."""

    def __init__(self, client: Client, name: str) -> None:
        """`name` is the companion's in CouchDB."""
        self._client = client
        self._name = name

    def create(self) -> None:
        try:
            self._client.call("PUT", [self._name])
        except FileExists:
            return
        self._client.call("PUT", [self._name, "_security"], json=SECURITY)

    def delete(self) -> None:
        try:
            self._client.call("DELETE", [self._name])
        except NotFound:
            return

    def write(self, receipts: Mapping[Revision, Receipt]) -> None:
        """Keep those that are the first of their revision."""
        if not receipts:
            return
        rows = self._put([_doc(revision, receipt) for revision, receipt in receipts.items()])
        taken = {row["id"] for row in rows if row.get("error") == "conflict"}
        if taken:
            self._replace_found({each: one for each, one in receipts.items() if _id(each) in taken})

    def read(self, revisions: Iterable[Revision]) -> dict[Revision, Receipt]:
        """The receipt of each; one is made for a revision that has none."""
        wanted = list(dict.fromkeys(revisions))
        told = self._read(wanted)
        missing = {each: Receipt(UNKNOWN, now()) for each in wanted if each not in told}
        if missing:
            self._put([_doc(each, receipt) | {"found": True} for each, receipt in missing.items()])
            told |= self._read(list(missing))
        return told

    def _read(self, revisions: list[Revision]) -> dict[Revision, Receipt]:
        docs = self._docs(revisions)
        return {each: Receipt(doc["writer"], doc["received_at"]) for each, doc in docs.items()}

    def _docs(self, revisions: list[Revision]) -> dict[Revision, dict[str, Any]]:
        if not revisions:
            return {}
        asked = {"keys": [_id(each) for each in revisions]}
        try:
            rows = self._client.json(
                "POST", [self._name, "_all_docs"], params={"include_docs": True}, json=asked
            )["rows"]
        except NotFound:
            return {}
        found = zip(revisions, rows, strict=True)
        return {each: row["doc"] for each, row in found if row.get("doc") is not None}

    def _put(self, docs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """CouchDB's rows. A conflict is no error here: that receipt is there already."""
        try:
            rows: list[dict[str, Any]] = self._bulk(docs)
        except NotFound:
            self.create()  # the database was not made through this server
            rows = self._bulk(docs)
        for row in rows:
            if row.get("error", "conflict") != "conflict":
                raise errors.of_row(row)
        return rows

    def _bulk(self, docs: list[dict[str, Any]]) -> Any:
        return self._client.json("POST", [self._name, "_bulk_docs"], json={"docs": docs})

    def _replace_found(self, receipts: Mapping[Revision, Receipt]) -> None:
        there = self._docs(list(receipts))
        docs = [
            _doc(each, receipts[each]) | {"_rev": doc["_rev"]}
            for each, doc in there.items()
            if doc.get("found")
        ]
        if docs:
            self._put(docs)


def _id(revision: Revision) -> str:
    doc_id, rev = revision
    return f"of:{doc_id}@{rev}"


def _doc(revision: Revision, receipt: Receipt) -> dict[str, Any]:
    return {"_id": _id(revision), "writer": receipt.writer, "received_at": receipt.received_at}
