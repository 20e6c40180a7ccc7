"""Slowing down whoever guesses: after some free failures each further one doubles the wait."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select

from server.people.people import People
from server.people.tables import failures

FORGOTTEN_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Patience:
    """`free` failures cost nothing; then the wait is `first_s`, doubling up to `longest_s`, in seconds."""

    free: int
    first_s: int
    longest_s: int

    def wait_s(self, count: int) -> int:
        if count < self.free:
            return 0
        return min(self.longest_s, self.first_s * 2 ** min(count - self.free, 20))


NAME = Patience(free=5, first_s=2, longest_s=900)
# A village office's phones share one address: room for honest mistakes of many people.
ADDRESS = Patience(free=30, first_s=10, longest_s=900)


def wait_s(people: People, key: str) -> int:
    """Seconds until `key` may be tried again; 0 if it may be now."""
    with people.engine.connect() as connection:
        until = connection.scalar(select(failures.c.blocked_until).where(failures.c.key == key))
    if not until:
        return 0
    return max(0, math.ceil((datetime.fromisoformat(until) - people.now()).total_seconds()))


def failed(people: People, key: str, patience: Patience) -> int:
    """Count one failure; returns the seconds to wait that follow from it."""
    with people.engine.begin() as connection:
        row = connection.execute(select(failures).where(failures.c.key == key)).one_or_none()
        remembered = row is not None and row.last_at >= people.stamp(-FORGOTTEN_AFTER)
        count = row._mapping["count"] + 1 if row and remembered else 1
        wait = patience.wait_s(count)
        blocked_until = people.stamp(timedelta(seconds=wait)) if wait else None
        connection.execute(delete(failures).where(failures.c.key == key))
        values = {"key": key, "count": count, "last_at": people.stamp(), "blocked_until": blocked_until}
        connection.execute(insert(failures).values(values))
    return wait


def clear(people: People, key: str) -> None:
    with people.engine.begin() as connection:
        connection.execute(failures.delete().where(failures.c.key == key))
