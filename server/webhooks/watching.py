"""What happened since the last look: verdicts and bulletins out of the store's changes, exceptions by
comparing the board with what was open before. Marks say how far was read; a source that nobody subscribed to
has none.

A subscription begins with what happens after it was noticed: the first look only sets the marks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import Connection, delete, select

from server import clock
from server.app import Gridbook
from server.bulletins.archive import PREFIX as BULLETIN
from server.bulletins.progress import behind_in, is_out_of_date
from server.exceptions import steps
from server.exceptions.finding import MOST, Asked, Found, find, later, parts_of
from server.intake import verdicts
from server.intake.lookups import district_settings
from server.people.tables import webhook_marks
from server.readmodel import queries
from server.readmodel.model import read_version
from server.readmodel.upsert import upsert
from server.webhooks import events, outbox
from server.webhooks.events import Event
from server.webhooks.subscriptions import Webhook
from sync.store import BEGINNING, Database, NotFound, Seq

CHANGES_AT_ONCE = 500
REGISTER = "register-"
OFFICE = "office"
STORE = "store"  # mark: the store's uuid
BEGUN = "begun:"  # mark: a source that is watched
SINCE = "since:"  # mark: a database's sequence
OPEN = "board:open"  # mark: ids of exceptions
VERSION = "board:version"  # mark: of the read model that was seen last

Marks = dict[str, str]


class Watcher:
    """Looks again when it is told to; keeps nothing but where to look in the store."""

    def __init__(self, shared: Gridbook) -> None:
        self._shared = shared
        self._token: Seq = BEGINNING
        self._watched: set[str] = set()

    def look(self, subscribed: Sequence[Webhook], *, at_board: bool = True) -> int:
        """Put what happened into the outbox; returns how many deliveries that makes."""
        if not subscribed:
            self._watched = set()
            self._replace_marks({})
            return 0
        marks = self._marks(subscribed)
        put = self._look_at_store(subscribed, marks)
        if at_board and _wanted(subscribed, "exception."):
            put += self._look_at_board(subscribed, marks)
        return put

    # 1. Marks

    def _marks(self, subscribed: Sequence[Webhook]) -> Marks:
        """How far was read, after what nobody wants any more was forgotten and what is new was begun."""
        store = self._shared.store
        marks = self._read_marks()
        if marks.get(STORE) != store.uuid:
            marks = {STORE: store.uuid}
        wanted = {
            source for source, kind in SOURCES.items() if any(kind in each.events for each in subscribed)
        }
        for source in SOURCES.keys() - wanted:
            marks = {name: value for name, value in marks.items() if not _is_of(name, source)}
        for source in wanted:
            if BEGUN + source not in marks:
                marks[BEGUN + source] = clock.stamp(clock.now())
                marks |= {SINCE + name: self._seq(name) for name in store.names() if name.startswith(source)}
        if not _wanted(subscribed, "exception."):
            marks = {name: each for name, each in marks.items() if name not in (OPEN, VERSION)}
        if self._watched != wanted:
            self._token, self._watched = BEGINNING, wanted
        self._replace_marks(marks)
        return marks

    def _read_marks(self) -> Marks:
        with self._shared.people.engine.connect() as connection:
            return {row.name: row.value for row in connection.execute(select(webhook_marks))}

    def _replace_marks(self, marks: Marks) -> None:
        before = self._read_marks()
        if before != marks:
            with self._shared.people.engine.begin() as connection:
                gone = before.keys() - marks.keys()
                connection.execute(delete(webhook_marks).where(webhook_marks.c.name.in_(gone)))
                _write(connection, {name: each for name, each in marks.items() if before.get(name) != each})

    def _seq(self, name: str) -> Seq:
        try:
            return self._shared.store.open(name).seq()
        except NotFound:
            return BEGINNING

    # 2. The store

    def _look_at_store(self, subscribed: Sequence[Webhook], marks: Marks) -> int:
        names, token = self._shared.store.updates(self._token)
        watched = [name for name in names if any(name.startswith(source) for source in self._watched)]
        put = sum(self._look_at(name, subscribed, marks.get(SINCE + name, BEGINNING)) for name in watched)
        self._token = token
        return put

    def _look_at(self, name: str, subscribed: Sequence[Webhook], since: Seq) -> int:
        put = 0
        try:
            database = self._shared.store.open(name)
            while True:
                page = database.changes(since=since, limit=CHANGES_AT_ONCE)
                if page.last_seq == since:
                    return put
                prefix = BULLETIN if name == OFFICE else verdicts.verdict_id("")
                ids = [row.id for row in page.rows if row.id.startswith(prefix) and not row.deleted]
                found = list(self._events(name, database, ids))
                since = page.last_seq
                with self._shared.people.engine.begin() as connection:
                    put += outbox.add(connection, subscribed, found, clock.stamp(clock.now()))
                    _write(connection, {SINCE + name: since})
                if not page.pending:
                    return put
        except NotFound:
            return put

    def _events(self, name: str, database: Database, ids: Sequence[str]) -> Iterator[Event]:
        url = self._shared.settings.public_url
        for doc in verdicts.read(database, ids).values():
            if name == OFFICE:
                yield events.bulletin(url, self._district(), doc)
            else:
                yield events.verdict(url, name.removeprefix(REGISTER), doc)

    def _district(self) -> str:
        found = queries.district(self._shared.readmodel)
        return found["code"] if found else ""

    # 3. The board

    def _look_at_board(self, subscribed: Sequence[Webhook], marks: Marks) -> int:
        district = self._district()
        version = self._trusted_version(int(marks.get(VERSION, 0)))
        if not district or version is None:
            return 0
        now = clock.stamp(clock.now())
        asked = Asked(self._shared.readmodel, self._shared.people, self._settings(), district, now)
        standing = steps.standings(self._shared.people, district)
        found = {kind: find(asked, each) for kind, each in asked.kinds.items()}
        resolved = {key for key, each in standing.items() if each.resolved}
        shown = {each.id: each for rows in found.values() for each in rows}
        is_open = {key: each for key, each in shown.items() if key not in resolved}
        was_open = set(json.loads(marks[OPEN])) if OPEN in marks else set(is_open)
        closed = {key for key in was_open - is_open.keys() if key in resolved or not _beyond(key, found)}
        url = self._shared.settings.public_url
        happened = [
            events.exception(url, district, each, later(each.since, asked.sla_h(each.kind)), now)
            for key, each in is_open.items()
            if key not in was_open
        ]
        for key in sorted(closed):
            each = shown.get(key) or _remembered(key)
            if each is not None:
                due = later(each.since, asked.sla_h(each.kind))
                by = "staff" if key in resolved else "data"
                happened.append(events.exception(url, district, each, due, now, closed_by=by))
        seen = {VERSION: str(version), OPEN: json.dumps(sorted((was_open | is_open.keys()) - closed))}
        with self._shared.people.engine.begin() as connection:
            put = outbox.add(connection, subscribed, happened, now)
            _write(connection, {name: each for name, each in seen.items() if marks.get(name) != each})
        return put

    def _trusted_version(self, seen: int) -> int | None:
        """The read model's version; None while it is being made anew in place, when what it shows is a part
        of the truth."""
        shared = self._shared
        with shared.readmodel.engine.connect() as connection:
            if is_out_of_date(connection, shared.store, shared.declaration):
                return None
            version = read_version(connection)
            if version < seen and behind_in(connection, shared.store, clock.stamp(clock.now())):
                return None
        return version

    def _settings(self) -> Mapping[str, object]:
        with self._shared.readmodel.engine.connect() as connection:
            return district_settings(self._shared.readmodel, connection)


SOURCES = {REGISTER: "record.verdict", OFFICE: "bulletin.frozen"}


def _wanted(subscribed: Sequence[Webhook], prefix: str) -> bool:
    return any(kind.startswith(prefix) for each in subscribed for kind in each.events)


def _is_of(mark: str, source: str) -> bool:
    return mark == BEGUN + source or mark.startswith(SINCE + source)


def _write(connection: Connection, marks: Marks) -> None:
    upsert(connection, webhook_marks, [{"name": name, "value": value} for name, value in marks.items()])


def _beyond(exception_id: str, found: Mapping[str, Sequence[Found]]) -> bool:
    """Whether it may be open still: of its kind only the oldest MOST are listed, and it is no older."""
    parts = parts_of(exception_id)
    if parts is None:
        return False
    kind, _, _, since = parts
    rows = found.get(kind, [])
    return len(rows) == MOST and since >= rows[-1].since


def _remembered(exception_id: str) -> Found | None:
    parts = parts_of(exception_id)
    return Found(*parts, {}) if parts else None
