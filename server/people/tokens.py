"""API tokens: a staff member's rights lent to a program, narrowed to scopes and limited in time."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from secrets import token_urlsafe

from sqlalchemy import select, update

from server.people import staff
from server.people.people import People, token_hash
from server.people.permissions import ACTIONS
from server.people.tables import api_tokens

READING = ("figures.read", "records.read", "register.read", "export.masked")


class TokenRefused(Exception):
    """A token that gives no access; the message says whether it is unknown, expired or revoked."""


@dataclass(frozen=True, slots=True)
class ApiToken:
    token_id: str
    staff_id: str
    label: str
    scopes: list[str]
    expires_at: str
    revoked: bool


def create(people: People, member: staff.Staff, *, label: str, scopes: Iterable[str], days: int) -> str:
    """Returns the token, which is shown only here. Raises staff.StaffError for an unknown scope."""
    chosen = sorted(set(scopes))
    if not chosen or not set(chosen) <= ACTIONS.keys():
        raise staff.StaffError(f"Scopes are: {', '.join(ACTIONS)}.")
    token = token_urlsafe(32)
    row = {
        "token_id": uuid.uuid4().hex,
        "token_hash": token_hash(token),
        "staff_id": member.staff_id,
        "label": label,
        "scopes": chosen,
        "created_at": people.stamp(),
        "expires_at": people.stamp(timedelta(days=days)),
    }
    with people.engine.begin() as connection:
        connection.execute(api_tokens.insert().values(row))
    return token


def member_of(people: People, token: str) -> staff.Staff:
    """The staff member behind `token`, with the token's scopes. Raises TokenRefused."""
    with people.engine.connect() as connection:
        row = connection.execute(
            select(api_tokens).where(api_tokens.c.token_hash == token_hash(token))
        ).one_or_none()
    if row is None:
        raise TokenRefused("This API token is not known.")
    if row.revoked_at is not None:
        raise TokenRefused("This API token was revoked.")
    if row.expires_at <= people.stamp():
        raise TokenRefused(f"This API token expired at {row.expires_at}.")
    member = staff.by_id(people, row.staff_id)
    if member is None or member.disabled:
        raise TokenRefused("The owner of this API token is disabled.")
    return replace(member, scopes=frozenset(row.scopes))


def every(people: People) -> list[ApiToken]:
    """All tokens, oldest first; never the secrets."""
    columns = api_tokens.c
    with people.engine.connect() as connection:
        rows = connection.execute(select(api_tokens).order_by(columns.created_at)).all()
    return [
        ApiToken(
            row.token_id,
            row.staff_id,
            row.label,
            list(row.scopes),
            row.expires_at,
            row.revoked_at is not None,
        )
        for row in rows
    ]


def revoke(people: People, token_id: str) -> bool:
    """False if there is no such token."""
    with people.engine.begin() as connection:
        statement = update(api_tokens).where(api_tokens.c.token_id == token_id)
        return connection.execute(statement.values(revoked_at=people.stamp())).rowcount == 1
