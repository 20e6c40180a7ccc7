"""The CouchDB store: databases of one CouchDB, each with its receipts beside it."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from sync.couchdb import errors, receipts
from sync.couchdb.address import Address
from sync.couchdb.client import READ_TIMEOUT_S, Client
from sync.couchdb.database import CouchDatabase
from sync.couchdb.receipts import Receipts
from sync.couchdb.watches import Watch
from sync.naming import check_database_name
from sync.store import (
    BEGINNING,
    BadRequest,
    Database,
    IllegalDatabaseName,
    NotFound,
    Seq,
    ensured,
)

KNOWN_S = 30.0  # how long a database that was found is taken to be there: a request less for each call
FULL_LOOK_S = 300.0
UPDATES_MAX = 10_000


class CouchStore:
    """See `sync.store.Store` for what each call promises. It keeps nothing that another process would miss:
    any number of servers can work on one CouchDB.
    """

    def __init__(self, address: Address) -> None:
        self._client = Client(address)
        self._prefix = address.prefix
        self._known: dict[str, tuple[str, float]] = {}  # name: (birth, when it was found)
        self._watches: dict[str, Watch] = {}
        self._watching = threading.Lock()
        self._uuid: str | None = None

    @property
    def uuid(self) -> str:
        if self._uuid is None:
            told = str(self._client.json("GET", [])["uuid"])
            self._uuid = told if not self._prefix else uuid.uuid5(uuid.NAMESPACE_URL, told + self._prefix).hex
        return self._uuid

    def create(self, name: str) -> Database:
        check_database_name(name)
        if name.startswith(receipts.PREFIX):
            raise IllegalDatabaseName(f"Name: '{name}'. Names that begin with {receipts.PREFIX} are taken.")
        kept = self._receipts(name)
        kept.create()
        self._client.call("PUT", [self._prefix + name])
        self._client.call("PUT", [self._prefix + name, "_security"], json=receipts.SECURITY)
        self._known.pop(name, None)
        return self.open(name)

    def open(self, name: str) -> Database:
        birth, found_at = self._known.get(name, ("", 0.0))
        if not birth or time.monotonic() - found_at > KNOWN_S:
            birth = self._birth(name)
            self._known[name] = (birth, time.monotonic())
        return self._database(name, birth)

    def _database(self, name: str, birth: str) -> CouchDatabase:
        return CouchDatabase(self._client, self._receipts(name), name, self._prefix + name, birth)

    def _birth(self, name: str) -> str:
        if name.startswith(("_", receipts.PREFIX)):
            raise NotFound(errors.DATABASE_GONE)
        return str(self._client.json("GET", [self._prefix + name]).get("instance_start_time", "0"))

    def _receipts(self, name: str) -> Receipts:
        return Receipts(self._client, f"{self._prefix}{receipts.PREFIX}{name}")

    def ensure(self, name: str) -> Database:
        return ensured(self, name)

    def delete(self, name: str) -> None:
        """The receipts go first: should it break off in between, what is left can be deleted again."""
        self._known.pop(name, None)
        self._birth(name)
        self._receipts(name).delete()
        self._client.call("DELETE", [self._prefix + name])
        with self._watching:
            watch = self._watches.pop(name, None)
        if watch is not None:
            watch.close(gone=True)

    def names(self) -> list[str]:
        found = (self._name(kept_name) for kept_name in self._client.json("GET", ["_all_dbs"]))
        return [name for name in found if name is not None]

    def _name(self, kept_name: str) -> str | None:
        """The name of one of our databases; None for CouchDB's own, for receipts and for what is others'."""
        if not kept_name.startswith(self._prefix):
            return None
        name = kept_name.removeprefix(self._prefix)
        return None if name.startswith(("_", receipts.PREFIX)) else name

    # Waiting

    def updates(self, since: Seq = BEGINNING) -> tuple[list[str], Seq]:
        """Now and then all are named: a node that dies takes along what it had not yet told the feed."""
        own, looked_at = _told_of_token(since)
        if time.time() - looked_at > FULL_LOOK_S:
            return self._all_updates()
        try:
            told = self._updates(own, feed="normal", limit=UPDATES_MAX)
        except BadRequest:
            return self._all_updates()
        return self._moved(told), _token(told["last_seq"], looked_at)

    def _all_updates(self) -> tuple[list[str], Seq]:
        now = self._updates("now", feed="normal")["last_seq"]  # first: what moves while names are read counts
        return self.names(), _token(now, time.time())

    def wait(self, since: Seq, timeout_s: float) -> bool:
        own, looked_at = _told_of_token(since)
        if time.time() - looked_at > FULL_LOOK_S:
            return True
        end = time.monotonic() + timeout_s
        while (left := end - time.monotonic()) > 0:
            told = self._updates(own, feed="longpoll", timeout=round(left * 1000), timeout_s=left)
            if self._moved(told):
                return True
            own = told["last_seq"]
        return False

    def _updates(self, since: str, *, timeout_s: float = 0, **params: Any) -> dict[str, Any]:
        params["since"] = since
        told: dict[str, Any]
        try:
            told = self._client.json(
                "GET", ["_db_updates"], params=params, timeout_s=READ_TIMEOUT_S + timeout_s
            )
        except NotFound:
            self._client.call("PUT", ["_global_changes"])  # where CouchDB keeps them; not everybody makes it
            told = self._client.json("GET", ["_db_updates"], params=params)
        return told

    def _moved(self, told: dict[str, Any]) -> list[str]:
        names = (self._name(row["db_name"]) for row in told["results"])
        return list(dict.fromkeys(name for name in names if name is not None))

    def wait_for(self, database: Database, since: Seq, timeout_s: float) -> bool:
        ours = _ours(database)
        moved = partial(_has_moved, ours, since)
        return moved() if timeout_s <= 0 else self._watch(ours).wait(since, timeout_s, moved)

    def call_when_moved(self, database: Database, since: Seq, call: Callable[[], None]) -> Callable[[], None]:
        ours = _ours(database)
        return self._watch(ours).call(since, call, partial(_has_moved, ours, since))

    def _watch(self, database: CouchDatabase) -> Watch:
        with self._watching:
            watch = self._watches.get(database.name)
            if watch is None or watch.closed:
                watch = self._watches[database.name] = Watch(database.seq, database.longpoll)
            return watch

    def close(self) -> None:
        with self._watching:
            for watch in self._watches.values():
                watch.close()
            self._watches.clear()
        self._client.close()


def _ours(database: Database) -> CouchDatabase:
    if not isinstance(database, CouchDatabase):
        raise TypeError("a database of another store")
    return database


def _has_moved(database: CouchDatabase, since: Seq) -> bool:
    return bool(database.changes(since=since, limit=1).rows)


def _token(own: object, looked_at: float) -> Seq:
    return f"{own}@{looked_at:.0f}"


def _told_of_token(since: Seq) -> tuple[str, float]:
    """CouchDB's own token and when all databases were last named, in seconds since 1970."""
    own, _, looked_at = since.rpartition("@")
    return own, float(looked_at) if own and looked_at.isdigit() else 0.0
