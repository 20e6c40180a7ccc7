"""The store's clock, turned: what is sent inside `received(…)` arrives at that moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any
from unittest import mock

from server import clock
from server.readmodel.moments import BEIJING
from tests.server.intake.district import District

DAY = date(2020, 2, 10)


def beijing(time_of_day: str, day: date = DAY) -> datetime:
    """`15:59` or `15:59:59.999` of a day in Beijing."""
    return datetime.fromisoformat(f"{day}T{time_of_day}").replace(tzinfo=BEIJING)


@contextmanager
def received(moment: datetime) -> Iterator[None]:
    """Both stores'."""
    with (
        mock.patch("time.time_ns", return_value=round(moment.timestamp() * 1000) * 1_000_000),
        mock.patch("sync.couchdb.receipts.now", return_value=clock.stamp(moment)),
    ):
        yield


def send(district: District, moment: datetime, *docs: dict[str, Any]) -> None:
    """A phone's sync at that moment, and intake after it."""
    with received(moment):
        district.send(*docs)
    district.intake()
