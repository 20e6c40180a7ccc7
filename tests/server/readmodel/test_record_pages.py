"""Pages of records: what they hold on both databases, beside a filter that is written plainly, and that an
index leads to them whatever is asked for."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import pytest
from sqlalchemy import Select, insert, inspect, text

from server.database import open_engine
from server.readmodel import ReadModel, queries
from server.readmodel.declaration import read_declaration
from server.readmodel.record_filters import DAYS_APART, RecordFilters, page_keys
from server.readmodel.record_queries import RECEIVED
from server.readmodel.tables import flags, records

TOWNS = {"370304001": ("370304001901", "370304001902"), "370304002": ("370304002901",)}
DAYS = [f"2020-02-{day:02}" for day in range(10, 20)]
FORMS = {"household_visit": "household", "disinfection_log": "point", "supply_delivery": "roster_entry"}
RULES = ("", "", "", " V003 ", " V003 V013 ")
DAY_FILTERS: tuple[dict[str, Any], ...] = (
    {"from_work_date": DAYS[3], "to_work_date": DAYS[3]},
    {"from_work_date": DAYS[2], "to_work_date": DAYS[6]},
    {"from_work_date": DAYS[7]},
    {"to_work_date": DAYS[1]},
    {"from_work_date": "2019-01-01", "to_work_date": "2020-12-31"},
    {"from_work_date": DAYS[5], "to_work_date": DAYS[2]},
)
OTHERS: tuple[dict[str, Any], ...] = (
    {},
    {"town_code": "370304001"},
    {"village_code": "370304001902", "form_id": "household_visit"},
    {"form_id": "disinfection_log", "town_code": "370304002"},
    {"status": "quarantined", "closed": False},
    {"voided": True},
    {"filler_id": "F2"},
    {"device_id": "d1", "status": "accepted"},
    {"household_id": "3"},
    {"point_id": "2"},
    {"roster_entry_id": "1"},
    {"unit_kind": "household", "unit_key": "3"},
    {"rule": "V003"},
    {"rule": "FLAGGED", "form_id": "household_visit"},
    {"text": "Needle"},
)


def rows() -> list[dict[str, Any]]:
    dice, made = random.Random(7), []
    for number in range(400):
        town, form, unit = dice.choice(list(TOWNS)), dice.choice(list(FORMS)), str(dice.randrange(9))
        day, village = dice.choice([*DAYS, None]), dice.choice(TOWNS[town])
        kind = FORMS[form]
        made.append(
            {
                **dict.fromkeys(column.name for column in records.c),
                **{f"{name}_id": unit if name == kind else None for name in FORMS.values()},
                "db": f"inbox-{village}",
                "record_id": f"r{dice.randrange(10**9)}",
                "received_at": f"2020-02-20T00:00:{dice.randrange(30):02}.000Z",
                "happened_at": f"{day}T01:00:00.000Z",
                "form_id": form,
                "work_date": day,
                "status": dice.choice(("accepted", "accepted", "quarantined", "returned")),
                "effective": dice.random() < 0.9,
                "closed": dice.random() < 0.2,
                "voided": dice.random() < 0.1,
                "unit_kind": kind,
                "unit_key": unit,
                "device_id": f"d{dice.randrange(4)}",
                "filler_id": f"F{dice.randrange(4)}",
                "village_code": village,
                "town_code": town,
                "rules": dice.choice(RULES),
                "search": dice.choice(("hay", "a needle in it")),
                **dict.fromkeys(("rev", "writer", "root_id", "decided_at", "decided_by"), "x"),
                "problems": "[]",
                "facts": "{}",
                "doc": "{}",
                "root_id": str(number),
            }
        )
    return made


ROWS = rows()
FLAGGED = {row["record_id"] for row in ROWS[::7]}


@pytest.fixture(params=["sqlite", "postgresql"])
def readmodel(request: pytest.FixtureRequest, new_database: Callable[[str], str]) -> Iterator[ReadModel]:
    made = ReadModel(open_engine(new_database(request.param)))
    made.create()
    with made.engine.begin() as connection:
        connection.execute(insert(records), ROWS)
        flag = {"unit_kind": "household", "unit_key": "u", "rule": "FLAGGED", "problem": "{}"}
        connection.execute(insert(flags), [flag | {"record_id": each} for each in sorted(FLAGGED)])
    yield made
    made.engine.dispose()


def plainly(filters: RecordFilters) -> list[str]:
    def fits(row: dict[str, Any]) -> bool:
        asked = {name: value for name, value in asdict(filters).items() if value is not None}
        first, last = asked.pop("from_work_date", None), asked.pop("to_work_date", None)
        words, rule = asked.pop("text", ""), asked.pop("rule", "")
        return (
            all(row[name] == value for name, value in asked.items())
            and (first is None or (row["work_date"] or "") >= first)
            and (last is None or (row["work_date"] or "9999") <= last)
            and words.lower() in row["search"]
            and (f" {rule} " in row["rules"] or row["record_id"] in FLAGGED if rule == "FLAGGED" else True)
            and (rule in ("", "FLAGGED") or f" {rule} " in row["rules"])
        )

    found = sorted((row for row in ROWS if fits(row)), key=lambda row: [row[name] for name in RECEIVED])
    return [str(row["record_id"]) for row in reversed(found)]


def paged(rm: ReadModel, filters: RecordFilters) -> list[str]:
    found: list[str] = []
    page = queries.records(rm, filters, None, 40)
    while True:
        found += [item["record_id"] for item in page.items]
        if page.next_cursor is None:
            return found
        page = queries.records(rm, filters, page.next_cursor, 40)


def test_every_filter_gives_what_it_says_page_by_page_newest_first(readmodel: ReadModel) -> None:
    for days in ({}, *DAY_FILTERS):
        for other in OTHERS:
            filters = RecordFilters(**days, **other)
            assert paged(readmodel, filters) == plainly(filters), filters


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        ({"form_id": "household_visit"}, "records_form"),
        ({"town_code": "370304001"}, "records_town"),
        ({"status": "quarantined", "closed": False}, "records_status"),
        ({"from_work_date": DAYS[3], "to_work_date": DAYS[3]}, "COVERING INDEX records_day"),
        (
            {"form_id": "supply_delivery", "from_work_date": DAYS[3], "to_work_date": DAYS[6]},
            "COVERING INDEX records_day",
        ),
        (
            {
                "town_code": "370304001",
                "status": "accepted",
                "from_work_date": DAYS[3],
                "to_work_date": DAYS[6],
            },
            "COVERING INDEX records_town_day",
        ),
        ({"point_id": "2"}, "records_point"),
        ({"roster_entry_id": "2"}, "records_roster_entry"),
        ({"household_id": "2"}, "records_household"),
        ({"filler_id": "F1"}, "records_filler"),
        ({"device_id": "d1"}, "records_device"),
        ({"rule": "V003"}, "records_ruled"),
    ],
)
def test_an_index_leads_to_the_page(
    new_database: Callable[[str], str], asked: dict[str, Any], index: str
) -> None:
    rm = ReadModel(open_engine(new_database("sqlite")))
    rm.create()
    plan = plan_of(rm, keys(RecordFilters(**asked)))
    assert index in plan, plan
    assert "SCAN records\n" not in plan


def keys(filters: RecordFilters) -> Select[Any]:
    return page_keys(read_declaration(), filters, [records.c[name] for name in RECEIVED], None, 51)


def plan_of(rm: ReadModel, query: Select[Any]) -> str:
    told: list[str] = []
    with rm.engine.connect() as connection:
        words = query.compile(rm.engine, compile_kwargs={"literal_binds": True})
        rows = connection.execute(text(f"EXPLAIN QUERY PLAN {words}".replace(":", "\\:")))
        told = [str(row[-1]) for row in rows]
    return "\n".join(told) + "\n"


def test_days_further_apart_are_looked_through_together() -> None:
    near = keys(RecordFilters(from_work_date="2020-02-01", to_work_date="2020-02-10"))
    far = keys(RecordFilters(from_work_date="2020-02-01", to_work_date="2020-12-31"))
    assert str(near).count("UNION ALL") == 9 < DAYS_APART and "UNION" not in str(far)


def test_tables_of_an_earlier_version_get_the_indexes_that_there_are(readmodel: ReadModel) -> None:
    with readmodel.engine.begin() as connection:
        connection.execute(text("CREATE INDEX records_waiting ON records (status, town_code)"))
        for index in records.indexes:
            if index.name in ("records_day", "records_ruled"):
                index.drop(connection)
    before = readmodel.version()
    readmodel.create()
    there = {index["name"] for index in inspect(readmodel.engine).get_indexes("records")}
    assert there == {index.name for index in records.indexes} and readmodel.version() == before
    assert len(paged(readmodel, RecordFilters())) == len(ROWS)
