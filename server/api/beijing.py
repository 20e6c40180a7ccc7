"""The district's day: Beijing time, no daylight saving."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

from server import clock

ZONE = timezone(timedelta(hours=8))


def today() -> date:
    return clock.now().astimezone(ZONE).date()


def local(moment: str | None) -> str:
    """`2020-02-21T08:00:00.000Z` as `2020-02-21 16:00`; what is no moment stays as it came."""
    if not moment:
        return ""
    try:
        return datetime.fromisoformat(moment).astimezone(ZONE).strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return moment
