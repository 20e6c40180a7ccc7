"""A rebuild: a second read model is filled from the documents while the first one is read and kept up; then
they change places.

While it is filled, what it has seen of a chain or a unit is a part of the truth. So it tells the registers
nothing until it has seen everything; then it tells what differs from what they hold. All of that may be
repeated: a rebuild that is broken off at any point begins anew.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from server import clock
from server.intake import verdicts
from server.intake.answers import Answer, Outcome, answer_of, write_answers
from server.intake.chaining import chunks
from server.intake.tools import Tools
from server.readmodel import codec
from server.readmodel.mentions import RecordKey
from server.readmodel.model import ReadModel, read_meta, write_meta
from server.readmodel.recount import Shown, unit_key_of
from server.readmodel.tables import records, register, units
from sync.store import NotFound, Store

log = logging.getLogger(__name__)

BATCH_CHANGES_MAX = 2000
REQUEST = "request"  # what is asked of a running follower: one of these
REBUILD, RECHECK, CALL_OFF = "rebuild", "recheck", "call off"
PROGRESS = "rebuild"
ATTEMPTS = "rebuild_attempts"  # of what was asked for; one that ends well takes them away with its tables
FAILED = "rebuild_failed"
GIVEN_UP = "rebuild_given_up"
ATTEMPTS_MAX = 3


class CalledOff(Exception):
    """Staff do not want the rebuild any more."""


def tell_all(
    tools: Tools, connection: Connection, untold: Collection[RecordKey], between: Callable[[], None]
) -> None:
    """Bring verdicts and summaries into agreement with the tables; `between` is called often meanwhile."""
    for some in chunks(sorted(untold)):
        answers = dict(_answers(connection, some))
        write_answers(tools.store, Outcome(answers=answers), [])
        between()
    for village in _villages(tools.store):
        shown = list(_shown(tools, connection, village))
        if shown:
            verdicts.tell(tools.store, village, [], shown)
        between()


def _answers(connection: Connection, keys: Iterable[RecordKey]) -> Iterator[tuple[RecordKey, Answer]]:
    wanted = set(keys)
    ids = {record_id for _, record_id in wanted}
    for row in connection.execute(select(records).where(records.c.record_id.in_(ids))):
        if (row.db, row.record_id) in wanted:
            yield (row.db, row.record_id), answer_of(row)


def _villages(store: Store) -> list[str]:
    prefix = "register-"
    return [name.removeprefix(prefix) for name in store.names() if name.startswith(prefix)]


def _shown(tools: Tools, connection: Connection, village_code: str) -> Iterator[Shown]:
    """What the register's entries should show."""
    for unit in tools.declaration.units.values():
        counted = select(units.c.unit_key, units.c.summary).where(
            units.c.kind == unit.name, units.c.village_code == village_code
        )
        summaries: dict[str, str] = dict(connection.execute(counted).all())
        listed = select(register.c.unit_id, register.c.doc).where(
            register.c.kind == unit.register, register.c.village_code == village_code
        )
        for unit_id, doc in connection.execute(listed):
            summary = summaries.get(unit_key_of(unit, village_code, unit_id))
            if summary is not None:
                entry = codec.decode(doc)
                yield Shown(village_code, str(entry["_id"]), codec.decode(summary), entry)


@dataclass
class Progress:
    """How far a rebuild is, kept in the read model that is still being read."""

    readmodel: ReadModel
    of: int
    handled: int = 0
    began_at: str = field(default_factory=lambda: clock.stamp(clock.now()))

    def add(self, count: int) -> None:
        self.handled += count
        told = {"handled": self.handled, "of": max(self.of, self.handled), "began_at": self.began_at}
        self._write(json.dumps(told))
        log.info("rebuild: %d of %d records", self.handled, self.of)

    def end(self) -> None:
        self._write("")

    def _write(self, text: str) -> None:
        with self.readmodel.engine.begin() as connection:
            write_meta(connection, PROGRESS, text)


def read_progress(readmodel: ReadModel) -> dict[str, int] | None:
    """{"handled", "of"} in records; None when no rebuild is running."""
    found = _progress(readmodel)
    return {name: found[name] for name in ("handled", "of")} if found else None


def expected_end(readmodel: ReadModel, now: datetime) -> datetime | None:
    """When a running rebuild ends if it goes on as it went; None when nobody can tell yet."""
    found = _progress(readmodel)
    if not found or not found["handled"]:
        return None
    taken = now - datetime.fromisoformat(found["began_at"])
    return now + taken * ((found["of"] - found["handled"]) / found["handled"])


def _progress(readmodel: ReadModel) -> dict[str, Any] | None:
    with readmodel.engine.connect() as connection:
        text = read_meta(connection, PROGRESS)
    found: dict[str, Any] | None = json.loads(text) if text else None
    return found


def begin_attempt(readmodel: ReadModel) -> bool:
    """False when so many were begun and broken off that another one would be, too."""
    with readmodel.engine.begin() as connection:
        begun = int(read_meta(connection, ATTEMPTS) or 0)
        if begun < ATTEMPTS_MAX:
            write_meta(connection, ATTEMPTS, str(begun + 1))
    return begun < ATTEMPTS_MAX


def note_failure(connection: Connection, why: str, wanted: str = "") -> None:
    """`wanted`: what the tables were to be made of; they are not made of it again unasked."""
    write_meta(connection, ATTEMPTS, "0")
    write_meta(connection, GIVEN_UP, wanted)
    write_meta(connection, FAILED, codec.plain(f"{clock.stamp(clock.now())} {why}"))


def read_failure(readmodel: ReadModel) -> str | None:
    """When and why the last rebuild failed; None when it did not."""
    with readmodel.engine.connect() as connection:
        return read_meta(connection, FAILED) or None


def end_if_called_off(readmodel: ReadModel) -> None:
    """Raises CalledOff, once, and forgets that anything was asked for."""
    with readmodel.engine.begin() as connection:
        called_off = read_meta(connection, REQUEST) == CALL_OFF
        if called_off:
            write_meta(connection, REQUEST, "")
            write_meta(connection, ATTEMPTS, "0")
    if called_off:
        raise CalledOff


def count_records(store: Store) -> int:
    found = 0
    for name in store.names():
        if name.startswith("inbox-"):
            try:
                info = store.open(name).info()
            except NotFound:
                continue
            found += info["doc_count"] + info["doc_del_count"]
    return found
