"""One database of the CouchDB store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any

import orjson

from sync.couchdb import errors, receipts, sequences, stubs
from sync.couchdb.client import READ_TIMEOUT_S, Answer, Client
from sync.couchdb.receipts import Receipts
from sync.incoming import (
    DEFAULT_CONTENT_TYPE,
    Incoming,
    body_bytes,
    check_attachment_name,
    check_id,
    check_local_id,
    check_rev,
    digest_of,
    local_counter,
    parse,
)
from sync.store import (
    BEGINNING,
    Attachment,
    BadRequest,
    Change,
    ChangesPage,
    Conflict,
    ContentMismatch,
    Doc,
    Leaf,
    NotFound,
    Receipt,
    Seq,
)

DOCUMENTS_PAGE = 500
CHANGES_AT_ONCE = 100
OPEN_REVS_AT_ONCE = 50  # they are named in the address, whose length is limited

MALFORMED_SEQUENCE = "Malformed sequence"


class CouchDatabase:
    """See `sync.store.Database` for what each call promises. `kept_name` is its name in CouchDB."""

    def __init__(self, client: Client, kept: Receipts, name: str, kept_name: str, birth: str) -> None:
        self.name = name
        self._client = client
        self._receipts = kept
        self._kept_name = kept_name
        self._birth = birth

    def _call(self, method: str, *path: str, **options: Any) -> Answer:
        return self._client.call(method, [self._kept_name, *path], **options)

    def _json(self, method: str, *path: str, **options: Any) -> Any:
        return self._call(method, *path, **options).value

    # The database

    def seq(self) -> Seq:
        return sequences.written(self._json("GET")["update_seq"], self._birth)

    def info(self) -> dict[str, Any]:
        told = self._json("GET")
        return {
            "db_name": self.name,
            "doc_count": told["doc_count"],
            "doc_del_count": told.get("doc_del_count", 0),
            "update_seq": sequences.written(told["update_seq"], self._birth),
            "purge_seq": 0,
            "compact_running": bool(told.get("compact_running")),
            "instance_start_time": self._birth,
        }

    def revs_limit(self) -> int:
        return int(self._json("GET", "_revs_limit"))

    def set_revs_limit(self, limit: int) -> None:
        if limit < 1:
            raise BadRequest("`revs_limit` must be a positive integer")
        self._call("PUT", "_revs_limit", json=limit)

    def compact(self) -> None:
        """Begins it; `info` tells in `compact_running` when it is done."""
        self._call("POST", "_compact", json={}, accepted=True)

    # Reading

    def get(self, doc_id: str, *, rev: str | None = None, latest: bool = False, **options: bool) -> Doc:
        if rev is not None:
            rev = check_rev(rev)
            if latest:
                return self._latest(doc_id, rev, options)
        doc: Doc = self._json("GET", *_path(doc_id), params={"rev": rev, **options})
        return doc

    def _latest(self, doc_id: str, rev: str, options: Mapping[str, bool]) -> Doc:
        """CouchDB ignores `rev` beside `latest`; asked for open revisions it does not."""
        told = self.open_revs(doc_id, [rev], latest=True, **options)
        found: list[Doc] = [one["ok"] for one in told if "ok" in one]
        if not found:
            raise NotFound("missing")
        return found[0]

    def open_revs(
        self, doc_id: str, open_revs: Sequence[str] | None, **options: bool
    ) -> list[dict[str, Any]]:
        if open_revs is None:
            return self._open_revs(doc_id, "all", options)
        wanted = list(dict.fromkeys(check_rev(rev) for rev in open_revs))
        told: dict[str, dict[str, Any]] = {}
        for start in range(0, len(wanted), OPEN_REVS_AT_ONCE):
            some = orjson.dumps(wanted[start : start + OPEN_REVS_AT_ONCE]).decode()
            for one in self._open_revs(doc_id, some, options):
                told[one["ok"]["_rev"] if "ok" in one else one["missing"]] = one
        return list(told.values())

    def _open_revs(self, doc_id: str, wanted: str, options: Mapping[str, bool]) -> list[dict[str, Any]]:
        try:
            told: list[dict[str, Any]] = self._json(
                "GET", *_path(doc_id), params={"open_revs": wanted, **options}
            )
        except NotFound as missing:
            if wanted != "all" or missing.reason.startswith("Database"):
                raise
            return []
        return told

    def bulk_get(self, requests: Sequence[Mapping[str, Any]], **options: bool) -> list[dict[str, Any]]:
        asked = {"docs": [_asked(request) for request in requests]}
        results: list[dict[str, Any]] = self._json("POST", "_bulk_get", params=options, json=asked)["results"]
        return results

    def revs_diff(self, revs: Mapping[str, Sequence[str]]) -> dict[str, dict[str, list[str]]]:
        asked = {doc_id: [check_rev(rev) for rev in some] for doc_id, some in revs.items()}
        told: dict[str, dict[str, list[str]]] = self._json("POST", "_revs_diff", json=asked)
        return told

    def attachment(self, doc_id: str, name: str, *, rev: str | None = None) -> Attachment:
        answer = self._call(
            "GET",
            *_path(doc_id),
            name,
            params={"rev": None if rev is None else check_rev(rev)},
            headers={"Accept": "*/*", "Accept-Encoding": "identity"},
        )
        content_type = answer.headers.get("Content-Type", DEFAULT_CONTENT_TYPE)
        return Attachment(content_type, digest_of(answer.content), len(answer.content), answer.content)

    # Changes

    def changes(
        self,
        *,
        since: Seq = BEGINNING,
        limit: int | None = None,
        include_docs: bool = False,
        doc_ids: Iterable[str] | None = None,
        receipts: bool = False,
    ) -> ChangesPage:
        told = self._changes(since, *_changes_asked(limit, include_docs, doc_ids))
        rows = [self._change(row) for row in told["results"]]
        rows = self._with_leaves(rows, receipts)
        last = sequences.written(told["last_seq"], self._birth)
        return ChangesPage(rows, last, int(told.get("pending", 0)))

    def changes_backwards(
        self, *, limit: int | None = None, include_docs: bool = False, doc_ids: Iterable[str] | None = None
    ) -> Iterator[Change]:
        """In one request, whose answer is read while it comes: CouchDB cannot be asked for what is before."""
        if limit == 0:
            return
        params, asked = _changes_asked(limit, include_docs, doc_ids)
        path = [self._kept_name, "_changes"]
        lines = self._client.lines("POST", path, params={**params, "descending": True}, json=asked)
        rows = map(self._change, _rows_of(lines))
        while some := list(islice(rows, CHANGES_AT_ONCE)):
            yield from self._with_leaves(some, with_receipts=False)

    def _changes(self, since: Seq, params: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
        own = sequences.own_of(since, self._birth)
        told: dict[str, Any]
        try:
            told = self._json("POST", "_changes", params={**params, "since": own}, json=asked)
        except BadRequest as problem:
            if own == BEGINNING or not problem.reason.startswith(MALFORMED_SEQUENCE):
                raise
            told = self._json("POST", "_changes", params={**params, "since": BEGINNING}, json=asked)
        return told

    def longpoll(self, since: Seq, timeout_s: float) -> Seq:
        """Waits until something comes after `since`, at most so long. Returns `since`, or what came last."""
        params = {
            "feed": "longpoll",
            "since": sequences.own_of(since, self._birth),
            "limit": 1,
            "timeout": round(timeout_s * 1000),
        }
        told = self._json("GET", "_changes", params=params, timeout_s=timeout_s + READ_TIMEOUT_S)
        return sequences.written(told["last_seq"], self._birth) if told["results"] else since

    def _change(self, row: Mapping[str, Any]) -> Change:
        deleted = bool(row.get("deleted"))
        leaves = tuple(Leaf(one["rev"], deleted) for one in row["changes"])
        return Change(sequences.written(row["seq"], self._birth), row["id"], deleted, leaves, row.get("doc"))

    def _with_leaves(self, rows: list[Change], with_receipts: bool) -> list[Change]:
        """CouchDB's changes tell of one leaf whether it is deleted; of several it must be asked."""
        forked = [row.id for row in rows if len(row.leaves) > 1]
        deleted = self._deleted_leaves(forked) if forked else set()
        told = (
            self._receipts.read((row.id, leaf.rev) for row in rows for leaf in row.leaves)
            if with_receipts
            else {}
        )
        return [_completed(row, deleted, told) for row in rows] if deleted or told or forked else rows

    def _deleted_leaves(self, doc_ids: list[str]) -> set[receipts.Revision]:
        docs = [
            one["ok"]
            for result in self.bulk_get([{"id": doc_id} for doc_id in doc_ids])
            for one in result["docs"]
            if "ok" in one
        ]
        return {(doc["_id"], doc["_rev"]) for doc in docs if doc.get("_deleted")}

    # Ids

    def all_docs(
        self,
        *,
        keys: Sequence[str] | None = None,
        startkey: str | None = None,
        endkey: str | None = None,
        **options: Any,
    ) -> dict[str, Any]:
        params = {**options, "inclusive_end": _spelled(options.get("inclusive_end", True))}
        params |= {name: _quoted(key) for name, key in (("startkey", startkey), ("endkey", endkey))}
        told: dict[str, Any] = (
            self._json("GET", "_all_docs", params=params)
            if keys is None
            else self._json("POST", "_all_docs", params=params, json={"keys": list(keys)})
        )
        return told

    def documents(self, prefix: str = "") -> Iterator[Doc]:
        after = prefix
        while True:
            rows = self.all_docs(startkey=after, limit=DOCUMENTS_PAGE, include_docs=True)["rows"]
            for row in rows:
                if not row["id"].startswith(prefix):
                    return
                if row.get("doc") is not None:  # deleted since its row was read
                    yield row["doc"]
            if len(rows) < DOCUMENTS_PAGE:
                return
            after = rows[-1]["id"] + "\0"

    # Writing

    def put(self, doc: Mapping[str, Any], *, writer: str) -> str:
        (row,) = self._edit([doc], writer)
        if "error" in row:
            raise errors.of_row(row)
        return str(row["rev"])

    def bulk_docs(
        self, docs: Sequence[Mapping[str, Any]], *, new_edits: bool = True, writer: str
    ) -> list[dict[str, Any]]:
        if new_edits:
            return self._edit(docs, writer)
        receipt = Receipt(writer, receipts.now())
        return self._graft([(doc, receipt) for doc in docs])

    def restore(self, received: Sequence[tuple[Doc, Receipt]]) -> None:
        self._graft(received)

    def _graft(self, received: Sequence[tuple[Mapping[str, Any], Receipt]]) -> list[dict[str, Any]]:
        parsed = [_to_graft(doc) for doc, _ in received]
        given = {(one.id, one.path[0]): receipt for one, (_, receipt) in zip(parsed, received, strict=True)}
        docs = [self._filled(doc, one) for one, (doc, _) in zip(parsed, received, strict=True)]
        body = {"docs": [_sendable(doc) for doc in docs], "new_edits": False}
        self._receipts.write(given)
        for row in self._json("POST", "_bulk_docs", json=body):
            if "error" in row:
                raise errors.of_row(row)  # nothing that arrived is dropped: all is sent again
        return [{"ok": True, "id": one.id, "rev": one.path[0]} for one in parsed]

    def _filled(self, doc: Mapping[str, Any], incoming: Incoming) -> Mapping[str, Any]:
        if not stubs.has_stubs(incoming):
            return doc
        return stubs.filled(doc, incoming, partial(self.open_revs, attachments=True))

    def _edit(self, docs: Sequence[Mapping[str, Any]], writer: str) -> list[dict[str, Any]]:
        for doc in docs:
            self._check_attachments(parse(doc))
        body = {"docs": [_sendable(doc) for doc in docs]}
        rows: list[dict[str, Any]] = self._json("POST", "_bulk_docs", json=body)
        self._acknowledge([(row["id"], row["rev"]) for row in rows if "error" not in row], writer)
        return rows

    def _acknowledge(self, written: Iterable[receipts.Revision], writer: str) -> None:
        receipt = Receipt(writer, receipts.now())
        self._receipts.write(dict.fromkeys(written, receipt))

    def _check_attachments(self, incoming: Incoming) -> None:
        """Refuse data that is not what is declared, and stubs of what the edited revision has not.

        Who edits a document often replaces an attachment's `data` and leaves the digest of what is replaced.
        """
        declared = [one for one in incoming.attachments if one.mismatch is not None or one.data is None]
        if not declared:
            return
        kept = self._kept_attachments(incoming)
        digests = {stub["digest"] for stub in kept.values()}
        for attachment in declared:
            if attachment.mismatch is not None and attachment.digest not in digests:
                raise ContentMismatch(attachment.mismatch)
        stubs.check(incoming, kept)

    def _kept_attachments(self, incoming: Incoming) -> dict[str, dict[str, Any]]:
        try:
            doc = self.get(incoming.id, rev=incoming.path[0] if incoming.path else None)
        except NotFound:
            return {}
        kept: dict[str, dict[str, Any]] = doc.get("_attachments", {})
        return kept

    def put_attachment(
        self, doc_id: str, name: str, data: bytes, content_type: str, *, rev: str | None, writer: str
    ) -> str:
        check_attachment_name(name)
        return self._edit_attachment("PUT", doc_id, name, rev, writer, data, {"Content-Type": content_type})

    def delete_attachment(self, doc_id: str, name: str, *, rev: str | None, writer: str) -> str:
        if rev is not None and name not in self.get(doc_id, rev=rev).get("_attachments", {}):
            raise NotFound("Document is missing attachment")
        return self._edit_attachment("DELETE", doc_id, name, rev, writer)

    def _edit_attachment(
        self,
        method: str,
        doc_id: str,
        name: str,
        rev: str | None,
        writer: str,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> str:
        params = {"rev": None if rev is None else check_rev(rev)}
        try:
            told = self._json(
                method, *_path(check_id(doc_id)), name, params=params, data=data, headers=headers
            )
        except NotFound as problem:
            if rev is None or problem.reason.startswith("Database"):
                raise
            raise Conflict("Document update conflict.") from None  # of a revision that is not there
        self._acknowledge([(doc_id, told["rev"])], writer)
        return str(told["rev"])

    # Local documents

    def get_local(self, local_id: str) -> Doc:
        doc: Doc = self._json("GET", "_local", local_id)
        return doc

    def local_docs(
        self, *, startkey: str | None, endkey: str | None, inclusive_end: bool, **options: Any
    ) -> list[Doc]:
        keys = {"startkey": startkey, "endkey": endkey}
        params: dict[str, Any] = {
            name: _quoted(None if key is None else f"_local/{key}") for name, key in keys.items()
        }
        params |= {"inclusive_end": _spelled(inclusive_end), "include_docs": True, **options}
        return [row["doc"] for row in self._json("GET", "_local_docs", params=params)["rows"]]

    def put_local(self, doc: Mapping[str, Any], local_id: str) -> str:
        check_local_id(local_id)
        kept = local_counter(doc.get("_rev"))
        body: Doc = orjson.loads(body_bytes(doc, f"_local/{local_id}"))
        told = self._json("PUT", "_local", local_id, json=body | ({"_rev": f"0-{kept}"} if kept else {}))
        return str(told["rev"])

    def delete_local(self, local_id: str) -> None:
        rev = self.get_local(local_id)["_rev"]
        self._call("DELETE", "_local", local_id, params={"rev": rev})


def _changes_asked(
    limit: int | None, include_docs: bool, doc_ids: Iterable[str] | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Query and body."""
    params: dict[str, Any] = {"style": "all_docs", "limit": limit, "include_docs": include_docs}
    if doc_ids is None:
        return params, {}
    return {**params, "filter": "_doc_ids"}, {"doc_ids": list(dict.fromkeys(doc_ids))}


def _rows_of(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """CouchDB writes a line a row. Raises Unavailable for an answer that is cut short."""
    for line in lines:
        text = line.strip().rstrip(b",")
        if text.startswith(b'{"results":[{'):  # others write all in one
            yield from errors.json_of(text)["results"]
            return
        if text.startswith(b'"last_seq"'):
            return
        if text.startswith(b'{"seq"'):
            yield errors.json_of(text)
    raise errors.Unavailable("The document store's answer was cut short.")


def _path(doc_id: str) -> list[str]:
    """The id in a path: the slash after `_design` stands, every other is escaped."""
    head, slash, name = doc_id.partition("/")
    return [head, name] if slash and head == "_design" else [doc_id]


def _asked(request: Mapping[str, Any]) -> dict[str, Any]:
    return {name: request[name] for name in ("id", "rev") if request.get(name) is not None}


def _completed(
    row: Change, deleted: set[receipts.Revision], told: Mapping[receipts.Revision, Receipt]
) -> Change:
    leaves = tuple(_leaf(row, leaf, deleted, told) for leaf in row.leaves)
    return Change(row.seq, row.id, row.deleted, leaves, row.doc)


def _leaf(
    row: Change, leaf: Leaf, deleted: set[receipts.Revision], told: Mapping[receipts.Revision, Receipt]
) -> Leaf:
    is_deleted = row.deleted if len(row.leaves) == 1 else (row.id, leaf.rev) in deleted
    receipt = told.get((row.id, leaf.rev), Receipt("", ""))
    return Leaf(leaf.rev, is_deleted, receipt.writer, receipt.received_at)


def _spelled(flag: bool) -> str:
    return "true" if flag else "false"


def _quoted(key: str | None) -> str | None:
    return None if key is None else orjson.dumps(key).decode()


def _to_graft(doc: Mapping[str, Any]) -> Incoming:
    incoming = parse(doc)
    if not incoming.path:
        raise BadRequest(f"Document {incoming.id} has no _rev, which new_edits=false needs")
    for attachment in incoming.attachments:
        if attachment.mismatch is not None:
            raise ContentMismatch(attachment.mismatch)
    return incoming


_TOLD_ONLY = {"_revs_info", "_local_seq", "_conflicts", "_deleted_conflicts"}


def _sendable(doc: Mapping[str, Any]) -> Doc:
    """Without what only an answer says."""
    return {name: value for name, value in doc.items() if name not in _TOLD_ONLY}
