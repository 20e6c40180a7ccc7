"""Devices: phones that were enrolled for some villages, each with a token that can be revoked."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_urlsafe
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, bindparam, func, not_, or_, select, type_coerce, update
from sqlalchemy.types import String

from server.people.people import People, token_hash
from server.people.tables import devices, successions

TOKEN_BYTES = 32
SEEN = (
    "device_id",
    "label",
    "villages",
    "filler_ids",
    "enrolled_at",
    "last_contact_at",
    "expires_at",
    "revoked_at",
)
CONTACT_GRAIN = timedelta(minutes=1)  # a sync makes many requests; one note a minute tells as much


@dataclass(frozen=True, slots=True)
class Device:
    """An enrolled phone. Empty `filler_ids` means any filler of its villages. Moments are RFC 3339 in UTC."""

    device_id: str
    label: str
    villages: list[str]
    filler_ids: list[str]
    revoked: bool
    enrolled_at: str
    expires_at: str | None = None
    last_contact_at: str | None = None

    @property
    def writer(self) -> str:
        return f"device:{self.device_id}"

    def expired(self, now: str) -> bool:
        return self.expires_at is not None and self.expires_at <= now


def add(
    people: People,
    connection: Connection,
    *,
    label: str,
    villages: list[str],
    filler_ids: list[str],
    expires_at: str | None = None,
) -> tuple[Device, str]:
    """Register a device in the caller's transaction; returns it with its token, which is shown only here."""
    token = token_urlsafe(TOKEN_BYTES)
    row: dict[str, Any] = {
        "device_id": uuid.uuid4().hex,
        "label": label,
        "villages": villages,
        "filler_ids": filler_ids,
        "enrolled_at": people.stamp(),
        "expires_at": expires_at,
    }
    connection.execute(devices.insert().values(token_hash=token_hash(token), **row))
    return Device(revoked=False, **row), token


def by_token(people: People, token: str) -> Device | None:
    """The device that holds `token`, also when revoked or expired: the caller says so to the phone."""
    return _one(people, devices.c.token_hash == token_hash(token))


def by_id(people: People, device_id: str) -> Device | None:
    return _one(people, devices.c.device_id == device_id)


def succeed(connection: Connection, device: Device, previous: Device) -> None:
    """In the caller's transaction: `device` is the phone that used to be `previous`."""
    connection.execute(
        successions.insert().values(device_id=device.device_id, previous_id=previous.device_id)
    )


def former_ids(people: People, device_id: str) -> list[str]:
    """The ids that this phone had before it was enrolled again, latest first."""
    found: list[str] = []
    with people.engine.connect() as connection:
        latest: str | None = device_id
        while latest is not None:  # a device is made once, after its previous one: the chain ends
            latest = connection.scalar(
                select(successions.c.previous_id).where(successions.c.device_id == latest)
            )
            found += [latest] if latest else []
    return found


def every(people: People) -> list[Device]:
    """All devices, oldest first."""
    with people.engine.connect() as connection:
        return [_device(row) for row in connection.execute(select(devices).order_by(devices.c.enrolled_at))]


class Quiet(NamedTuple):
    """Of a device, what is told when it was not heard from."""

    device_id: str
    label: str
    villages: list[str]
    last_contact_at: str | None


def in_use(people: People, start: str, moment: str) -> tuple[int, list[Quiet]]:
    """How many devices were in use at `moment`; and those of them whose last contact was not from `start` to
    then, oldest first."""
    used = (
        devices.c.revoked_at.is_(None)
        & (devices.c.enrolled_at <= moment)
        & or_(devices.c.expires_at.is_(None), devices.c.expires_at > moment)
    )
    contact = func.coalesce(devices.c.last_contact_at, "")
    told = select(*(devices.c[name] for name in Quiet._fields))
    quiet = told.where(used, not_(contact.between(start, moment)))
    with people.engine.connect() as connection:
        count = connection.execute(select(func.count()).select_from(devices).where(used)).scalar_one()
        rows = connection.execute(quiet.order_by(devices.c.enrolled_at)).all()
    return count, [Quiet(*row) for row in rows]


def former(people: People) -> dict[str, str]:
    """{device id: the id that this phone had before}."""
    with people.engine.connect() as connection:
        return dict(connection.execute(select(successions.c.device_id, successions.c.previous_id)).all())


def state_word(people: People) -> str:
    """Changes with anything of any device."""
    with people.engine.connect() as connection:
        stored = [type_coerce(devices.c[name], String) for name in SEEN]  # lists as they are stored
        return repr([tuple(row) for row in connection.execute(select(*stored)).all()])


def revoke(people: People, device_id: str) -> bool:
    """Shut a device out, in all processes within a second. False if there is no such device."""
    with people.engine.begin() as connection:
        statement = update(devices).where(devices.c.device_id == device_id)
        known = connection.execute(statement.values(revoked_at=people.stamp()))
    return known.rowcount == 1


def assign(people: People, device_id: str, villages: list[str]) -> bool:
    """Give a device other villages, and any filler of theirs. False if there is no such device."""
    with people.engine.begin() as connection:
        statement = update(devices).where(devices.c.device_id == device_id)
        known = connection.execute(statement.values(villages=villages, filler_ids=[]))
    return known.rowcount == 1


def note_contact(people: People, device: Device) -> None:
    """Remember that the device was heard from, to the minute."""
    if device.last_contact_at and _moment(device.last_contact_at) > people.now() - CONTACT_GRAIN:
        return
    with people.engine.begin() as connection:
        statement = update(devices).where(devices.c.device_id == device.device_id)
        connection.execute(statement.values(last_contact_at=people.stamp()))


def note_contacts(people: People, noted: Mapping[str, str]) -> None:
    """Device id → moment, for many at once."""
    statement = update(devices).where(devices.c.device_id == bindparam("device"))
    rows = [{"device": device_id, "at": moment} for device_id, moment in noted.items()]
    with people.engine.begin() as connection:
        connection.execute(statement.values(last_contact_at=bindparam("at")), rows)


def _moment(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp)


def _one(people: People, condition: Any) -> Device | None:
    with people.engine.connect() as connection:
        row = connection.execute(select(devices).where(condition)).one_or_none()
    return _device(row) if row else None


def _device(row: Row[Any]) -> Device:
    return Device(
        device_id=row.device_id,
        label=row.label,
        villages=list(row.villages),
        filler_ids=list(row.filler_ids),
        revoked=row.revoked_at is not None,
        enrolled_at=row.enrolled_at,
        expires_at=row.expires_at,
        last_contact_at=row.last_contact_at,
    )
