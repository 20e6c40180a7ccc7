"""How long pages and answers of figures take, beside a GROUP BY over the records.

    python -m bench.reads DATA [--day YYYY-MM-DD] [--rounds 50] [--url http://127.0.0.1:8000] [--inside]
                               [--postgresql]

DATA is a folder that `python -m bench.district` filled and `flask intake once` took in; a server is started
on it, unless `--url` names the one that runs, and asked by a staff member of its own. Each question is asked
over HTTP one after the other, in rounds of all questions, so that each meets the same machine. Beside some
stands what a good engineer would write first: SQL over the table of records, asked in process, without HTTP,
sessions or masking. Both count the same, which is checked.

With `--inside` the app is asked in this process, without HTTP, and what is told is processor time: on a
machine that does other work, too, only that says something. What a process keeps of the overview and of a
bulletin's preview is then told both ways: kept, and made anew each time, as by the first reader of a process.

With `--postgresql`, inside only, the folder's read model is first copied into a PostgreSQL of its own; what
that takes for itself is told by the clock alone, so then both are told.

The bulletin previewed is today's, the frozen one the day's: it is frozen if there is none. All records of
such a folder came on the day that filled it; a preview whose cut-off lies before that would count all of them
as late, which none does in the field.
"""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import date, timedelta
from pathlib import Path
from statistics import quantiles
from typing import Any

import requests
from sqlalchemy import Connection, func, select, text

from bench.district import open_data, yesterday
from server.app import Gridbook, make_app
from server.bulletins import archive, freezing
from server.database import open_engine
from server.people import staff, tokens
from server.people.permissions import ACTIONS
from server.people.staff import Staff
from server.readmodel import ReadModel, kept, kept_areas, queries
from server.readmodel.tables import metadata, records
from server.readmodel.upsert import upsert
from tests.postgres import Postgres
from tests.servers import Server

USERNAME, PASSWORD = "bench-reads", "read it all, read it fast"
DISTRICT = "370304"
SQL_ROUNDS = 3  # of a whole district it takes minutes
BOARD = "exceptions"
COPIED_AT_ONCE = 5000  # rows
ANEW = "overview, page, nothing kept"
PREVIEW_ANEW = "bulletin, page, nothing kept"

FIRST = """
SELECT town_code, count(*) AS visits, count(DISTINCT unit_key) AS households,
       count(DISTINCT CASE WHEN json_extract(doc, '$.answers.visit_result') IN ('met', 'phone_ok')
                           THEN unit_key END) AS contacted
FROM records WHERE form_id = 'household_visit' AND effective AND work_date {compared} :day GROUP BY town_code
"""
"""Visits, households and households contacted by town: A2_visits, A2, A3 of a day, or A4 of all days."""
PAGE = """
SELECT doc, status FROM records WHERE form_id = 'household_visit' AND work_date = :day AND town_code = :town
ORDER BY work_date DESC, happened_at DESC LIMIT 50
"""


