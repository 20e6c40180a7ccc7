"""Phones heard from by their records, whatever name these go under."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from server import clock
from server.bulletins.heard import heard_by_record
from server.readmodel.tables import records
from tests.postgres import Postgres
from tests.server.bulletins.times import beijing, send
from tests.server.intake.district import District, visit

MORNING, NOON = clock.stamp(beijing("00:00")), clock.stamp(beijing("12:00"))


@pytest.fixture(params=["sqlite", "postgresql"])
def district(request: Any, tmp_path: Path) -> Iterator[District]:
    url = None
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        url = server.new_database()
    district = District(tmp_path, url=url)
    yield district
    district.close()


def arrived(district: District, at: str, writer: str, name: str, status: str = "accepted") -> None:
    record = visit(1)
    send(district, beijing(at), record)
    mine = records.c.record_id == record["_id"]
    with district.readmodel.engine.begin() as connection:
        said = {"writer": f"device:{writer}", "device_id": name, "status": status, "closed": False}
        connection.execute(update(records).where(mine).values(**said))


def heard(district: District, *devices: str, **former: str) -> set[str]:
    with district.readmodel.engine.connect() as connection:
        return heard_by_record(connection, devices, former, MORNING, NOON)


def test_a_phone_is_heard_by_a_record_that_names_it(district: District) -> None:
    arrived(district, "09:00", "p1", "p1")
    assert heard(district, "p1", "p2", "it's") == {"p1"}


def test_a_phone_is_heard_by_what_it_made_under_an_earlier_name(district: District) -> None:
    arrived(district, "09:00", "p3", "p1")
    assert heard(district, "p3", p3="p2", p2="p1") == {"p3"}
    assert heard(district, "p3") == set()


def test_a_phone_is_heard_by_a_waiting_record_that_names_another(district: District) -> None:
    arrived(district, "09:00", "p1", "p9", "quarantined")
    assert heard(district, "p1", "p9") == {"p1"}


@pytest.mark.parametrize("at", ["12:01", "23:59"])
def test_what_came_later_is_not_heard(district: District, at: str) -> None:
    arrived(district, at, "p1", "p1")
    arrived(district, at, "p2", "p9", "returned")
    assert heard(district, "p1", "p2") == set()


def test_nobody_is_asked_about(district: District) -> None:
    assert heard(district) == set()
