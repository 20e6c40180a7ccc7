"""Days and times of Beijing (UTC+8, no summer time), computed with integers: no clock and no machine's zone.

A date is `YYYY-MM-DD`; a date with time is RFC 3339, and counts as Beijing's when it names no offset.
"""

import math
import re
from functools import lru_cache

DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
DATE_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})?"
)
DATE_TIME_MAX = len("2020-02-21T10:05:00.123456789+08:00")
DAY_MS = 86_400_000
BEIJING_MIN = 480
FIRST_DAY, LAST_DAY = -719_162, 2_932_896  # 0001-01-01 and 9999-12-31
WEEKDAYS = "日一二三四五六"
MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def days_from_civil(year: int, month: int, day: int) -> int | None:
    """Days since 1970-01-01, or None when the calendar has no such day."""
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if not (1 <= year <= 9999 and 1 <= month <= 12):
        return None
    if not 1 <= day <= MONTH_DAYS[month - 1] + (leap and month == 2):
        return None
    y = year - (month <= 2)
    era, yoe = y // 400, y % 400
    doy = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146_097 + yoe * 365 + yoe // 4 - yoe // 100 + doy - 719_468


def civil_from_days(days: int) -> tuple[int, int, int]:
    z = days + 719_468
    era, doe = z // 146_097, z % 146_097
    yoe = (doe - doe // 1_460 + doe // 36_524 - doe // 146_096) // 365
    doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
    mp = (5 * doy + 2) // 153
    month = mp + 3 if mp < 10 else mp - 9
    return yoe + era * 400 + (month <= 2), month, doy - (153 * mp + 2) // 5 + 1


def parse_date(text: str) -> int | None:
    return _parsed_date(text) if len(text) == 10 else None


# The same few days stand in every record.
@lru_cache(maxsize=4096)
def _parsed_date(text: str) -> int | None:
    match = DATE.fullmatch(text)
    return days_from_civil(*map(int, match.groups())) if match else None


def parse_date_time(text: str) -> int | None:
    """Milliseconds since Beijing's 1970-01-01T00:00."""
    return _parsed_date_time(text) if len(text) <= DATE_TIME_MAX else None


@lru_cache(maxsize=4096)
def _parsed_date_time(text: str) -> int | None:
    match = DATE_TIME.fullmatch(text)
    if not match:
        return None
    days = days_from_civil(int(match[1]), int(match[2]), int(match[3]))
    hour, minute, second = int(match[4]), int(match[5]), int(match[6] or 0)
    offset = _offset_min(match[8])
    if days is None or offset is None or hour > 23 or minute > 59 or second > 59:
        return None
    ms = int((match[7] or "")[:3].ljust(3, "0"))
    return days * DAY_MS + (hour * 60 + minute - offset + BEIJING_MIN) * 60_000 + second * 1_000 + ms


def _offset_min(text: str | None) -> int | None:
    if not text:
        return BEIJING_MIN
    if text == "Z":
        return 0
    hours, minutes = int(text[1:3]), int(text[4:6])
    if hours > 14 or minutes > 59:
        return None
    return (hours * 60 + minutes) * (-1 if text[0] == "-" else 1)


def days_of(text: str) -> float:
    """Days since 1970-01-01 in Beijing, with the time of day as fraction; NaN for what is no date."""
    return _days_of(text) if 10 <= len(text) <= DATE_TIME_MAX and text[4] == "-" else math.nan


# Expressions ask for the same time more than once.
@lru_cache(maxsize=4096)
def _days_of(text: str) -> float:
    days = parse_date(text)
    if days is not None:
        return float(days)
    ms = parse_date_time(text)
    return math.nan if ms is None else ms / DAY_MS


def day_of(text: str) -> int | None:
    """The Beijing day of a date or a date with time."""
    days = parse_date(text)
    if days is None:
        ms = parse_date_time(text)
        days = None if ms is None else ms // DAY_MS
    return days


def ms_of(text: str) -> int | None:
    return _ms_of(text) if len(text) <= DATE_TIME_MAX else None


@lru_cache(maxsize=4096)
def _ms_of(text: str) -> int | None:
    days = parse_date(text)
    return parse_date_time(text) if days is None else days * DAY_MS


def format_day(days: float) -> str:
    if not FIRST_DAY <= days <= LAST_DAY:
        return ""
    return "{:04d}-{:02d}-{:02d}".format(*civil_from_days(int(days)))


def format_ms(ms: float) -> str:
    """RFC 3339 in Beijing, milliseconds only when there are any; "" outside the years 1–9999."""
    if not FIRST_DAY * DAY_MS <= ms < (LAST_DAY + 1) * DAY_MS:
        return ""
    days, rest = divmod(int(ms), DAY_MS)
    seconds, milli = divmod(rest, 1_000)
    fraction = f".{milli:03d}" if milli else ""
    time = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{format_day(days)}T{time}{fraction}+08:00"


def format_with(pattern: str, ms: int) -> str:
    """ODK's format-date letters; %a and %b are Chinese."""
    days, rest = divmod(ms, DAY_MS)
    year, month, day = civil_from_days(days)
    hour, minute, second, milli = rest // 3_600_000, rest // 60_000 % 60, rest // 1_000 % 60, rest % 1_000
    letters = {
        "Y": f"{year:04d}",
        "y": f"{year % 100:02d}",
        "m": f"{month:02d}",
        "n": str(month),
        "b": f"{month}月",
        "d": f"{day:02d}",
        "e": str(day),
        "H": f"{hour:02d}",
        "h": str(hour),
        "M": f"{minute:02d}",
        "S": f"{second:02d}",
        "3": f"{milli:03d}",
        "a": "周" + WEEKDAYS[(days + 4) % 7],
        "%": "%",
    }
    return re.sub(r"%(.)", lambda match: letters.get(match[1], match[0]), pattern, flags=re.DOTALL)


def years_between(from_day: int, to_day: int) -> int:
    """Whole years, as ages are counted."""
    y1, m1, d1 = civil_from_days(from_day)
    y2, m2, d2 = civil_from_days(to_day)
    return y2 - y1 - ((m2, d2) < (m1, d1))
