"""The same calls on a database of ten thousand, a million, five million documents.

    python -m bench.sync.growth FOLDER [--sizes 10000 1000000 5000000]

FOLDER becomes a data folder: its store is filled straight through `sync.embedded`, then a real server is
started on it and asked over HTTP. Five million documents take some ten minutes and 8 GB. Run it again with
larger sizes, and it goes on from what is there.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import socket
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson

from bench.sync import replicator
from bench.sync.http import Address, Connection, Tally
from bench.sync.records import pile
from bench.sync.replicator import check
from bench.sync.works import Figures, Job, Work
from sync.embedded import open_store
from sync.store import Database

DATABASE = "growth"
BATCH = 2000
PASSWORD = "only-on-this-machine"  # noqa: S105
LOOKS = 100
PHONES, RECORDS = 30, 100
TODAY = 21  # no record of it is there before
COLUMNS = (
    "push: docs/s", "push of one day: docs/s", "pull: docs/s", "rush: requests/s", "rush: p99 ms",
    "page of _all_docs: p50 ms", "100 random documents: p50 ms", "nothing new: p50 ms",
)  # fmt: skip


def fill(database: Database, size: int) -> float:
    """Documents like those of phones until there are `size`; returns docs/s."""
    bodies = [orjson.loads(one.json) for one in pile(0, 0, BATCH)]
    rng = random.Random(size)
    start, before = time.perf_counter(), database.info()["doc_count"]
    for have in range(before, size, BATCH):
        docs = [body | {"_id": _some_id(rng)} for body in bodies[: size - have]]
        database.bulk_docs(docs, new_edits=False, writer="bench")
    return max(0, size - before) / (time.perf_counter() - start)


def _new_seed() -> int:
    """Another run on the same folder must push other records."""
    return uuid.uuid4().int


def _some_id(rng: random.Random) -> str:
    name = uuid.UUID(int=rng.getrandbits(128), version=4)
    return f"record:household_visit:202002{rng.randrange(1, 21):02d}:{name}"


@contextmanager
def server(folder: Path) -> Iterator[Address]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environ = os.environ | {
        "GRIDBOOK_DATA": str(folder), "PORT": str(port), "GRIDBOOK_SYNC_ADMIN": f"bench:{PASSWORD}"
    }  # fmt: skip
    process = subprocess.Popen([sys.executable, "-m", "gunicorn", "wsgi:application"], env=environ)
    try:
        _wait_until_it_listens(port, process)
        yield Address.of(f"http://bench:{PASSWORD}@127.0.0.1:{port}/sync")
    finally:
        process.terminate()
        process.wait(60)


def _wait_until_it_listens(port: int, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            time.sleep(0.1)
    raise SystemExit("the server did not start")


async def measure(address: Address, seed: int) -> Figures:
    figures: Figures = {}
    work = Work(address, seed, figures)
    asker = Connection(address, Tally())
    since = (await asker.ask("GET", f"/{DATABASE}/"))["update_seq"]
    piles = [pile(seed, phone, RECORDS) for phone in range(PHONES)]
    expected = {one.id: one for some in piles for one in some}
    await work.measured("push", len(expected), [_push(seed, *row) for row in enumerate(piles)])
    of_today = [pile(seed + 1, phone, RECORDS, TODAY) for phone in range(PHONES)]
    jobs = [_push(seed + 1, *row) for row in enumerate(of_today)]
    await work.measured("push of one day", PHONES * RECORDS, jobs)
    expected |= {one.id: one for some in of_today for one in some}
    pull = partial(replicator.pull, database=DATABASE, replication=f"{seed}", expected=expected, since=since)
    await work.measured("pull", len(expected), [lambda phone: pull(phone)])
    few = [pile(seed, phone, 5) for phone in range(PHONES, PHONES + 300)]
    await work.measured("rush", 5 * len(few), [_push(seed, k, some) for k, some in enumerate(few, PHONES)])
    ids = list(expected)
    await work.measured("page of _all_docs", LOOKS, [_read_page(ids, seed)])
    await work.measured("100 random documents", LOOKS, [_read_random(ids, seed)])
    await work.measured(
        "nothing new", LOOKS, [_look(since := (await asker.ask("GET", f"/{DATABASE}/"))["update_seq"])]
    )
    asker.close()
    return figures


def _push(seed: int, number: int, records: Any) -> Job:
    return lambda phone: replicator.push(phone, DATABASE, f"push {seed} {number}", records)


def _read_page(ids: list[str], seed: int) -> Job:
    async def read(phone: Connection) -> None:
        for start in random.Random(seed).sample(ids, LOOKS):
            key = quote(orjson.dumps(start).decode())
            page = await phone.ask("GET", f"/{DATABASE}/_all_docs?include_docs=true&limit=100&startkey={key}")
            check(page["rows"][0]["id"] == start, "the page begins elsewhere")

    return read


def _read_random(ids: list[str], seed: int) -> Job:
    async def read(phone: Connection) -> None:
        rng = random.Random(seed)
        for _ in range(LOOKS):
            asked = [{"id": doc_id} for doc_id in rng.sample(ids, 100)]
            body = orjson.dumps({"docs": asked})
            told = await phone.ask("POST", f"/{DATABASE}/_bulk_get?revs=true", body)
            check(all("ok" in one["docs"][0] for one in told["results"]), "a document is missing")

    return read


def _look(since: str) -> Job:
    async def look(phone: Connection) -> None:
        for _ in range(LOOKS):
            page = await phone.ask("GET", f"/{DATABASE}/_changes?style=all_docs&since={since}&limit=100")
            check(page["results"] == [], "there was something")

    return look


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 1_000_000, 5_000_000])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print("| documents | filled, docs/s | " + " | ".join(COLUMNS) + " |")
    print("|---|" + "---|" * (len(COLUMNS) + 1))
    for size in options.sizes:
        store = open_store(options.folder / "store.sqlite3")
        filled = fill(store.ensure(DATABASE), size)
        store.close()
        with server(options.folder) as address:
            rounds = [asyncio.run(measure(address, _new_seed())) for _ in range(options.rounds)]
        cells = [statistics.median(one[name] for one in rounds) for name in COLUMNS]
        told = " | ".join(f"{cell:,.1f}" for cell in cells)
        print(f"| {size:,} | {filled:,.0f} | {told} |", flush=True)


if __name__ == "__main__":
    main()
