"""Enrolment: a short code, used once and soon, turns a phone into a device of some villages.

Eight characters of an alphabet without look-alikes hold 39 bits; together with the slow-down of guesses and
the expiry that is enough for a code that is read from paper. Codes are kept as salted hashes.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, select, update

from server.people import devices
from server.people.people import People, salted_hash
from server.people.tables import code_makers, enrolment_codes, staff

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # no 0 O, 1 I L, U
CODE_LENGTH = 8
LABEL_LENGTH_MAX = 80


class CodeRefused(Exception):
    """A code that enrols nothing. `gone` tells a used or expired code from one that never was."""

    def __init__(self, reason: str, *, gone: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.gone = gone


@dataclass(frozen=True, slots=True)
class Offer:
    """What a code will give: villages, fillers (none: all of the villages), the token's life in days."""

    villages: Sequence[str]
    filler_ids: Sequence[str] = ()
    device_days: int | None = None


def new_characters() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))


def as_read(characters: str) -> str:
    """XXXX-XXXX"""
    return f"{characters[:4]}-{characters[4:]}"


def create_code(people: People, offer: Offer, *, valid_for: timedelta, made_by: str = "") -> str:
    """Returns the code as people read it, XXXX-XXXX; it is shown only here. `made_by` is the id of the staff
    member who makes it at a desk."""
    characters = new_characters()
    row = {
        "code_hash": _code_hash(people, characters),
        "villages": list(offer.villages),
        "filler_ids": list(offer.filler_ids),
        "device_days": offer.device_days,
        "created_at": people.stamp(),
        "expires_at": people.stamp(valid_for),
    }
    with people.engine.begin() as connection:
        connection.execute(enrolment_codes.insert().values(row))
        if made_by:
            maker = {"code_hash": row["code_hash"], "staff_id": made_by}
            connection.execute(code_makers.insert().values(maker))
    return as_read(characters)


def enrolled_by(people: People) -> dict[str, str]:
    """{device id: the name of the staff member whose code enrolled it}."""
    statement = (
        select(enrolment_codes.c.device_id, staff.c.name)
        .join(code_makers, code_makers.c.code_hash == enrolment_codes.c.code_hash)
        .join(staff, staff.c.staff_id == code_makers.c.staff_id)
        .where(enrolment_codes.c.device_id.is_not(None))
    )
    with people.engine.connect() as connection:
        return {row.device_id: row.name for row in connection.execute(statement)}


def usable(people: People, code: str) -> bool:
    """Whether the code would still enrol a phone."""
    statement = select(enrolment_codes.c.code_hash).where(
        enrolment_codes.c.code_hash == _code_hash(people, normalized(code)),
        enrolment_codes.c.used_at.is_(None),
        enrolment_codes.c.expires_at > people.stamp(),
    )
    with people.engine.connect() as connection:
        return connection.scalar(statement) is not None


def link(public_url: str, code: str) -> str:
    """What the QR code holds. The code rides behind the `#`, so that it stays out of every server's log."""
    return f"{public_url}/phone/#enrol={code}"


def redeem(people: People, code: str, label: str, previous_token: str = "") -> tuple[devices.Device, str]:
    """Use the code up; returns the device and its token. Raises CodeRefused; no code makes two devices.

    Whoever holds the token of an earlier enrolment is that phone, also when the token was revoked since."""
    previous = devices.by_token(people, previous_token)
    code_hash = _code_hash(people, normalized(code))
    with people.engine.begin() as connection:
        # Claim first: of two phones with one code, the second finds nothing left to claim.
        claim = update(enrolment_codes).where(
            enrolment_codes.c.code_hash == code_hash,
            enrolment_codes.c.used_at.is_(None),
            enrolment_codes.c.expires_at > people.stamp(),
        )
        claimed = connection.execute(claim.values(used_at=people.stamp())).rowcount
        row = connection.execute(
            select(enrolment_codes).where(enrolment_codes.c.code_hash == code_hash)
        ).one_or_none()
        if not claimed or row is None:
            raise _refusal(row)
        device, token = devices.add(
            people,
            connection,
            label=label[:LABEL_LENGTH_MAX],
            villages=list(row.villages),
            filler_ids=list(row.filler_ids),
            expires_at=people.stamp(timedelta(days=row.device_days)) if row.device_days else None,
        )
        if previous:
            devices.succeed(connection, device, previous)
        used = update(enrolment_codes).where(enrolment_codes.c.code_hash == code_hash)
        connection.execute(used.values(device_id=device.device_id))
    return device, token


def _refusal(row: Row[Any] | None) -> CodeRefused:
    if row is None:
        return CodeRefused("unknown", gone=False)
    return CodeRefused("used" if row.used_at else "expired", gone=True)


def normalized(code: str) -> str:
    """The code's characters, however it was typed: lower case, spaces, dashes."""
    return "".join(character for character in code.upper() if character.isalnum())


def _code_hash(people: People, characters: str) -> str:
    return salted_hash(people, "enrol", characters)
