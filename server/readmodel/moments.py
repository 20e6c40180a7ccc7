"""Moments and days. A day is Beijing's (UTC+8, no summer time); a moment is RFC 3339 UTC with
milliseconds."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

BEIJING = timezone(timedelta(hours=8))
TEXT_MAX = 40


def parse(text: Any) -> datetime | None:
    """An aware datetime; without an offset the text is Beijing's time. None for anything else."""
    if not isinstance(text, str) or not 10 < len(text) <= TEXT_MAX:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=BEIJING)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def beijing_stamp(moment: datetime) -> str:
    return moment.astimezone(BEIJING).isoformat(timespec="seconds")


def beijing_day(moment: datetime) -> str:
    return moment.astimezone(BEIJING).date().isoformat()


def is_day(text: Any) -> bool:
    if not isinstance(text, str) or len(text) != 10 or text[4] != "-":
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def next_day(day: str) -> str:
    return (date.fromisoformat(day) + timedelta(days=1)).isoformat()


def true_moment(claimed: Any, skew_s: Any, received_at: str) -> str:
    """When something happened: the phone's claim less its clock's error, and never after the server received
    it."""
    received = parse(received_at) or datetime.max.replace(tzinfo=UTC)
    moment = parse(claimed) or received
    if isinstance(skew_s, int | float) and not isinstance(skew_s, bool) and abs(skew_s) < 1e9:
        try:
            moment -= timedelta(seconds=skew_s)
        except OverflowError:
            moment = received
    return stamp(min(moment, received))
