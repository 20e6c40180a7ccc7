"""Exceptions as the data show them now, one function for each source of `forms/exceptions.json`.

An exception is known by its kind, its subject and since when it lasts: a point that is disinfected and falls
due again is another one. Each source gives its oldest MOST of an area, so that a district gone silent
cannot fill the memory; who needs more asks about a town.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from operator import attrgetter
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, select, true

from server.clock import stamp
from server.exceptions.declaration import Kind, bound, kinds, sla_h
from server.intake.lookups import default_settings
from server.people import devices
from server.people.people import People
from server.readmodel import codec
from server.readmodel.model import ReadModel
from server.readmodel.moments import beijing_day, parse
from server.readmodel.selecting import waiting
from server.readmodel.tables import flags, records, standing_out, units

MOST = 2000
IDS_AT_ONCE = 400
IN_INDEX = (records.c.record_id, records.c.village_code, records.c.received_at)
NOT_READ: Mapping[str, str] = MappingProxyType({})
MOMENTS_KEPT = 8192

Parts = tuple[str, str, str, str]  # kind, village, subject, since


class Found(NamedTuple):
    """Thousands are made for one board. `subject` is a record, household, point, roster entry or device;
    `since` RFC 3339 UTC. `about` holds what the page links to:
    {record_id | household_id | point_id | roster_entry_id | device_id: …, words?}."""

    kind: str
    village_code: str
    subject: str
    since: str
    about: Mapping[str, str]

    @property
    def parts(self) -> Parts:
        """All that is needed to find it again."""
        return self[:4]

    @property
    def id(self) -> str:
        """Its parts as one word for an address."""
        text = json.dumps(self.parts, separators=(",", ":"), ensure_ascii=False)
        return base64.urlsafe_b64encode(text.encode("utf-8", "replace")).decode().rstrip("=")


age: Callable[[Found], tuple[str, str, str]] = attrgetter("since", "subject", "village_code")
"""Exceptions of one kind in their order: oldest first."""


def parts_of(exception_id: str) -> Parts | None:
    """(kind, village, subject, since) of an id; None for what is none."""
    try:
        text = base64.b64decode(exception_id + "=" * (-len(exception_id) % 4), altchars=b"-_", validate=True)
        found = json.loads(text)
    except (ValueError, binascii.Error, RecursionError):
        return None
    if not (isinstance(found, list) and len(found) == 4 and all(isinstance(part, str) for part in found)):
        return None
    kind, village, subject, since = found
    return kind, village, subject, since


@dataclass(frozen=True, slots=True)
class Asked:
    """What finding needs: where, when, and by which settings. In `brief`, records that wait are told by what
    their index has, until `completed`."""

    readmodel: ReadModel
    people: People
    settings: Mapping[str, Any]
    area: str
    now: str
    brief: bool = False

    @property
    def day(self) -> str:
        return _day(self.now)

    @property
    def kinds(self) -> Mapping[str, Kind]:
        return kinds(self.readmodel.forms)

    def bound(self, name: str) -> float:
        return bound(name, self.settings, default_settings(self.readmodel.forms))

    def sla_h(self, kind: str) -> float:
        return sla_h(kind, self.settings, default_settings(self.readmodel.forms))

    def within(self, table: Table) -> ColumnElement[bool]:
        """What has no village is the district's business only."""
        if len(self.area) == 6:
            return true()
        level = table.c.town_code if len(self.area) == 9 else table.c.village_code
        return level == self.area

    def ago(self, hours: float) -> str:
        moment = parse(self.now)
        return stamp(moment - timedelta(hours=hours)) if moment else self.now


def _day(moment: str) -> str:
    found = parse(moment)
    return beijing_day(found) if found else ""


def find(asked: Asked, kind: Kind) -> list[Found]:
    """The exceptions of one kind, at most MOST, oldest first."""
    with asked.readmodel.engine.connect() as connection:
        found = list(SOURCES[kind.source](asked, kind, connection))
    return sorted(found, key=age)[:MOST]


