"""How well the district is heard: figures that are no sums of records (J2, J3, J4, B9), as of now."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Text, case, cast, func, select

from server import clock
from server.app import Gridbook
from server.bulletins import cutoff
from server.intake.lookups import district_settings
from server.intake.unjudged import unjudged
from server.lists import archive, outcomes, reconciling
from server.people.permissions import covers
from server.people.tables import devices
from server.readmodel.figures import share
from server.readmodel.kept import kept
from server.readmodel.selecting import waiting
from server.readmodel.tables import records
from server.villages import states
from sync.store import NotFound

WAITING = ("quarantined", "returned")
COUNTED_MAX = 500
LEVELS = {"town": "town_code", "village": "village_code"}

Area = dict[str, Any]


def standing(shared: Gridbook, area: Area, day: date) -> dict[str, Any]:
    """{villages: {total, reported, nil, silent}, devices: {active, unsynced, since}, last_received_at?,
    waiting: {unjudged, quarantined, returned}, lists: {received, checked, share, missed, outcomes}}"""
    answers = kept(shared.readmodel)
    result: dict[str, Any] = {
        "villages": _villages(shared, area, day),
        "devices": _devices(shared, area, day),
        "waiting": _unjudged(shared, area)
        | answers.get(("waiting", area["code"]), lambda: _waiting(shared, area)),
        "lists": lists(shared, area["code"]),
    }
    received = answers.get(("last_received", area["code"]), lambda: _last_received(shared, area))
    return result | ({"last_received_at": received} if received else {})


def _villages(shared: Gridbook, area: Area, day: date) -> dict[str, int]:
    found = states.counts(shared, area["code"], day.isoformat())
    return {"total": sum(found.values()), **found}


def _devices(shared: Gridbook, area: Area, day: date) -> dict[str, Any]:
    """Phones in use, and those of them not heard from since the day's cut-off; before it, since that of the
    day before. A phone of two towns counts in both."""
    now = clock.stamp(clock.now())
    with shared.readmodel.engine.connect() as connection:
        settings = district_settings(shared.readmodel, connection)
    since = cutoff.cut_off(settings, day)
    since = since if since <= now else cutoff.cut_off(settings, day - timedelta(days=1))
    late = devices.c.last_contact_at.is_(None) | (devices.c.last_contact_at < since)
    query = select(func.count(), func.sum(case((late, 1), else_=0))).where(
        devices.c.revoked_at.is_(None), devices.c.expires_at.is_(None) | (devices.c.expires_at > now)
    )
    if area["level"] != "district":
        # A list of codes as JSON: only an entry begins with the quote and the area's code.
        entry = json.dumps(area["code"])[:-1]
        query = query.where(cast(devices.c.villages, Text).contains(entry, autoescape=True))
    with shared.people.engine.connect() as connection:
        active, unsynced = connection.execute(query).one()
    return {"active": active, "unsynced": int(unsynced or 0), "since": since}


def _last_received(shared: Gridbook, area: Area) -> str | None:
    query = select(func.max(records.c.received_at))
    if area["level"] in LEVELS:
        query = query.where(records.c[LEVELS[area["level"]]] == area["code"])
    with shared.readmodel.engine.connect() as connection:
        return connection.execute(query).scalar()


def _unjudged(shared: Gridbook, area: Area) -> dict[str, int]:
    """Records that arrived and have no verdict yet. The read model does not change with them."""
    arrived = unjudged(shared.store, shared.readmodel)
    return {
        "unjudged": sum(each.records for village, each in arrived.items() if covers(area["code"], village))
    }


def _waiting(shared: Gridbook, area: Area) -> dict[str, int]:
    """Those whose verdict asks for a correction."""
    query = select(records.c.status, func.count()).where(waiting())
    if area["level"] in LEVELS:
        query = query.where(records.c[LEVELS[area["level"]]] == area["code"])
    with shared.readmodel.engine.connect() as connection:
        found: dict[str, int] = dict(connection.execute(query.group_by(records.c.status)).all())
    return {status: found.get(status, 0) for status in WAITING}


# (store, area) -> how far the lists' database had moved, the answer
_counted: dict[tuple[str, str], tuple[Any, dict[str, Any]]] = {}


def lists(shared: Gridbook, area_code: str) -> dict[str, Any]:
    """Superiors' lists in force, the area's own names: how many were checked, with which outcome, and how
    many had been missed (B9). Counted again when something was decided since."""
    try:
        moved = shared.store.open(archive.DATABASE).info()["update_seq"]
    except NotFound:
        moved = None
    key = (shared.store.uuid, area_code)
    before = _counted.get(key)
    if before is None or before[0] != moved:
        if len(_counted) >= COUNTED_MAX:
            _counted.clear()
        before = _counted[key] = moved, _lists(shared, area_code)
    return before[1]


def _lists(shared: Gridbook, area_code: str) -> dict[str, Any]:
    counts: Counter[str] = Counter()
    for head in archive.every(shared.store):
        if head.superseded_by is None:
            counts.update(reconciling.reconciled(shared, head.list_id, area_code).standing.counts())
    received, checked = counts.total(), counts.total() - counts[outcomes.OPEN]
    return {
        "received": received,
        "checked": checked,
        "share": share(checked, received),
        "missed": counts["missed"],
        "outcomes": {name: counts[name] for name in outcomes.OUTCOMES},
    }
