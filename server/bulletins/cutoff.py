"""When a day's bulletin is due: the district setting `report_cutoff`, Beijing time, as a moment in UTC."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from server import clock
from server.bulletins.refusals import Refused
from server.readmodel.moments import BEIJING

IN_FLIGHT_S = 5
"""A record that was stamped just before the cut-off may reach the disk a moment after it."""


def cut_off(settings: Mapping[str, Any], day: date) -> str:
    """RFC 3339 UTC. Raises Refused when the setting is no time of day."""
    given = settings.get("report_cutoff")
    if not isinstance(given, str) or not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", given):
        raise Refused("bulletin-cutoff", given=str(given)[:40])
    hour, minute = map(int, given.split(":"))
    return clock.stamp(datetime.combine(day, time(hour, minute), BEIJING))


def settled(now: datetime) -> str:
    """Everything stamped up to this moment is on disk."""
    return clock.stamp(now - timedelta(seconds=IN_FLIGHT_S))


def day_start(day: date) -> str:
    return clock.stamp(datetime.combine(day, time(), BEIJING))
