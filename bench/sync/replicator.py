"""The requests of PouchDB 9's replicator, in its order, each answer checked."""

from __future__ import annotations

import base64
import copy
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import orjson

from bench.sync.http import Connection, WrongAnswer
from bench.sync.records import Record

BATCH = 100


def check(holds: bool, wrong: str) -> None:
    if not holds:
        raise WrongAnswer(wrong)


class Checkpoint:
    """The replicator's local document on the server: where it stands."""

    def __init__(self, phone: Connection, database: str, replication: str) -> None:
        digest = base64.b64encode(hashlib.md5(replication.encode(), usedforsecurity=False).digest())
        name = digest.decode().replace("/", ".").replace("+", "_")
        self._phone = phone
        self._path = f"/{database}/_local/{quote(name, safe='')}"
        self._doc: dict[str, Any] = {
            "_id": f"_local/{name}",
            "session_id": replication,
            "replicator": "pouchdb",
            "version": 1,
        }
        self._is_new = True

    def seen_by(self, phone: Connection) -> Checkpoint:
        """The same checkpoint over another connection."""
        other = copy.copy(self)
        other._phone = phone
        return other

    async def look(self) -> Any:
        """What it says on the server; None when it is not there, as it must be before the first `move`."""
        if self._is_new:
            await self._phone.ask("GET", self._path, expect=404, kind="GET _local")
            return None
        found = await self._phone.ask("GET", self._path, kind="GET _local")
        check(found["last_seq"] == self._doc["last_seq"], f"the checkpoint says {found['last_seq']}")
        return found

    async def move(self, last_seq: Any) -> None:
        found = await self.look()
        if found is not None:
            self._doc["_rev"] = found["_rev"]
        step = {"last_seq": last_seq, "session_id": self._doc["session_id"]}
        self._doc |= {"last_seq": last_seq, "history": [step]}
        told = await self._phone.ask(
            "PUT", self._path, orjson.dumps(self._doc), expect=201, kind="PUT _local"
        )
        check(told["ok"] is True, f"the checkpoint was not taken: {told}")
        self._is_new = False


async def _greet(phone: Connection, database: str) -> None:
    await phone.ask("GET", f"/{database}/", kind="GET database")
    await phone.ask("GET", "/", kind="GET server")


async def push(phone: Connection, database: str, replication: str, records: Sequence[Record]) -> None:
    checkpoint = Checkpoint(phone, database, replication)
    await _greet(phone, database)
    await checkpoint.look()
    for start in range(0, len(records), BATCH):
        some = records[start : start + BATCH]
        asked = {one.id: [one.rev] for one in some}
        missing = await phone.ask("POST", f"/{database}/_revs_diff", orjson.dumps(asked))
        wanted = {doc_id: {"missing": revs} for doc_id, revs in asked.items()}
        check(missing == wanted, "_revs_diff does not miss what was never sent")
        body = b'{"docs":[' + b",".join(one.json for one in some) + b'],"new_edits":false}'
        rows = await phone.ask("POST", f"/{database}/_bulk_docs", body, expect=201)
        check(not any("error" in row for row in rows), f"_bulk_docs refused {rows[:2]}")
        await checkpoint.move(start + len(some))


async def pull(
    phone: Connection,
    database: str,
    replication: str,
    expected: Mapping[str, Record],
    *,
    since: Any = 0,
    compare_bodies: bool = False,
) -> None:
    """All after `since`, which must be `expected`, each document once."""
    checkpoint = Checkpoint(phone, database, replication)
    await _greet(phone, database)
    await checkpoint.look()
    seen: set[str] = set()
    while True:
        await phone.ask("GET", f"/{database}/", kind="GET database")
        place = quote(str(since), safe="")
        page = await phone.ask("GET", f"/{database}/_changes?style=all_docs&since={place}&limit={BATCH}")
        if not page["results"]:
            break
        for doc in await _bulk_get(phone, database, page["results"]):
            record = expected[doc["_id"]]
            check(doc["_rev"] == record.rev and doc["_id"] not in seen, f"{doc['_id']} came wrong or twice")
            check(doc["_revisions"]["ids"] == [record.rev[2:]], f"{doc['_id']} has another history")
            check(not compare_bodies or doc == orjson.loads(record.json), f"{doc['_id']} was changed")
            seen.add(doc["_id"])
        since = page["results"][-1]["seq"]
        await checkpoint.move(since)
    check(len(seen) == len(expected), f"{len(seen)} documents came of {len(expected)}")


async def _bulk_get(
    phone: Connection, database: str, changes: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    asked = [{"id": row["id"], "rev": one["rev"]} for row in changes for one in row["changes"]]
    told = await phone.ask(
        "POST", f"/{database}/_bulk_get?revs=true&latest=true", orjson.dumps({"docs": asked})
    )
    docs = [one.get("ok") for result in told["results"] for one in result["docs"]]
    check(len(docs) == len(asked) and all(docs), "_bulk_get did not give what _changes named")
    return docs


async def find_nothing(phone: Connection, database: str, checkpoint: Checkpoint, since: Any) -> None:
    """A pull and a push of a phone that is up to date."""
    await _greet(phone, database)
    await checkpoint.look()
    await phone.ask("GET", f"/{database}/", kind="GET database")
    place = quote(str(since), safe="")
    page = await phone.ask("GET", f"/{database}/_changes?style=all_docs&since={place}&limit={BATCH}")
    check(page["results"] == [], "there was something")
