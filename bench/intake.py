"""How many records a second intake takes in: `python -m bench.intake [households] [days]`.

A village's register and its visits are put into a fresh store; then one follower handles the backlog, and one
rebuild is timed.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from server.readmodel import queries
from tests.server.intake.district import ALPHA, BETA, DISTRICT, District, household, visit

VILLAGES = (ALPHA, BETA)
DOCS_AT_ONCE = 1000


def fill(district: District, households: int, days: int) -> int:
    for code in VILLAGES:
        entries = [household(code, number) for number in range(6, households + 1)]
        district.register(code).bulk_docs(entries, writer="server")
        records = [
            {**visit(number, day=f"2020-02-{day:02}", code=code), "_rev": "1-abc"}
            for day in range(1, days + 1)
            for number in range(1, households + 1)
        ]
        inbox = district.store.ensure(f"inbox-{code}")
        for start in range(0, len(records), DOCS_AT_ONCE):
            device = records[start]["device_id"]
            inbox.bulk_docs(records[start : start + DOCS_AT_ONCE], new_edits=False, writer=f"device:{device}")
    return len(VILLAGES) * households * days


def main(households: int = 500, days: int = 5) -> None:
    with tempfile.TemporaryDirectory() as folder:
        district = District(Path(folder))
        count = fill(district, households, days)
        started = time.perf_counter()
        district.intake()
        took = time.perf_counter() - started
        print(f"intake: {count} records in {took:.1f} s, {count / took:.0f}/s")
        started = time.perf_counter()
        district.follower.rebuild()
        took = time.perf_counter() - started
        print(f"rebuild: {count} records in {took:.1f} s, {count / took:.0f}/s")
        started = time.perf_counter()
        for _ in range(20):
            queries.figures(district.readmodel, DISTRICT, "2020-02-05")
        print(f"all figures of the district: {(time.perf_counter() - started) / 20 * 1000:.1f} ms")
        district.close()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
