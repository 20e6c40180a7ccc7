"""The work shapes. Each makes its databases, does its work with every answer checked, and clears up.

rush     many phones with a handful of records each, a connection each
district fewer phones with a day's records, or one alone with many: pushed, counted, pulled, read whole
waiting  open longpolls, and one write that ends them
nothing  a phone that is up to date looks again
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson

from bench.sync import replicator
from bench.sync.http import Address, Connection, Tally
from bench.sync.records import Record, pile
from bench.sync.replicator import check
from bench.sync.watching import Watch

AT_ONCE = 32
SETTLE_S = 1.0
WAIT_ROUNDS = 3

Figures = dict[str, float]
Job = Callable[[Connection], Awaitable[None]]


@dataclass
class Work:
    """One server's turn in one round. `figures` collects what was measured, by name and unit."""

    address: Address
    seed: int
    figures: Figures

    @asynccontextmanager
    async def databases(self, count: int) -> AsyncIterator[list[str]]:
        names = [f"bench-{uuid.uuid4().hex[:10]}-{number}" for number in range(count)]
        admin = Connection(self.address, Tally())
        for name in names:
            await admin.ask("PUT", f"/{name}", expect=201)
        try:
            yield names
        finally:
            for name in names:
                await admin.ask("DELETE", f"/{name}")
            admin.close()

    async def measured(self, name: str, docs: int, jobs: Iterable[Job], at_once: int = AT_ONCE) -> None:
        """Do the jobs, each on a connection of its own, and keep what they took."""
        tally = Tally()
        with Watch(self.address.port) as watch:
            start = time.perf_counter()
            await self.all(jobs, at_once, tally)
            seconds = time.perf_counter() - start
        self.figures |= {
            f"{name}: docs/s": docs / seconds,
            f"{name}: requests/s": tally.requests / seconds,
            f"{name}: p50 ms": tally.quantile_ms(0.5),
            f"{name}: p95 ms": tally.quantile_ms(0.95),
            f"{name}: p99 ms": tally.quantile_ms(0.99),
            f"{name}: server CPU µs/doc": watch.cpu_s / docs * 1e6,
            f"{name}: server MB": watch.memory_mb,
        }

    async def all(self, jobs: Iterable[Job], at_once: int, tally: Tally) -> None:
        waiting = iter(jobs)

        async def take_turns() -> None:
            for job in waiting:
                phone = Connection(self.address, tally)
                try:
                    await job(phone)
                finally:
                    phone.close()

        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(take_turns())

    async def count(self, names: Iterable[str], expected: int) -> None:
        admin = Connection(self.address, Tally())
        found = [(await admin.ask("GET", f"/{name}/"))["doc_count"] for name in names]
        admin.close()
        check(sum(found) == expected, f"{sum(found)} documents are there of {expected} acknowledged")


def _pusher(name: str, phone: int, records: list[Record]) -> Job:
    return lambda connection: replicator.push(connection, name, f"push {phone} {name}", records)


async def _pushed(work: Work, name: str, databases: list[str], piles: list[list[Record]]) -> None:
    jobs = [_pusher(databases[k % len(databases)], k, records) for k, records in enumerate(piles)]
    total = sum(map(len, piles))
    await work.measured(name, total, jobs)
    await work.count(databases, total)


async def rush(work: Work, phones: int = 3000, records: int = 5) -> None:
    piles = [pile(work.seed, phone, records) for phone in range(phones)]
    async with work.databases(1) as names:
        await _pushed(work, "push", names, piles)


async def spread(work: Work, phones: int = 300, records: int = 100, databases: int = 30) -> None:
    piles = [pile(work.seed, phone, records) for phone in range(phones)]
    async with work.databases(databases) as names:
        await _pushed(work, "push", names, piles)


