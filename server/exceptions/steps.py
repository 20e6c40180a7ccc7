"""What staff do about exceptions: who owns one, what was noted, how it was resolved. Steps are only added,
so that it stays known who did what."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.exc import IntegrityError

from server.exceptions.finding import parts_of
from server.people.people import People
from server.people.tables import exception_steps as table

NOTE_CHARACTERS = (2, 500)
NEEDS_NOTE = ("note", "resolve", "reopen")
# What may be done, and whether the exception must be resolved for it.
MOVES: Mapping[str, bool] = {
    "take": False,
    "assign": False,
    "release": False,
    "note": False,
    "resolve": False,
    "reopen": True,
}


class StepRefused(Exception):
    """`code` is one of problems.CATALOGUE."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Standing:
    """How an exception stands; `number` counts its steps."""

    number: int = 0
    owner_id: str | None = None
    resolved: bool = False
    at: str = ""


UNTOUCHED = Standing()


@dataclass(frozen=True, slots=True)
class Step:
    what: str
    note: str = ""
    owner_id: str | None = None


def key_of(exception_id: str) -> str:
    return hashlib.sha256(exception_id.encode("utf-8", "surrogatepass")).hexdigest()


def add(people: People, exception_id: str, step: Step, by: str, seen: int) -> Standing:
    """Do `step` for the staff member `by`, who saw the exception with `seen` steps. Raises StepRefused: it
    moved meanwhile, stands otherwise, or a note is missing."""
    parts = parts_of(exception_id)
    before = standing(people, exception_id)
    note = step.note.strip()
    least, most = NOTE_CHARACTERS
    if before.number != seen:
        raise StepRefused("exception-moved")
    if parts is None or before.resolved != MOVES[step.what]:
        raise StepRefused("exception-state")
    if len(note) > most or (step.what in NEEDS_NOTE and len(note) < least):
        raise StepRefused("note-missing")
    after = Standing(seen + 1, _owner(before, step, by), step.what == "resolve", people.stamp())
    row = {
        "exception_key": key_of(exception_id),
        "number": after.number,
        "exception_id": exception_id,
        "village_code": parts[1],
        "what": step.what,
        "owner_id": after.owner_id,
        "resolved": int(after.resolved),
        "note": note,
        "staff_id": by,
        "at": after.at,
    }
    try:
        with people.engine.begin() as connection:
            connection.execute(table.insert().values(**row))
    except IntegrityError:
        raise StepRefused("exception-moved") from None
    return after


def _owner(before: Standing, step: Step, by: str) -> str | None:
    """Who resolves what nobody owns owns it."""
    return {
        "take": by,
        "assign": step.owner_id,
        "release": None,
        "resolve": before.owner_id or by,
    }.get(step.what, before.owner_id)


def standing(people: People, exception_id: str) -> Standing:
    latest = table.c.exception_key == key_of(exception_id)
    query = select(table).where(latest).order_by(table.c.number.desc()).limit(1)
    with people.engine.connect() as connection:
        row = connection.execute(query).first()
    return _standing(row) if row else UNTOUCHED


def _standing(row: Row[Any]) -> Standing:
    return Standing(row.number, row.owner_id, bool(row.resolved), row.at)


def standings(people: People, area: str) -> dict[str, Standing]:
    """{exception id: how it stands} of those in an area that anybody touched."""
    touched = select(table.c.exception_key, func.max(table.c.number).label("number"))
    if len(area) > 6:
        touched = touched.where(table.c.village_code.startswith(area))
    last = touched.group_by(table.c.exception_key).subquery()
    query = select(table).join(
        last, (table.c.exception_key == last.c.exception_key) & (table.c.number == last.c.number)
    )
    with people.engine.connect() as connection:
        return {row.exception_id: _standing(row) for row in connection.execute(query)}


def history(people: People, exception_id: str) -> list[dict[str, Any]]:
    """[{number, what, owner_id, note, staff_id, at}], first step first."""
    names = ("number", "what", "owner_id", "note", "staff_id", "at")
    query = select(table).where(table.c.exception_key == key_of(exception_id)).order_by(table.c.number)
    with people.engine.connect() as connection:
        return [{name: getattr(row, name) for name in names} for row in connection.execute(query)]