class Reader:
    """A staff member of the district, by page and by API."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._session = url, requests.Session()
        self._headers = {"Authorization": f"Bearer {token}"}
        form = {"username": USERNAME, "password": PASSWORD}
        self._session.post(f"{self._url}/sign-in", data=form, timeout=60).raise_for_status()

    def get(self, path: str, **query: str) -> requests.Response:
        headers = self._headers if path.startswith("/api/") else {}
        answer = self._session.get(self._url + path, params=query, headers=headers, timeout=120)
        answer.raise_for_status()
        return answer


class Inside:
    """The same, asked of the app in this process."""

    def __init__(self, gridbook: Gridbook, token: str) -> None:
        self._client = make_app(gridbook).test_client()
        self._headers = {"Authorization": f"Bearer {token}"}
        answer = self._client.post("/sign-in", data={"username": USERNAME, "password": PASSWORD})
        assert answer.status_code == 303, answer.text

    def get(self, path: str, **query: str) -> None:
        headers = self._headers if path.startswith("/api/") else {}
        answer = self._client.get(path, query_string=query, headers=headers)
        assert answer.status_code == 200, (path, answer.status_code, answer.text[:300])


def questions(reader: Reader | Inside, day: str, town: str, number: str) -> dict[str, Callable[[], Any]]:
    early = (date.fromisoformat(day) - timedelta(days=13)).isoformat()
    asked: Mapping[str, tuple[str, dict[str, str]]] = {
        "overview, page": ("/", {"day": day}),
        ANEW: ("/", {"day": day}),
        "overview, figures": ("/api/v1/figures", {"day": day}),
        "town table": ("/api/v1/figures/table", {"day": day}),
        "village map": ("/api/v1/figures/table", {"day": day, "level": "village", "indicator": "A4"}),
        "who was heard": ("/api/v1/standing", {"day": day}),
        "bulletin": ("/api/v1/bulletins/preview", {}),
        "bulletin, page": ("/bulletins/preview", {}),
        PREVIEW_ANEW: ("/bulletins/preview", {}),
        "frozen bulletin": (f"/api/v1/bulletins/{number}", {}),
        "frozen bulletin, page": (f"/bulletins/{number}", {}),
        "records, filtered and sorted": (
            "/api/v1/records",
            {"form": "household_visit", "area": town, "from": day, "to": day},
        ),
        "records of a day long past": ("/api/v1/records", {"from": early, "to": early}),
        "records of a fortnight, one town, one form": (
            "/api/v1/records",
            {"form": "household_visit", "area": town, "from": early, "to": day},
        ),
        "records that broke a rule": ("/api/v1/records", {"rule": "V013"}),
        "quarantine": ("/api/v1/quarantine", {}),
        "records, page": ("/records", {"form": "household_visit", "town": town, "from": day, "to": day}),
        "exceptions board": (f"/api/v1/{BOARD}", {}),
        "exceptions board, page": ("/exceptions", {}),
        "villages, page": ("/villages", {"day": day}),
        "not reached, page": ("/not-reached", {"day": day}),
        "relief, page": ("/roster", {}),
        "disinfection, page": ("/points", {}),
        "stock, page": ("/stock", {}),
        "phones, page": ("/devices", {}),
        "duplicates, page": ("/duplicates", {}),
    }
    return {
        name: lambda path=path, query=query: reader.get(path, **query)
        for name, (path, query) in asked.items()
    }


def first_tries(connection: Connection, day: str, town: str) -> dict[str, Callable[[], Any]]:
    of_day, so_far = text(FIRST.format(compared="=")), text(FIRST.format(compared="<="))
    return {
        "town table": lambda: [connection.execute(each, {"day": day}).all() for each in (of_day, so_far)],
        "records, filtered and sorted": lambda: connection.execute(
            text(PAGE), {"day": day, "town": town}
        ).all(),
    }


def agree(gridbook: Gridbook, connection: Connection, day: str) -> None:
    """The first try counts what the indicators count."""
    rows = connection.execute(text(FIRST.format(compared="=")), {"day": day}).all()
    table = queries.area_table(gridbook.readmodel, DISTRICT, day, ["A2_visits", "A2", "A3"])
    found = {row["area"]["code"]: [figure["value"] for figure in row["figures"].values()] for row in table}
    assert {row[0]: list(row[1:]) for row in rows} == {
        code: values for code, values in found.items() if any(values)
    }


def timed(work: Callable[[], Any], clock: Callable[[], float]) -> float:
    start = clock()
    work()
    return 1000 * (clock() - start)


@contextmanager
def nothing_kept() -> Iterator[None]:
    """As in a process that has answered nothing yet; what was kept comes back afterwards."""
    keeping = [(each, each.copy()) for each in (kept._answers, kept_areas._told)]
    for each, _ in keeping:
        each.clear()
    yield
    for each, before in keeping:
        each.update(before)


def told(times: list[float]) -> tuple[float, float]:
    """Median and 95th percentile."""
    cuts = quantiles(times, n=100, method="inclusive")
    return cuts[49], cuts[94]


@contextmanager
def opened(data: Path, *, postgresql: bool) -> Iterator[Gridbook]:
    if not postgresql:
        yield open_data(data)
        return
    server = Postgres()
    try:
        copy = ReadModel(open_engine(server.new_database(), lasting=False))
        copy.create()
        fill(open_data(data).readmodel, copy)
        yield open_data(data, GRIDBOOK_DATABASE=copy.engine.url.render_as_string())
    finally:
        server.stop()


def fill(source: ReadModel, target: ReadModel) -> None:
    with source.engine.connect() as reading:
        for table in metadata.sorted_tables:
            rows = reading.execution_options(stream_results=True).execute(select(table)).mappings()
            for some in rows.partitions(COPIED_AT_ONCE):
                with target.engine.begin() as writing:
                    upsert(writing, table, [dict(row) for row in some])
    with target.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")


def frozen(gridbook: Gridbook, day: date, member: Staff) -> str:
    """The number of the day's bulletin, which is frozen now if there is none."""
    there = archive.in_force(archive.every(gridbook.store), day.isoformat())
    return (there or freezing.freeze(gridbook, day, member)).number