async def district(work: Work, phones: int = 300, records: int = 100, pulling: int = 4) -> None:
    piles = [pile(work.seed, phone, records) for phone in range(phones)]
    expected = {one.id: one for records_ in piles for one in records_}
    async with work.databases(1) as names:
        await _pushed(work, "push", names, piles)

        def puller(number: int) -> Job:
            return lambda phone: replicator.pull(
                phone, names[0], f"pull {number}", expected, compare_bodies=number == 0
            )

        await work.measured("pull", pulling * len(expected), map(puller, range(pulling)))
        for path, rows in (("_all_docs", "rows"), ("_changes", "results")):
            await _read_whole(work, names[0], path, rows, expected)


async def _read_whole(work: Work, name: str, path: str, rows: str, expected: dict[str, Record]) -> None:
    told: list[bytes] = []

    async def read(phone: Connection) -> None:
        told.append(await phone.ask_raw("GET", f"/{name}/{path}?include_docs=true"))

    await work.measured(path, len(expected), [read])
    docs = [row["doc"] for row in orjson.loads(told[0])[rows]]
    check(len(docs) == len(expected), f"{path} has {len(docs)} rows")
    check(all(doc["_rev"] == expected[doc["_id"]].rev for doc in docs), f"{path} tells other revisions")


async def waiting(work: Work, longpolls: int = 1000) -> None:
    """`all have it` counts from the write's first byte to the last longpoll's last."""
    async with work.databases(1) as names:
        with Watch(work.address.port) as watch:
            rounds = [await _wait_once(work, names[0], longpolls, number) for number in range(WAIT_ROUNDS)]
    opened, had = (sorted(column)[len(rounds) // 2] for column in zip(*rounds, strict=True))
    work.figures |= {"opened ms": opened, "all have it ms": had, "server MB": watch.memory_mb}


async def _wait_once(work: Work, name: str, longpolls: int, number: int) -> tuple[float, float]:
    phones = [Connection(work.address, Tally()) for _ in range(longpolls)]
    start = time.perf_counter()
    slots = asyncio.Semaphore(2 * AT_ONCE)

    async def open_one(phone: Connection) -> None:
        async with slots:
            await phone.send(
                "GET", f"/{name}/_changes?feed=longpoll&style=all_docs&since=now&heartbeat=10000"
            )
            await phone.begun()

    await asyncio.gather(*map(open_one, phones))
    opened = time.perf_counter() - start
    await asyncio.sleep(SETTLE_S)
    check(not any(phone.answered().done() for phone in phones), "a longpoll ended before there was a change")
    writer = Connection(work.address, Tally())
    start = time.perf_counter()
    await writer.ask("PUT", f"/{name}/notice-{number}", b'{"text":"\xe5\x9b\x9e\xe8\xae\xbf"}', expect=201)
    answers = await asyncio.gather(*(phone.answered() for phone in phones))
    had = time.perf_counter() - start
    for phone in (*phones, writer):
        phone.close()
    for status, told in answers:
        ids = [row["id"] for row in orjson.loads(told)["results"]]
        check(status == 200 and ids == [f"notice-{number}"], f"a longpoll said {status} {ids}")
    return opened * 1000, had * 1000


async def nothing(work: Work, phones: int = 300, records: int = 5) -> None:
    """What is told is the cost of one phone that looks and finds nothing."""
    async with work.databases(1) as names:
        records_ = pile(work.seed, 0, records)
        setter = Connection(work.address, Tally())
        await replicator.push(setter, names[0], "push", records_)
        last_seq = (await setter.ask("GET", f"/{names[0]}/_changes"))["last_seq"]
        checkpoint = replicator.Checkpoint(setter, names[0], "pull")
        await checkpoint.move(last_seq)
        tally = Tally()
        start = time.perf_counter()
        await work.all([_looker(names[0], checkpoint, last_seq)] * phones, AT_ONCE, tally)
        seconds = time.perf_counter() - start
        setter.close()
    work.figures |= {
        "round trips": tally.requests / phones,
        "bytes of bodies": tally.body_bytes / phones,
        "phones/s": phones / seconds,
        "p50 ms": tally.quantile_ms(0.5),
        "p99 ms": tally.quantile_ms(0.99),
    }


def _looker(name: str, checkpoint: replicator.Checkpoint, last_seq: Any) -> Job:
    return lambda phone: replicator.find_nothing(phone, name, checkpoint.seen_by(phone), last_seq)
