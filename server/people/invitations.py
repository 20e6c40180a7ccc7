"""Password codes: with one a staff member sets a password, once and soon, and nobody else ever knows it. Made
for who is added at a desk and for who forgot theirs. Guessing is slowed down as signing in is."""

from __future__ import annotations

from datetime import timedelta
from secrets import token_urlsafe

from sqlalchemy import select, update

from server.people import lockout, staff
from server.people.enrolment import as_read, new_characters, normalized
from server.people.people import People, salted_hash
from server.people.tables import password_codes

VALID_FOR = timedelta(hours=24)


class CodeWrong(Exception):
    """No such user, no such code for them, or one that was used or has expired; `retry_after_s` is 0 when one
    may try again at once."""

    def __init__(self, retry_after_s: int = 0) -> None:
        super().__init__("wrong user name or code")
        self.retry_after_s = retry_after_s


def nobodys_password() -> str:
    """For who is added with a code: nobody is told it."""
    return token_urlsafe(32)


def create(people: People, member: staff.Staff, made_by: str) -> tuple[str, str]:
    """(code, when it expires). An earlier code of the member works no longer; the old password does until
    another is set."""
    characters, moment = new_characters(), people.stamp()
    row = {
        "code_hash": _hash(people, characters),
        "staff_id": member.staff_id,
        "made_by": made_by,
        "created_at": moment,
        "expires_at": people.stamp(VALID_FOR),
    }
    with people.engine.begin() as connection:
        unused = (password_codes.c.staff_id == member.staff_id) & password_codes.c.used_at.is_(None)
        connection.execute(update(password_codes).where(unused).values(used_at=moment))
        connection.execute(password_codes.insert().values(**row))
    return as_read(characters), str(row["expires_at"])


def redeem(people: People, username: str, code: str, password: str, address: str) -> staff.Staff:
    """Set the password; sessions that are open end. Raises CodeWrong, in one wording for all faults, and
    staff.StaffError for a weak password, which leaves the code as it was."""
    staff.check_password(password)
    keys = [f"password-code:{username[:64]}", f"password-code-from:{address}"]
    if wait_s := max(lockout.wait_s(people, key) for key in keys):
        raise CodeWrong(wait_s)
    member = staff.by_username(people, username)
    if member is None or member.disabled or not _claim(people, member, code):
        waits = [
            lockout.failed(people, keys[0], lockout.NAME),
            lockout.failed(people, keys[1], lockout.ADDRESS),
        ]
        raise CodeWrong(max(waits))
    staff.set_password(people, member, password)
    lockout.clear(people, keys[0])
    return member


def _claim(people: People, member: staff.Staff, code: str) -> bool:
    """Use the code up; of two at once one succeeds."""
    claim = update(password_codes).where(
        password_codes.c.code_hash == _hash(people, normalized(code)),
        password_codes.c.staff_id == member.staff_id,
        password_codes.c.used_at.is_(None),
        password_codes.c.expires_at > people.stamp(),
    )
    with people.engine.begin() as connection:
        return connection.execute(claim.values(used_at=people.stamp())).rowcount == 1


def waiting(people: People) -> set[str]:
    """The ids of those who have a code that they have not used."""
    open_now = password_codes.c.used_at.is_(None) & (password_codes.c.expires_at > people.stamp())
    with people.engine.connect() as connection:
        return set(connection.execute(select(password_codes.c.staff_id).where(open_now)).scalars())


def _hash(people: People, characters: str) -> str:
    return salted_hash(people, "password", characters)