def _waiting(asked: Asked, kind: Kind, connection: Connection) -> Iterator[Found]:
    """Records that wait for a correction, since their verdict."""
    order = (records.c.received_at, records.c.record_id)
    query = _records(asked).where(waiting(), records.c.status == kind.status).order_by(*order).limit(MOST)
    if kind.status != "quarantined":
        for row in connection.execute(query):
            yield _of_record(kind, row, max(row.decided_at, row.received_at))
    elif asked.brief:
        for record_id, village, received_at in connection.execute(query.with_only_columns(*IN_INDEX)).all():
            yield Found(kind.id, village, record_id, received_at, NOT_READ)
    else:
        for row in connection.execute(query):
            yield _of_record(kind, row, row.received_at)


def completed(asked: Asked, kinds: Mapping[str, Kind], found: Sequence[Found]) -> list[Found]:
    """The same in full."""
    ids = [each.subject for each in found if each.about is NOT_READ]
    read: dict[Parts, Found] = {}
    with asked.readmodel.engine.connect() as connection:
        for start in range(0, len(ids), IDS_AT_ONCE):
            some = records.c.record_id.in_(ids[start : start + IDS_AT_ONCE])
            rows = connection.execute(_records(asked).add_columns(records.c.status).where(some)).all()
            for kind in kinds.values():
                full = [_of_record(kind, row, row.received_at) for row in rows if row.status == kind.status]
                read |= {each.parts: each for each in full}
    return [read.get(each.parts, each) if each.about is NOT_READ else each for each in found]


def _records(asked: Asked) -> Select[Any]:
    names = ("record_id", "village_code", "received_at", "happened_at", "decided_at", "filler_id",
             "household_id", "point_id", "roster_entry_id", "unit_key", "work_date")  # fmt: skip
    return select(*(records.c[name] for name in names)).where(asked.within(records))


def _of_record(kind: Kind, row: Row[Any], since: str, *, of_filler: bool = False) -> Found:
    """`of_filler`: it is about what somebody filled in on a day, not about the record's unit."""
    units_ = ("household_id", "point_id", "roster_entry_id")
    about = {"record_id": row.record_id} | {
        name: getattr(row, name) for name in units_ if getattr(row, name) is not None
    }
    if of_filler and row.filler_id:
        about = {"record_id": row.record_id, "filler_id": row.filler_id, "day": row.work_date or ""}
    return Found(kind.id, row.village_code, row.record_id, since, about)


def _record_says(asked: Asked, kind: Kind, connection: Connection) -> Iterator[Found]:
    """Effective records of a form that feed the component."""
    query = _records(asked).where(
        records.c.form_id == kind.form,
        records.c.effective,
        records.c.facts.contains(f'"{kind.component}":', autoescape=True),
    )
    for row in connection.execute(query.order_by(records.c.received_at, records.c.record_id).limit(MOST)):
        yield _of_record(kind, row, row.received_at)


def _flag(asked: Asked, kind: Kind, connection: Connection) -> Iterator[Found]:
    """One for each unit with flagged records: the earliest received of them stands for all."""
    query = (
        _records(asked)
        .add_columns(flags.c.unit_kind, flags.c.unit_key.label("flagged"))
        .join(flags, flags.c.record_id == records.c.record_id)
        .where(flags.c.rule == kind.rule, records.c.effective)
        .order_by(records.c.received_at, records.c.record_id)
    )
    mentioned = asked.readmodel.declaration.mentioned.values()
    filler_days = {each.name for each in mentioned if each.identity == "filler_day"}
    seen: set[tuple[str, str]] = set()
    for row in connection.execute(query):
        if (row.unit_kind, row.flagged) not in seen:
            seen.add((row.unit_kind, row.flagged))
            yield _of_record(kind, row, row.received_at, of_filler=row.unit_kind in filler_days)
        if len(seen) >= MOST:
            return


def _unit_rows(asked: Asked, kind: Kind, *conditions: ColumnElement[bool]) -> Select[Any]:
    return select(units.c.unit_id, units.c.village_code, units.c.active_from, units.c.due_at).where(
        units.c.kind == kind.unit,
        units.c.registered,
        units.c.active_from <= asked.day,
        units.c.active_to >= asked.day,
        asked.within(units),
        *conditions,
    )


