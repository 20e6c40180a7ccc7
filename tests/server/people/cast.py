"""The cast: people of one district, two towns, two villages; and a clock that is turned by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from server.database import open_engine
from server.people.people import People
from server.people.staff import Staff

DISTRICT, TOWN, OTHER_TOWN = "370304", "370304001", "370304103"
VILLAGE, OTHER_VILLAGE = "370304001901", "370304103901"


class Clock:
    def __init__(self) -> None:
        self.moment = datetime(2020, 2, 21, 1, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def pass_by(self, **units: float) -> None:
        self.moment += timedelta(**units)


def people_in(folder: Path, clock: Clock) -> People:
    people = People(open_engine(f"sqlite:///{folder / 'people.sqlite3'}"), "a secret of the test", clock)
    people.create()
    return people


def member(role: str, area: str, scopes: frozenset[str] | None = None) -> Staff:
    return Staff(
        staff_id=role,
        username=role,
        name=role,
        roles=frozenset({role}),
        area=area,
        disabled=False,
        scopes=scopes,
    )
