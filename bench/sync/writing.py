"""What a new document costs the store, in process: processor time, reads and writes, by SQLite's settings.

    python -m bench.sync.writing FOLDER [--size 1000000] [--batches 150] [--one-day]
                                 [--cache-kib 16384] [--mmap-mib 4096] [--wal-pages 16000]

FOLDER is a folder of `bench.sync.growth`; its store is filled to `--size` first. Written are batches of 100
documents, of one day or, as `bench.sync.growth` has them, of twenty. What is read and written is told by the
kernel and the same on a busy machine; the time is not.
"""

from __future__ import annotations

import argparse
import random
import resource
import sqlite3
import uuid
from pathlib import Path
from typing import Any

import orjson

from bench.sync.growth import DATABASE, fill
from bench.sync.records import pile
from sync.embedded import open_store
from sync.embedded.connections import Connections
from sync.store import Database

BATCH, WARM_UP = 100, 30


def use(cache_kib: int, mmap_mib: int, wal_pages: int) -> None:
    """Settings for connections that are opened from here on; 0 leaves the store's own."""
    own = Connections._set_up

    def set_up(connection: sqlite3.Connection) -> None:
        own(connection)
        for pragma, value in (
            ("cache_size", -cache_kib),
            ("mmap_size", mmap_mib << 20),
            ("wal_autocheckpoint", wal_pages),
        ):
            if value:
                connection.execute(f"PRAGMA {pragma} = {value}")

    Connections._set_up = staticmethod(set_up)  # type: ignore[method-assign]


def made(batches: int, day: int | None) -> list[list[bytes]]:
    seed = uuid.uuid4().int
    return [[one.json for one in pile(seed, number, BATCH, day)] for number in range(batches)]


def write(database: Database, batches: list[list[bytes]]) -> None:
    for batch in batches:
        database.bulk_docs([orjson.loads(one) for one in batch], new_edits=False, writer="bench")


def spent() -> dict[str, float]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    moved = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return {
        "user µs": used.ru_utime * 1e6,
        "system µs": used.ru_stime * 1e6,
        "reads": float(moved["syscr"]),
        "bytes read": float(moved["rchar"]),
        "writes": float(moved["syscw"]),
        "bytes written": float(moved["wchar"]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=int, default=1_000_000)
    parser.add_argument("--batches", type=int, default=150)
    parser.add_argument("--one-day", action="store_true")
    for name in ("--cache-kib", "--mmap-mib", "--wal-pages"):
        parser.add_argument(name, type=int, default=0)
    told: Any = parser.parse_args()
    use(told.cache_kib, told.mmap_mib, told.wal_pages)
    store = open_store(told.folder / "store.sqlite3")
    database = store.ensure(DATABASE)
    fill(database, told.size)
    day = random.SystemRandom().randrange(21, 30) if told.one_day else None
    write(database, made(WARM_UP, day))
    batches = made(told.batches, day)
    before = spent()
    write(database, batches)
    docs = told.batches * BATCH
    print(f"{database.info()['doc_count']:,} documents; per new document:")
    for name, value in spent().items():
        print(f"{name:>14} {(value - before[name]) / docs:10,.1f}")
    print(f"{'peak memory':>14} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:10,.0f} MB")
    store.close()


if __name__ == "__main__":
    main()