def _unit_overdue(asked: Asked, kind: Kind, connection: Connection) -> Iterator[Found]:
    """Since the interval ran out; a point that nobody ever disinfected, since it is on the register."""
    query = _unit_rows(asked, kind, units.c.due_at <= asked.now)
    order = (units.c.due_at, units.c.village_code, units.c.unit_key)
    for row in connection.execute(query.order_by(*order).limit(MOST)).all():
        yield _of_unit(kind, row, row.due_at or _morning(row.active_from))


def _unit_open(asked: Asked, kind: Kind, connection: Connection) -> Iterator[Found]:
    """Units that are open after so many attempts, or so many hours after they became active."""
    attempts = asked.bound(kind.attempts) if kind.attempts else 0
    hours = asked.bound(kind.after_h) if kind.after_h else 0
    query = _unit_rows(asked, kind, units.c.open.is_(True))
    if attempts:
        query = query.where(units.c.attempts >= int(attempts))
        query = query.add_columns(units.c.state)
    if hours:
        query = query.where(units.c.active_from <= _day(asked.ago(hours)))
    # An index by attempts is no use to who wants them by day; households with so many are few.
    day = units.c.active_from.concat("") if attempts else units.c.active_from
    order = (day, units.c.village_code, units.c.unit_key)
    for row in connection.execute(query.order_by(*order).limit(MOST)).all():
        begun = codec.decode(row.state).get("last_visit_date") if attempts else None
        since = later(_morning(begun or row.active_from), hours)
        if since <= asked.now:
            yield _of_unit(kind, row, since)


def _of_unit(kind: Kind, row: Row[Any], since: str) -> Found:
    return Found(kind.id, row.village_code, row.unit_id, since, {f"{kind.unit}_id": row.unit_id})


@lru_cache(MOMENTS_KEPT)
def _morning(day: str) -> str:
    """The beginning of a Beijing day."""
    moment = parse(f"{day}T00:00:00+08:00")
    return stamp(moment) if moment else ""


@lru_cache(MOMENTS_KEPT)
def later(moment: str, hours: float) -> str:
    start = parse(moment)
    return stamp(start + timedelta(hours=hours)) if start else moment


def _mentioned(asked: Asked, kind: Kind, connection: Connection) -> Iterator[Found]:
    """Persons of whom the component holds and none of `without`, by the first record that says so."""
    names = ("since", "record_id", "place", "found_in", "household_id")
    query = select(*(standing_out.c[name] for name in names)).where(
        standing_out.c.exception == kind.id, asked.within(standing_out)
    )
    # Who counts in several villages of the area is one exception.
    order = (standing_out.c.since, standing_out.c.record_id, standing_out.c.place)
    found = connection.execute(query.distinct().order_by(*order).limit(MOST)).all()
    for since, record_id, place, found_in, household_id in found:
        about = {"record_id": record_id, "place": str(place + 1)}
        if household_id:
            about["household_id"] = household_id
        yield Found(kind.id, found_in, f"{record_id}#{place}", since, about)


def _device_silent(asked: Asked, kind: Kind, connection: Connection) -> Iterator[Found]:
    """Phones that may sync and have not been heard from, since the limit passed."""
    hours = asked.bound(kind.after_h)
    for device in devices.every(asked.people):
        heard = device.last_contact_at or device.enrolled_at
        theirs = [village for village in device.villages if village.startswith(asked.area)]
        if device.revoked or device.expired(asked.now) or not theirs or heard > asked.ago(hours):
            continue
        about = {"device_id": device.device_id, "words": device.label}
        yield Found(kind.id, theirs[0], device.device_id, later(heard, hours), about)


SOURCES: Mapping[str, Callable[[Asked, Kind, Connection], Iterable[Found]]] = {
    "waiting": _waiting,
    "record_says": _record_says,
    "flag": _flag,
    "unit_overdue": _unit_overdue,
    "unit_open": _unit_open,
    "mentioned": _mentioned,
    "device_silent": _device_silent,
}
