"""Staff: who may sign in at a desk. Passwords are kept as argon2id; guessing is slowed down."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Row, select, update
from sqlalchemy.exc import IntegrityError

from server.people import lockout
from server.people.people import People
from server.people.permissions import ROLES
from server.people.tables import api_tokens, sessions, staff

PASSWORD_LENGTH_MIN = 10
PASSWORD_LENGTH_MAX = 200
_hasher = PasswordHasher()


class StaffError(Exception):
    """A staff member that cannot be made or changed; the message says why."""


class SignInRefused(Exception):
    """Wrong name or password, or too many tries; `retry_after_s` is 0 when one may try again at once."""

    def __init__(self, reason: str, retry_after_s: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Staff:
    """`scopes` is None for somebody at the desk, and what an API token was given for a program."""

    staff_id: str
    username: str
    name: str
    roles: frozenset[str]
    area: str
    disabled: bool
    scopes: frozenset[str] | None = None

    @property
    def writer(self) -> str:
        return f"staff:{self.staff_id}"


def add(people: People, *, username: str, password: str, name: str, roles: Iterable[str], area: str) -> Staff:
    """Raises StaffError for a taken name, an unknown role, a bad area or a weak password."""
    chosen = sorted(set(roles))
    _check(username, password, chosen, area)
    row: dict[str, Any] = {
        "staff_id": uuid.uuid4().hex,
        "username": username,
        "name": name or username,
        "area": area,
    }
    hashed = _hasher.hash(password)
    try:
        with people.engine.begin() as connection:
            values = staff.insert().values(
                **row, roles=chosen, password_hash=hashed, created_at=people.stamp()
            )
            connection.execute(values)
    except IntegrityError:
        raise StaffError(f"There is already somebody called {username}.") from None
    return Staff(**row, roles=frozenset(chosen), disabled=False)


def _check(username: str, password: str, roles: list[str], area: str) -> None:
    if not username or username != username.strip() or len(username) > 64 or not username.isprintable():
        raise StaffError("A user name has 1 to 64 printable characters, without spaces at its ends.")
    if not roles or not set(roles) <= ROLES.keys():
        raise StaffError(f"Roles are: {', '.join(ROLES)}.")
    if not (area.isascii() and area.isdigit() and len(area) in (6, 9, 12)):
        raise StaffError("An area is the code of a district (6 digits), a town (9) or a village (12).")
    check_password(password)


def check_password(password: str) -> None:
    if not PASSWORD_LENGTH_MIN <= len(password) <= PASSWORD_LENGTH_MAX:
        raise StaffError(f"A password has {PASSWORD_LENGTH_MIN} to {PASSWORD_LENGTH_MAX} characters.")


def sign_in(people: People, username: str, password: str, address: str) -> Staff:
    """The staff member with this name and password. Raises SignInRefused, in one wording for all faults."""
    keys = [f"sign-in:{username[:64]}", f"sign-in-from:{address}"]
    if wait_s := max(lockout.wait_s(people, key) for key in keys):
        raise SignInRefused("too many tries", wait_s)
    row = _row(people, staff.c.username == username)
    if (
        not _verified(row.password_hash if row else _nobodys_hash(), password)
        or row is None
        or row.disabled_at
    ):
        waits = [
            lockout.failed(people, keys[0], lockout.NAME),
            lockout.failed(people, keys[1], lockout.ADDRESS),
        ]
        raise SignInRefused("wrong name or password", max(waits))
    lockout.clear(people, keys[0])
    _rehash(people, row, password)
    return _staff(row)


@cache
def _nobodys_hash() -> str:
    """Verified when the name is unknown, so that the answer takes as long as for a known one."""
    return _hasher.hash("nobody's password")


def _verified(password_hash: str, password: str) -> bool:
    try:
        return len(password) <= PASSWORD_LENGTH_MAX and _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def _rehash(people: People, row: Row[Any], password: str) -> None:
    if _hasher.check_needs_rehash(row.password_hash):
        with people.engine.begin() as connection:
            statement = update(staff).where(staff.c.staff_id == row.staff_id)
            connection.execute(statement.values(password_hash=_hasher.hash(password)))


def by_username(people: People, username: str) -> Staff | None:
    row = _row(people, staff.c.username == username)
    return _staff(row) if row else None


def by_id(people: People, staff_id: str) -> Staff | None:
    row = _row(people, staff.c.staff_id == staff_id)
    return _staff(row) if row else None


def every(people: People) -> list[Staff]:
    with people.engine.connect() as connection:
        return [_staff(row) for row in connection.execute(select(staff).order_by(staff.c.username))]


def set_password(people: People, member: Staff, password: str) -> None:
    """Change the password and end every session opened with the old one. Raises StaffError."""
    check_password(password)
    with people.engine.begin() as connection:
        statement = update(staff).where(staff.c.staff_id == member.staff_id)
        connection.execute(statement.values(password_hash=_hasher.hash(password)))
        connection.execute(sessions.delete().where(sessions.c.staff_id == member.staff_id))


def disable(people: People, member: Staff) -> None:
    """Shut somebody out: sessions end and API tokens are revoked; what they did stays theirs."""
    moment = people.stamp()
    with people.engine.begin() as connection:
        connection.execute(
            update(staff).where(staff.c.staff_id == member.staff_id).values(disabled_at=moment)
        )
        connection.execute(sessions.delete().where(sessions.c.staff_id == member.staff_id))
        connection.execute(
            update(api_tokens).where(api_tokens.c.staff_id == member.staff_id).values(revoked_at=moment)
        )


def enable(people: People, member: Staff) -> None:
    """Let somebody in again, with the password that they had."""
    with people.engine.begin() as connection:
        connection.execute(update(staff).where(staff.c.staff_id == member.staff_id).values(disabled_at=None))


def _row(people: People, condition: Any) -> Row[Any] | None:
    with people.engine.connect() as connection:
        return connection.execute(select(staff).where(condition)).one_or_none()


def _staff(row: Row[Any]) -> Staff:
    return Staff(
        staff_id=row.staff_id,
        username=row.username,
        name=row.name,
        roles=frozenset(row.roles),
        area=row.area,
        disabled=row.disabled_at is not None,
    )
