"""Sessions of staff at the desk: kept on the server, so that signing out takes effect at once."""

from __future__ import annotations

import hmac
from datetime import timedelta
from secrets import token_urlsafe

from sqlalchemy import select

from server.people import staff
from server.people.people import People, salted_hash, token_hash
from server.people.tables import sessions, sign_ins


def open_session(people: People, member: staff.Staff, lifetime: timedelta) -> str:
    """Returns the session's token, which belongs into the cookie only. Clears out expired sessions."""
    token = token_urlsafe(32)
    with people.engine.begin() as connection:
        connection.execute(sessions.delete().where(sessions.c.expires_at <= people.stamp()))
        row = {"created_at": people.stamp(), "expires_at": people.stamp(lifetime)}
        connection.execute(
            sessions.insert().values(token_hash=token_hash(token), staff_id=member.staff_id, **row)
        )
        connection.execute(sign_ins.delete().where(sign_ins.c.staff_id == member.staff_id))
        connection.execute(sign_ins.insert().values(staff_id=member.staff_id, at=people.stamp()))
    return token


def member_of(people: People, token: str) -> staff.Staff | None:
    """Who is signed in by `token`; None when it is unknown or expired or the member is disabled."""
    statement = select(sessions.c.staff_id).where(
        sessions.c.token_hash == token_hash(token), sessions.c.expires_at > people.stamp()
    )
    with people.engine.connect() as connection:
        staff_id = connection.scalar(statement)
    member = staff.by_id(people, staff_id) if staff_id else None
    return member if member and not member.disabled else None


def last_sign_ins(people: People) -> dict[str, str]:
    """{staff id: when they last signed in}."""
    with people.engine.connect() as connection:
        return {row.staff_id: row.at for row in connection.execute(select(sign_ins))}


def close_session(people: People, token: str) -> None:
    with people.engine.begin() as connection:
        connection.execute(sessions.delete().where(sessions.c.token_hash == token_hash(token)))


def csrf_token(people: People, session_token: str) -> str:
    """What a form of this session must carry; it dies with the session and needs no row of its own."""
    return salted_hash(people, "csrf", session_token)


def csrf_matches(people: People, session_token: str, sent: str) -> bool:
    return hmac.compare_digest(csrf_token(people, session_token).encode(), sent.encode())