def measure(gridbook: Gridbook, day: str, rounds: int, url: str | None, *, inside: bool) -> None:
    data = gridbook.settings.data
    if all(member.username != USERNAME for member in staff.every(gridbook.people)):
        staff.add(gridbook.people, username=USERNAME, password=PASSWORD, name="Bench",
                  roles=["district_staff"], area=DISTRICT)  # fmt: skip
    member = next(each for each in staff.every(gridbook.people) if each.username == USERNAME)
    token = tokens.create(gridbook.people, member, label="bench", scopes=ACTIONS, days=1)
    town = queries.areas(gridbook.readmodel, DISTRICT)[0]["code"]
    number = frozen(gridbook, date.fromisoformat(day), member)
    server, clock = Server(data), time.process_time if inside else time.perf_counter
    try:
        reader = Inside(gridbook, token) if inside else Reader(url or server.start().url, token)
        with gridbook.readmodel.engine.connect() as connection:
            count = connection.execute(select(func.count()).select_from(records)).scalar_one()
            works = questions(reader, day, town, number)
            if not inside:
                del works[ANEW], works[PREVIEW_ANEW]
            tries = {}
            if connection.dialect.name == "sqlite":  # the language that they are written in
                agree(gridbook, connection, day)
                tries = first_tries(connection, day, town)
            gc.freeze()  # as the server does before it forks
            times: dict[tuple[str, str], list[float]] = {}
            for turn in range(rounds + 1):
                for kind, some in (("here", works), ("SQL", tries)):
                    for name, work in some.items():
                        if kind == "SQL" and turn > SQL_ROUNDS:
                            continue
                        start = time.perf_counter()
                        with nothing_kept() if name in (ANEW, PREVIEW_ANEW) else nullcontext():
                            taken = timed(work, clock)
                        if turn:  # the first round warms up
                            times.setdefault((kind, name), []).append(taken)
                            times.setdefault(("clock", name), []).append(1000 * (time.perf_counter() - start))
    finally:
        if not inside:
            server.stop()
    print(f"{count} records, {day}, {rounds} rounds; {'processor ms' if inside else 'ms'}: p50, p95")
    for name in works:
        line, here = name.ljust(48), told(times["here", name])
        line += f"{here[0]:8.1f} {here[1]:8.1f}"
        if inside and gridbook.readmodel.engine.dialect.name == "postgresql":
            by_clock = told(times["clock", name])
            line += f"   by the clock {by_clock[0]:8.1f} {by_clock[1]:8.1f}"
        if name in tries:
            sql = told(times["SQL", name])
            line += f"   SQL {sql[0]:8.1f} {sql[1]:8.1f}   SQL / here {sql[0] / here[0]:.1f}"
        print(line, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--day", type=date.fromisoformat, default=yesterday())
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--url", help="of the server that runs on DATA")
    parser.add_argument("--inside", action="store_true", help="without HTTP, processor time")
    parser.add_argument("--postgresql", action="store_true", help="with --inside: on a PostgreSQL of its own")
    given = parser.parse_args()
    if given.postgresql and not given.inside:
        parser.error("--postgresql needs --inside")
    with opened(given.data, postgresql=given.postgresql) as gridbook:
        measure(gridbook, given.day.isoformat(), given.rounds, given.url, inside=given.inside)


if __name__ == "__main__":
    main()
