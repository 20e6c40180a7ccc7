"""The document store's interface: what CouchDB promises a replicating client, as Python calls.

Every backend keeps these promises; `tests/sync/contract/` states them as tests.

* What a write call acknowledged is on disk before the call returns.
* Databases are independent. A document appears in the changes once, at its latest sequence.
* A sequence is an opaque text: only the database that gave it can tell what came after it. Two may differ and
  mean the same, so they are never compared or ordered. `BEGINNING` stands before every change, and so does a
  sequence that the database does not know: another store's, or one of a database that was deleted and made
  anew. A client may then see changes again; it never misses one.
* Revision trees are CouchDB's: `new_edits=False` grafts a revision with its history; nothing that arrived
  is dropped.
* Besides the document, the store remembers for each revision the `writer` who handed it in and the time
  `received_at` (RFC 3339, UTC, milliseconds).

Documents are plain dicts in CouchDB's JSON form (`_id`, `_rev`, `_revisions`, `_deleted`, `_attachments`, …).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Doc = dict[str, Any]
Seq = str

BEGINNING: Seq = "0"


class StoreError(Exception):
    """An answer of the store that a client can act on; `status`, `error` and `reason` are CouchDB's."""

    status = 500
    error = "internal_server_error"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BadRequest(StoreError):
    status, error = 400, "bad_request"


class IllegalDocid(BadRequest):
    error = "illegal_docid"


class IllegalDatabaseName(BadRequest):
    error = "illegal_database_name"


class DocValidation(BadRequest):
    error = "doc_validation"


class ContentMismatch(BadRequest):
    """An attachment is not what its declared digest or length says."""

    error = "content_md5_mismatch"


class NotFound(StoreError):
    status, error = 404, "not_found"


class Conflict(StoreError):
    status, error = 409, "conflict"


class FileExists(StoreError):
    status, error = 412, "file_exists"


class MissingStub(StoreError):
    status, error = 412, "missing_stub"


class InsufficientStorage(StoreError):
    """The disk is full. Nothing of the call was written; it can be repeated when there is room again."""

    status, error = 507, "insufficient_storage"


class TooLarge(StoreError):
    status, error = 413, "document_too_large"


@dataclass(frozen=True, slots=True)
class Receipt:
    """Who handed a revision in, and when: RFC 3339, UTC, milliseconds."""

    writer: str
    received_at: str


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf of a revision tree and, where receipts were asked for, how it came."""

    rev: str
    deleted: bool
    writer: str = ""
    received_at: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One row of the changes; `leaves[0]` is the winner. `doc` is the winner's body if asked for."""

    seq: Seq
    id: str
    deleted: bool
    leaves: tuple[Leaf, ...]
    doc: Doc | None = None


@dataclass(frozen=True, slots=True)
class ChangesPage:
    rows: list[Change]
    last_seq: Seq
    pending: int


@dataclass(frozen=True, slots=True)
class Attachment:
    content_type: str
    digest: str  # "md5-" + base64
    length: int  # bytes
    data: bytes


