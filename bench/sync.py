"""Push and pull with the requests of PouchDB 9's replicator, every answer checked.

    python -m bench.sync URL [URL…] [--phones 1 32] [--docs 1000] [--batch 100] [--rounds 5]

Each phone opens its own connection, as phones do. Several URLs are measured in turn within each round, so
that a change of the machine's mood hits all of them; the medians and their ratios to the first URL are
printed.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import json
import os
import random
import statistics
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

VILLAGES = ("示范一村", "示范二村", "示范三村")
REMARKS = (
    "家中老人独居，已嘱咐邻居照看",
    "上门未遇，已留温馨提示",
    "体温正常，无外出史",
    "需代购米面和常用药品",
    "楼道已消毒，通风半小时",
)


class WrongAnswer(Exception):
    """The server answered something that a replicator could not have used."""


@dataclass
class Server:
    """One CouchDB-speaking address, taken apart once."""

    url: str
    host: str = field(init=False)
    port: int = field(init=False)
    path: str = field(init=False)
    authorization: str = field(init=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        self.host = parts.hostname or "127.0.0.1"
        self.port = parts.port or 80
        self.path = parts.path.rstrip("/")
        credentials = f"{parts.username}:{parts.password}".encode()
        self.authorization = f"Basic {base64.b64encode(credentials).decode()}" if parts.username else ""

    @property
    def label(self) -> str:
        return f"{self.host}:{self.port}{self.path}"


class Phone:
    """One HTTP/1.1 connection that is kept open, and opened again when the server has closed it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> Phone:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.hang_up()

    def hang_up(self) -> None:
        if self.writer:
            self.writer.close()
        self.writer = None

    async def call(self, method: str, path: str, body: Any = None, expect: tuple[int, ...] = (200,)) -> Any:
        payload = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        head = [
            f"{method} {self.server.path}{path} HTTP/1.1",
            f"Host: {self.server.host}:{self.server.port}",
            "Accept: application/json",
            "Content-Type: application/json",
            f"Content-Length: {len(payload)}",
        ]
        if self.server.authorization:
            head.append(f"Authorization: {self.server.authorization}")
        if self.reader is not None and self.reader.at_eof():
            self.hang_up()
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection(
                self.server.host, self.server.port, limit=2**24
            )
        self.writer.write("\r\n".join([*head, "", ""]).encode() + payload)
        status, answer = await self._answer()
        if status not in expect:
            raise WrongAnswer(f"{method} {path}: {status} {answer[:200]!r}")
        return json.loads(answer) if answer else None

    async def _answer(self) -> tuple[int, bytes]:
        assert self.reader is not None
        lines = (await self.reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
        status = int(lines[0].split()[1])
        headers = {
            k.strip().lower(): v.strip() for k, _, v in (line.partition(b":") for line in lines[1:] if line)
        }
        if headers.get(b"transfer-encoding", b"").lower() == b"chunked":
            body = await self._chunks()
        else:
            body = await self.reader.readexactly(int(headers.get(b"content-length", b"0")))
        if headers.get(b"connection", b"").lower() == b"close":
            self.hang_up()
        return status, body

    async def _chunks(self) -> bytes:
        assert self.reader is not None
        parts = []
        while size := int((await self.reader.readuntil(b"\r\n")).split(b";")[0], 16):
            parts.append(await self.reader.readexactly(size))
            await self.reader.readexactly(2)
        await self.reader.readuntil(b"\r\n")
        return b"".join(parts)


def record(rng: random.Random, phone: int, number: int) -> dict[str, Any]:
    """A household visit of about 0.9 KB, grafted as its first revision."""
    moment = f"2020-02-{rng.randrange(1, 21):02d}T{rng.randrange(8, 18):02d}:{rng.randrange(60):02d}:00+08:00"
    body = {
        "type": "record",
        "form_id": "household_visit",
        "form_version": "1",
        "work_date": moment[:10],
        "captured_at": moment,
        "started_at": moment,
        "ended_at": moment,
        "entry_mode": "on_spot",
        "device_id": f"bench-{phone}",
        "filler_id": f"F{phone:04d}",
        "filler_role": "grid_volunteer",
        "town_code": "370304001",
        "village_code": "370304001901",
        "remark": "；".join(rng.choices(REMARKS, k=4)),
        "answers": {
            "household_id": f"370304001901-{number:04d}",
            "register_status": "on_register",
            "visit_method": "door",
            "visit_result": "met",
            "informant": "head",
            "resident_count": rng.randrange(1, 7),
            "q_fever": "no",
            "q_symptom": "no",
            "q_key_area": "no",
            "q_contact": "no",
            "q_outside": "no",
            "roster_changed": "no",
            "publicity": ["oral", "leaflet"],
            "needs": ["none"],
            "place": rng.choice(VILLAGES),
        },
    }
    digest = hashlib.md5(json.dumps(body, sort_keys=True).encode(), usedforsecurity=False).hexdigest()
    name = uuid.UUID(int=rng.getrandbits(128), version=4)
    return {
        "_id": f"record:household_visit:{body['work_date'].replace('-', '')}:{name}",  # type: ignore[attr-defined]
        "_rev": f"1-{digest}",
        "_revisions": {"start": 1, "ids": [digest]},
        **body,
    }


async def checkpoint(phone: Phone, database: str, replication: str, seq: Any, rev: str | None) -> str:
    body = {
        "_id": f"_local/{replication}",
        "session_id": replication,
        "last_seq": seq,
        "history": [{"last_seq": seq, "session_id": replication}],
        "replicator": "pouchdb",
        "version": 1,
    }
    if rev:
        body["_rev"] = rev
    answer = await phone.call("PUT", f"/{database}/_local/{quote(replication, safe='')}", body, (201,))
    return str(answer["rev"])


async def push(server: Server, database: str, docs: list[dict[str, Any]], batch: int) -> None:
    replication = uuid.uuid4().hex
    async with Phone(server) as phone:
        await phone.call("GET", f"/{database}/")
        await phone.call("GET", "/")
        await phone.call("GET", f"/{database}/_local/{replication}", expect=(404,))
        rev: str | None = None
        for start in range(0, len(docs), batch):
            part = docs[start : start + batch]
            asked = {doc["_id"]: [doc["_rev"]] for doc in part}
            missing = await phone.call("POST", f"/{database}/_revs_diff", asked)
            if set(missing) != set(asked):
                raise WrongAnswer(f"_revs_diff left out {set(asked) - set(missing)}")
            rows = await phone.call(
                "POST", f"/{database}/_bulk_docs", {"docs": part, "new_edits": False}, (201,)
            )
            if any("error" in row for row in rows):
                raise WrongAnswer(f"_bulk_docs refused: {rows[:3]}")
            rev = await checkpoint(phone, database, replication, start + len(part), rev)


async def pull(server: Server, database: str, expected: int, batch: int) -> None:
    replication, since, seen, rev = uuid.uuid4().hex, "0", 0, None
    async with Phone(server) as phone:
        await phone.call("GET", f"/{database}/")
        await phone.call("GET", "/")
        while True:
            page = await phone.call(
                "GET", f"/{database}/_changes?style=all_docs&limit={batch}&since={quote(str(since), safe='')}"
            )
            if not page["results"]:
                break
            wanted = [
                {"id": row["id"], "rev": change["rev"]}
                for row in page["results"]
                for change in row["changes"]
            ]
            got = await phone.call("POST", f"/{database}/_bulk_get?revs=true&latest=true", {"docs": wanted})
            bodies = [entry["ok"] for result in got["results"] for entry in result["docs"]]
            if [(doc["_id"], doc["_rev"]) for doc in bodies] != [(w["id"], w["rev"]) for w in wanted]:
                raise WrongAnswer("_bulk_get did not give what _changes named")
            seen += len(bodies)
            since = page["last_seq"]
            rev = await checkpoint(phone, database, replication, since, rev)
    if seen != expected:
        raise WrongAnswer(f"pulled {seen} documents of {expected}")


async def timed(work: Callable[[], Awaitable[Any]]) -> float:
    start = time.perf_counter()
    await work()
    return time.perf_counter() - start


async def round_of(server: Server, phones: int, docs: int, batch: int, seed: int) -> tuple[float, float]:
    """(pushed, pulled) in docs/s by `phones` phones at once; `docs` documents in a database of their own."""
    database = f"bench-{uuid.uuid4().hex[:12]}"
    rng = random.Random(seed)
    share = docs // phones
    piles = [[record(rng, phone, number) for number in range(share)] for phone in range(phones)]
    async with Phone(server) as admin:
        await admin.call("PUT", f"/{database}", expect=(201, 202))
        try:
            pushed = await timed(
                lambda: asyncio.gather(*(push(server, database, pile, batch) for pile in piles))
            )
            count = (await admin.call("GET", f"/{database}/"))["doc_count"]
            if count != share * phones:
                raise WrongAnswer(f"{count} documents are there of {share * phones} acknowledged")
            pulled = await timed(
                lambda: asyncio.gather(*(pull(server, database, count, batch) for _ in piles))
            )
        finally:
            await admin.call("DELETE", f"/{database}", expect=(200, 202))
    return count / pushed, count * phones / pulled


async def measure(options: argparse.Namespace) -> None:
    servers = [Server(url) for url in options.urls]
    print(
        f"machine: {os.cpu_count()} cores, load generator on the same machine; "
        f"{options.rounds} rounds, batch {options.batch}"
    )
    for phones in options.phones:
        results: dict[str, list[tuple[float, float]]] = {server.label: [] for server in servers}
        for seed in range(options.rounds):
            for server in servers:
                results[server.label].append(
                    await round_of(server, phones, options.docs, options.batch, seed)
                )
        report(phones, options.docs, results)


def report(phones: int, docs: int, results: dict[str, list[tuple[float, float]]]) -> None:
    base: tuple[float, float] | None = None
    for label, rounds in results.items():
        pushed, pulled = (statistics.median(column) for column in zip(*rounds, strict=True))
        base = base or (pushed, pulled)
        print(
            f"{phones:3d} phone(s), {docs} docs  {label:40s}"
            f" push {pushed:8.0f} docs/s ({pushed / base[0]:.2f}×)"
            f"  pull {pulled:8.0f} docs/s ({pulled / base[1]:.2f}×)"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("urls", nargs="+", metavar="URL")
    parser.add_argument("--phones", type=int, nargs="+", default=[1, 32])
    parser.add_argument("--docs", type=int, default=3200)
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
