"""How fast records leave as files: `python -m bench.exports [--records 1000000] [--formats csv xlsx]`.

A village's few thousand visits are taken in by intake and multiplied in the read model, with ids and moments
of their own. Each format is written in a process of its own that throws the pieces away; told are rows a
second of its processor time, the first piece's delay and the peak of its memory. The floor is csv.writer over
rows that lie ready in memory, the same cells: nothing read, decoded, masked or protected.
"""

from __future__ import annotations

import argparse
import csv
import io
import resource
import subprocess
import sys
import tempfile
import time
from itertools import chain, islice
from pathlib import Path
from typing import Any

from sqlalchemy import bindparam, func, insert, select, text

from bench.district import into_store, open_data, prepare, pushes, yesterday
from server.exports.asked import Asked, Table, tables
from server.exports.formats import FORMATS
from server.intake.commands import make_follower
from server.readmodel.export_queries import Span
from server.readmodel.record_queries import RecordFilters, compiled_forms
from server.readmodel.tables import records

FORM = "household_visit"
SHARE = 0.02
FLOOR_ROWS = 20_000
RECORDS = {"csv": 1_000_000, "xlsx": 100_000, "geojson": 100_000, "parquet": 100_000}


def fill(folder: Path, count: int) -> None:
    shared = open_data(folder)
    villages, _ = prepare(shared, SHARE, 1)
    follower = make_follower(shared)
    follower.run_once()
    push = into_store(shared)
    for village, phone, docs in pushes(villages, 1, 1, yesterday()):
        push(village, phone, docs)
    follower.run_once()
    follower.close()
    shared.store.close()
    multiply(shared.readmodel.engine, count)


def multiply(engine: Any, count: int) -> None:
    """Copies of all visits until there are `count`, each copy received a second after the one before."""
    changed = {
        "record_id": "substr(record_id, 1, length(record_id) - 6) || printf('%06x', :copy)",
        "received_at": "printf('2020-03-%02dT%02d:%02d:%02d.%03dZ', 1 + :copy / 86400, :copy / 3600 % 24, "
        ":copy / 60 % 60, :copy % 60, rowid % 1000)",
    }
    chosen = [text(changed[each.name]) if each.name in changed else each for each in records.columns]
    seeds = records.c.form_id == FORM, records.c.received_at > "2020-04"
    copied = (
        insert(records)
        .prefix_with("OR IGNORE")
        .from_select(list(records.columns.keys()), select(*chosen).where(*seeds).limit(bindparam("rows")))
    )
    counted = select(func.count()).where(records.c.form_id == FORM)
    with engine.begin() as connection:
        each = have = connection.execute(counted).scalar_one()
        copy = 0
        while have < count:
            copy += 1
            rows = min(each, count - have)
            connection.execute(copied, {"copy": copy, "rows": rows})
            have += rows


def ready(folder: Path, rows: int) -> tuple[list[Table], list[int]]:
    shared = open_data(folder)
    versions = compiled_forms(shared.readmodel, FORM)[::-1]
    filters = RecordFilters(form_id=FORM)
    read = [0]

    def count(more: int) -> None:
        read[0] += more
        if read[0] >= rows:
            raise Enough

    return tables(shared, versions, Asked(FORM, None, "csv", filters, Span(), False), count), read


class Enough(Exception):
    pass


def write(folder: Path, format_name: str, rows: int) -> None:
    made, read = ready(folder, rows)
    begun, processor, first_s, size = time.perf_counter(), time.process_time(), 0.0, 0
    try:
        for piece in FORMATS[format_name].write(made):
            first_s = first_s or time.perf_counter() - begun
            size += len(piece)
    except Enough:
        pass
    tell(format_name, read[0], time.process_time() - processor, first_s, size)


def floor(folder: Path) -> None:
    """The cells of the first rows, written again."""
    made, _ = ready(folder, FLOOR_ROWS + 10_000)
    pieces = b"".join(islice(FORMATS["csv"].write(made), FLOOR_ROWS // 500 + 1))
    cells = list(csv.reader(io.StringIO(pieces.decode("utf-8-sig"), newline="")))
    begun = time.process_time()
    out = io.StringIO(newline="")
    csv.writer(out).writerows(cells)
    size = len(out.getvalue().encode())
    tell("floor", len(cells), time.process_time() - begun, 0.0, size)


def tell(what: str, rows: int, took_s: float, first_s: float, size: int) -> None:
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{what:8} {rows:>9,} rows {rows / took_s:>9,.0f}/s of processor time ({took_s:.1f} s), "
        f"{size / 1e6:.0f} MB, first piece after {first_s:.2f} s, peak {peak_mb:.0f} MB",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--records", type=int, default=max(RECORDS.values()))
    parser.add_argument("--formats", nargs="+", default=list(RECORDS), choices=list(FORMATS))
    parser.add_argument("--data", type=Path, help="a folder that is filled once and used again")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        floor(given.data) if given.one == "floor" else write(given.data, given.one, given.records)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.data or Path(temporary) / "var"
        if not folder.exists():
            fill(folder, given.records)
        for name in chain(*(("floor", each) for each in given.formats)):
            rows = min(given.records, RECORDS.get(name, given.records))
            _alone(folder, name, rows)


def _alone(folder: Path, name: str, rows: int) -> None:
    command = [sys.executable, "-m", "bench.exports", "--data", folder, "--one", name, "--records", str(rows)]
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
