"""How many records a second intake takes in, and how many a rebuild, on SQLite or on PostgreSQL.

    python -m bench.intake [--share 0.02] [--days 3] [--villages N] [--postgresql]

A district (see bench/district.py) is made and its registers are taken in; then the phones' records arrive,
and one follower handles the backlog; then the read model is made again. Both are told in records a second of
the clock, and of processor time, which is steadier on a busy machine: the follower's own and, added to it,
that of the processes which judge for it; what PostgreSQL's own processes take is in the clock only. After
both the figures are compared with a count of the rows.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from bench.district import into_store, open_data, prepare, pushes, yesterday
from server.app import Gridbook
from server.intake.commands import make_follower
from server.readmodel import queries
from server.readmodel.tables import records
from tests.postgres import Postgres


@contextmanager
def database(postgresql: bool) -> Iterator[dict[str, str]]:
    """The settings of the read model's database. A PostgreSQL is as careful as it comes from Debian."""
    if not postgresql:
        yield {}
        return
    started = Postgres(quick=False)
    try:
        yield {"GRIDBOOK_DATABASE": started.new_database()}
    finally:
        started.stop()


def timed(what: str, gridbook: Gridbook, work: Callable[[], Any]) -> None:
    clock, before = time.perf_counter(), os.times()
    work()
    clock, after = time.perf_counter() - clock, os.times()
    own = after.user + after.system - before.user - before.system
    judges = after.children_user + after.children_system - before.children_user - before.children_system
    with gridbook.readmodel.engine.connect() as connection:
        count = connection.execute(select(func.count()).select_from(records)).scalar_one()
    print(
        f"{what}: {count} records in {clock:.1f} s, {count / clock:.0f}/s; processor time: the follower "
        f"{count / own:.0f}/s, with its judges {count / (own + judges):.0f}/s",
        flush=True,
    )


def compare(gridbook: Gridbook, days: list[str]) -> None:
    """Households visited, by the indicator and by the rows."""
    district = queries.district(gridbook.readmodel)
    assert district is not None
    counted = [queries.figures(gridbook.readmodel, district["code"], day)["A2"]["value"] for day in days]
    by_rows = select(func.count(records.c.unit_key.distinct())).where(
        records.c.form_id == "household_visit", records.c.effective
    )
    with gridbook.readmodel.engine.connect() as connection:
        rows = [connection.execute(by_rows.where(records.c.work_date == day)).scalar_one() for day in days]
    assert counted == rows, (counted, rows)
    print(f"{sum(rows)} households were visited, by the indicator as by the rows")


def measure(share: float, days: int, only: int | None, postgresql: bool) -> None:
    with tempfile.TemporaryDirectory() as folder, database(postgresql) as environ:
        gridbook = open_data(Path(folder), **environ)
        villages, _ = prepare(gridbook, share, days, only)
        follower = make_follower(gridbook)
        follower.run_once()
        push, worked = into_store(gridbook), set()
        for village, phone, docs in pushes(villages, days, 1, yesterday()):
            push(village, phone, docs)
            worked |= {doc["work_date"] for doc in docs}
        timed("intake", gridbook, follower.run_once)
        compare(gridbook, sorted(worked))
        timed("rebuild", gridbook, follower.rebuild)
        compare(gridbook, sorted(worked))
        follower.close()
        gridbook.store.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--share", type=float, default=0.02, help="of 160,000 households")
    parser.add_argument("--days", type=int, default=3)
    parser.add_argument("--villages", type=int, help="only so many, without the others' registers")
    parser.add_argument("--postgresql", action="store_true", help="the read model on a PostgreSQL of its own")
    given = parser.parse_args()
    measure(given.share, given.days, given.villages, given.postgresql)


if __name__ == "__main__":
    main()