class Database(Protocol):
    """One database. Every call raises NotFound when the database is gone."""

    name: str

    def seq(self) -> Seq:
        """A sequence after which nothing has changed yet."""

    def revs_limit(self) -> int: ...

    def set_revs_limit(self, limit: int) -> None: ...

    def info(self) -> dict[str, Any]:
        """CouchDB's `GET /{db}`: db_name, doc_count, doc_del_count, update_seq, …

        By `instance_start_time` CouchDB's replicator notices that a database was made anew.
        """

    def get(
        self,
        doc_id: str,
        *,
        rev: str | None = None,
        latest: bool = False,
        revs: bool = False,
        revs_info: bool = False,
        conflicts: bool = False,
        deleted_conflicts: bool = False,
        attachments: bool = False,
        local_seq: bool = False,
    ) -> Doc:
        """The winner, or the revision asked for. Raises NotFound("missing" or "deleted").

        With `local_seq` the winner has `_local_seq`, a number that says nothing outside of the store.
        """

    def open_revs(
        self, doc_id: str, open_revs: Sequence[str] | None, **options: bool
    ) -> list[dict[str, Any]]:
        """`[{"ok": doc} | {"missing": rev}]`; None asks for all leaves."""

    def put(self, doc: Mapping[str, Any], *, writer: str) -> str:
        """Write one document as an interactive edit and return its revision. Raises Conflict."""

    def bulk_docs(
        self, docs: Sequence[Mapping[str, Any]], *, new_edits: bool = True, writer: str
    ) -> list[dict[str, Any]]:
        """One row a document, in order: {ok, id, rev} or {id, error, reason}. `new_edits=False` grafts."""

    def restore(self, received: Sequence[tuple[Doc, Receipt]]) -> None:
        """Graft revisions that another store received before, each with the receipt that it got there."""

    def revs_diff(self, revs: Mapping[str, Sequence[str]]) -> dict[str, dict[str, list[str]]]:
        """{id: {missing, possible_ancestors?}} for the ids with missing revisions."""

    def bulk_get(self, requests: Sequence[Mapping[str, Any]], **options: bool) -> list[dict[str, Any]]:
        """CouchDB's `results` list."""

    def changes(
        self,
        *,
        since: Seq = BEGINNING,
        limit: int | None = None,
        include_docs: bool = False,
        doc_ids: Iterable[str] | None = None,
        receipts: bool = False,
    ) -> ChangesPage:
        """What changed after `since`; `receipts` asks for each leaf's writer and time, which may cost.

        A page has `limit` rows at most. One with documents may end earlier, so that it stays small; whether
        there is more is for `pending` to say.
        """

    def changes_backwards(
        self, *, limit: int | None = None, include_docs: bool = False, doc_ids: Iterable[str] | None = None
    ) -> Iterator[Change]:
        """The latest first, read in pages: memory stays flat. What moves meanwhile may be absent."""

    def all_docs(
        self,
        *,
        keys: Sequence[str] | None = None,
        startkey: str | None = None,
        endkey: str | None = None,
        inclusive_end: bool = True,
        descending: bool = False,
        skip: int = 0,
        limit: int | None = None,
        include_docs: bool = False,
        conflicts: bool = False,
        attachments: bool = False,
    ) -> dict[str, Any]:
        """{total_rows, offset, rows:[{id, key, value:{rev, deleted?}, doc?} | {key, error}]}"""

    def documents(self, prefix: str = "") -> Iterator[Doc]:
        """Every live winner whose id begins with `prefix`, by id, read in pages: memory stays flat."""

    def attachment(self, doc_id: str, name: str, *, rev: str | None = None) -> Attachment: ...

    def put_attachment(
        self, doc_id: str, name: str, data: bytes, content_type: str, *, rev: str | None, writer: str
    ) -> str: ...

    def delete_attachment(self, doc_id: str, name: str, *, rev: str | None, writer: str) -> str: ...

    def get_local(self, local_id: str) -> Doc:
        """`local_id` without the `_local/` prefix. Local documents never replicate."""

    def local_docs(
        self,
        *,
        startkey: str | None,
        endkey: str | None,
        inclusive_end: bool,
        descending: bool,
        skip: int,
        limit: int,
    ) -> list[Doc]:
        """A page of local documents by id; keys are without the `_local/` prefix. It may be shorter than
        `limit`, but is empty only at the end.
        """

    def put_local(self, doc: Mapping[str, Any], local_id: str) -> str: ...

    def delete_local(self, local_id: str) -> None: ...

    def compact(self) -> None: ...


class Store(Protocol):
    """All databases of one server."""

    @property
    def uuid(self) -> str:
        """Stable across restarts, different between servers."""

    def create(self, name: str) -> Database:
        """Raises FileExists or IllegalDatabaseName."""

    def open(self, name: str) -> Database:
        """Raises NotFound("Database does not exist.")."""

    def ensure(self, name: str) -> Database:
        """Open, creating it when absent."""

    def delete(self, name: str) -> None: ...

    def names(self) -> list[str]: ...

    def updates(self, since: Seq = BEGINNING) -> tuple[list[str], Seq]:
        """The databases that moved after `since`, perhaps others too, and the token to ask with next."""

    def wait(self, since: Seq, timeout_s: float) -> bool:
        """Sleep until a database moves past the `updates` token `since`, in any process. True if one did."""

    def wait_for(self, database: Database, since: Seq, timeout_s: float) -> bool:
        """Sleep until `database` moves past its sequence `since`, in any process. True if it did."""

    def call_when_moved(self, database: Database, since: Seq, call: Callable[[], None]) -> Callable[[], None]:
        """Call `call`, which must not wait, when `database` moves past `since` or is gone, in any process; at
        once if it has already. It may be called more than once, and for nothing. Returns what ends that.
        """

    def close(self) -> None: ...


def ensured(store: Store, name: str) -> Database:
    """The database, which may be made by somebody else at the same moment."""
    try:
        return store.open(name)
    except NotFound:
        pass
    try:
        return store.create(name)
    except FileExists:
        return store.open(name)
