"""Moments and days. A day is Beijing's (UTC+8, no summer time); a moment is RFC 3339 UTC with
milliseconds."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

BEIJING = timezone(timedelta(hours=8))
TEXT_MAX = 40


def parse(text: Any) -> datetime | None:
    """An aware datetime; without an offset the text is Beijing's time. None for anything else."""
    return _parsed(text) if isinstance(text, str) and 10 < len(text) <= TEXT_MAX else None


# What was pushed together was received together, and a record's own times are asked for more than once.
@lru_cache(maxsize=4096)
def _parsed(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=BEIJING)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def stamp(moment: datetime) -> str:
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return f"{utc.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


@lru_cache(maxsize=4096)
def _stamped(text: str) -> str:
    """Of a text that `parse` reads."""
    return stamp(_parsed(text))  # type: ignore[arg-type]


def beijing_stamp(moment: datetime) -> str:
    return moment.astimezone(BEIJING).isoformat(timespec="seconds")


def beijing_day(moment: datetime) -> str:
    return moment.astimezone(BEIJING).date().isoformat()


def is_day(text: Any) -> bool:
    return isinstance(text, str) and len(text) == 10 and text[4] == "-" and _is_date(text)


# The same few days stand in every record.
@lru_cache(maxsize=4096)
def _is_date(text: str) -> bool:
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
    received, said = parse(received_at), parse(claimed)
    if skew_s is None and received and said:
        return _stamped(claimed if said <= received else received_at)
    received = received or datetime.max.replace(tzinfo=UTC)
    moment = _corrected(said or received, skew_s) or received
    return stamp(min(moment, received))


def claimed_moment(claimed: Any, skew_s: Any) -> str | None:
    """The phone's claim less its clock's error, even when that lies in the future: for the time between
    records."""
    moment = parse(claimed)
    if skew_s is None:
        return _stamped(claimed) if moment else None
    corrected = _corrected(moment, skew_s) if moment else None
    return stamp(corrected) if corrected else None


def _corrected(moment: datetime, skew_s: Any) -> datetime | None:
    if isinstance(skew_s, bool) or not isinstance(skew_s, int | float) or not abs(skew_s) < 1e9:
        return moment
    try:
        return moment - timedelta(seconds=skew_s)
    except OverflowError:
        return None
