"""The follower: carries what arrived in the store into the read model, and its verdicts back.

It asks the store which databases moved, reads their changes since its checkpoints and handles them in
batches. A batch is one SQL
transaction: rows, cells and checkpoints together. Verdicts and summaries are written to the store before that
transaction commits, in ways
that may be repeated. So a crash at any point makes the batch happen again, and again it comes to the same.

Order within a batch: catalogue, office, registers, inboxes, because records are judged against the rest.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection, select

from server.intake import handling, heartbeat, rebuilding
from server.intake.ahead import Ahead
from server.intake.answers import Outcome, write_answers
from server.intake.batches import without_collecting
from server.intake.bulk import Bulk
from server.intake.feed import Feed, Own, followed
from server.intake.judging import DeviceVillages, FormerIds
from server.intake.lock import IntakeLock
from server.intake.lookups import Lookups
from server.intake.rebuilding import CALL_OFF, REBUILD, RECHECK, REQUEST, CalledOff
from server.intake.rejudging import recheck
from server.intake.tools import Tools
from server.readmodel.beside import beside
from server.readmodel.declaration import Declaration
from server.readmodel.facts import FactMaker
from server.readmodel.model import ReadModel, raise_version, read_meta, write_meta
from server.readmodel.recount import UnitKey
from server.readmodel.tables import SCHEMA, checkpoints
from sync.store import BEGINNING, Store

log = logging.getLogger(__name__)

BATCH_CHANGES_MAX = 2000
WAIT_S = 2.0


class Follower:
    """`person_key` is the secret under which persons are recognized; with another one the read model is made
    anew. `device_villages(device_id)` gives the villages of a device, or None for an unknown one;
    `device_fillers` its fillers, or None when it may name any; `device_former_ids` the ids that its phone had
    in earlier enrolments. So many `judges`, other processes, may help with a backlog. With `data`, the folder
    that holds `intake.lock`, only one process can follow: else IntakeRunning is raised."""

    def __init__(
        self,
        store: Store,
        readmodel: ReadModel,
        *,
        person_key: bytes,
        data: Path | None = None,
        device_villages: DeviceVillages | None = None,
        device_fillers: DeviceVillages | None = None,
        device_former_ids: FormerIds | None = None,
        declaration: Declaration | None = None,
        batch_changes_max: int = BATCH_CHANGES_MAX,
        judges: int = 0,
    ) -> None:
        declaration = declaration or readmodel.declaration
        self._readmodel = readmodel
        self._tools = Tools(
            store,
            declaration,
            FactMaker(declaration, person_key),
            Lookups(readmodel.forms),
            device_villages,
            device_fillers,
            device_former_ids,
        )
        self._person_key_mark = hashlib.sha256(person_key).hexdigest()
        self._lock = IntakeLock(data / "intake.lock") if data else None
        self._data = data
        self._batch_changes_max = batch_changes_max
        self._judges = judges
        # Entries that intake itself wrote: (db, document id) -> revision. They come back in the changes.
        self._own: Own = {}
        self._token = BEGINNING
        self._ready = False
        self._lost = False  # the tables know nothing of this store

    def close(self) -> None:
        if self._lock:
            self._lock.release()

    def run_forever(self, stop: Callable[[], bool] = lambda: False) -> None:
        while not stop():
            self._beat()
            self.run_once()
            self._tools.store.wait(self._token, WAIT_S)

    def _beat(self) -> None:
        if self._data:
            heartbeat.beat(self._data)

    def run_once(self) -> int:
        """Handle everything that is there, and what a command asked for. Returns the number of changes
        handled."""
        self._prepare()
        self._serve_request()
        return 0 if self._lost else self._catch_up()

    def _catch_up(self) -> int:
        """Handle changes until there are none."""
        handled = 0
        while True:
            names, token = self._tools.store.updates(self._token)
            moved = followed(names)
            count = self._drain(moved) if moved else 0
            self._token = token
            handled += count
            if not count:
                return handled

    def recheck(self) -> int:
        """Judge quarantined records again. Returns how many verdicts changed."""
        self.run_once()
        if self._lost:
            return 0
        with self._readmodel.engine.begin() as connection:
            outcome = recheck(self._tools, connection)
            self._finish(connection, outcome, set())
            return len(outcome.answers)

    def rebuild(self) -> int:
        """Make the read model again from the store, beside the one that is read and kept up meanwhile.
        Returns the number of changes handled. A rebuild that is broken off leaves the old one as it was."""
        self._lock_and_create()
        made = beside(self._readmodel)
        progress = rebuilding.Progress(self._readmodel, rebuilding.count_records(self._tools.store))
        try:
            handled = self._build(made.readmodel, progress)
            made.put_in_place()
        except BaseException:
            made.discard()
            progress.end()
            raise
        self._tools.lookups.forget()
        self._own.clear()
        self._token, self._ready, self._lost = BEGINNING, True, False
        return handled

    def _build(self, readmodel: ReadModel, progress: rebuilding.Progress) -> int:
        builder = copy(self)
        builder._readmodel, builder._own = readmodel, {}
        builder._tools = replace(self._tools, lookups=Lookups(readmodel.forms))
        with readmodel.engine.begin() as connection:
            self._mark(connection)

        def after(records: int) -> None:
            self._between(progress, records)

        names, builder._token = self._tools.store.updates(BEGINNING)
        bulk = Bulk(builder._tools, readmodel, self._judges, after)
        handled = bulk.fill(names, rebuilding.BATCH_CHANGES_MAX)
        with readmodel.engine.connect() as connection:
            rebuilding.tell_all(builder._tools, connection, bulk.untold, lambda: after(0))
        # What was told comes back as changes; what came in meanwhile is told at once.
        return handled + builder._catch_up()

    def _between(self, progress: rebuilding.Progress, records: int) -> None:
        """While a rebuild takes its time, what arrives goes on to be judged and counted."""
        progress.add(records)
        rebuilding.end_if_called_off(self._readmodel)
        self._beat()
        if self._ready:
            self._catch_up()

    # 1. Getting ready

    def _lock_and_create(self) -> None:
        if self._lock:
            self._lock.acquire()
        self._readmodel.create()

    def _prepare(self) -> None:
        """The first time: lock; and make the read model anew when it was made from another store or by
        another declaration."""
        if self._ready:
            return
        self._lock_and_create()
        with self._readmodel.engine.begin() as connection:
            made_of = {name: read_meta(connection, name) for name in self._marks()}
            fresh = connection.execute(select(checkpoints.c.db).limit(1)).first() is None
            if fresh:
                self._mark(connection)
            given_up = read_meta(connection, rebuilding.GIVEN_UP)
        if not fresh and made_of != self._marks():
            # Places in another store say nothing of this one: nothing can be taken in before a rebuild.
            self._lost = made_of["store"] != self._marks()["store"]
            if given_up != repr(self._marks()):
                log.info("the read model is out of date and is being made again")
                self._try_rebuild(repr(self._marks()))
        self._ready = True

    def _marks(self) -> dict[str, str]:
        return {
            "schema": SCHEMA,
            "store": self._tools.store.uuid,
            "declaration": self._tools.declaration.digest,
            "person_key": self._person_key_mark,
        }

    def _mark(self, connection: Connection) -> None:
        for name, value in self._marks().items():
            write_meta(connection, name, value)

    def _serve_request(self) -> None:
        with self._readmodel.engine.connect() as connection:
            request = read_meta(connection, REQUEST)
        if request == REBUILD:
            self._try_rebuild()
        elif request == CALL_OFF:
            self._forget_request()
        elif request == RECHECK:
            self._forget_request()
            self.recheck()

    def _try_rebuild(self, wanted: str = "") -> None:
        """A rebuild that fails leaves the tables as they were: what arrives goes into these, and nobody tries
        again unasked. One that is broken off is begun again, but not for ever: it may be what kills us.
        `wanted` is what out-of-date tables were to be made of."""
        if not rebuilding.begin_attempt(self._readmodel):
            self._forget_request("it was broken off too often", wanted)
            return
        try:
            self.rebuild()
        except CalledOff:
            log.info("the rebuild was called off")
        except Exception as error:
            log.exception("the rebuild failed")
            self._forget_request(f"{type(error).__name__}: {error}", wanted)

    def _forget_request(self, failed: str | None = None, wanted: str = "") -> None:
        with self._readmodel.engine.begin() as connection:
            write_meta(connection, REQUEST, "")
            if failed is not None:
                rebuilding.note_failure(connection, failed, wanted)

    # 2. Reading changes

    def _drain(self, names: list[str]) -> int:
        with self._readmodel.engine.connect() as connection:
            since = dict(connection.execute(select(checkpoints.c.db, checkpoints.c.since)).all())
        handled, ahead = 0, Ahead(self._tools, self._judges)
        feed = Feed(self._tools.store, self._own, self._batch_changes_max)
        try:
            for batch in ahead.of(feed.batches(names, since), self._readmodel.engine):
                with without_collecting(), self._readmodel.engine.begin() as connection:
                    own = handling.handle(
                        self._tools, connection, batch, self._finish, fresh="catalogue" in since
                    )
                    raise_version(connection)
                # Only now: a batch that is repeated has to see again what others wrote before intake did.
                self._own |= own
                self._beat()
                handled += batch.size
        finally:
            ahead.end()
        return handled

    def _finish(self, connection: Connection, outcome: Outcome, touched: set[UnitKey]) -> Own:
        shown = handling.count(self._tools, connection, outcome, touched)
        return write_answers(self._tools.store, outcome, shown)


class RebuildWaits(Exception):
    """A rebuild was asked for and is not done, or is being called off."""


def ask(readmodel: ReadModel, request: str) -> None:
    """Ask the running follower for a rebuild or a recheck. There is room for one request: a recheck that
    would take a rebuild's place raises RebuildWaits, and nothing changes."""
    readmodel.create()
    with readmodel.engine.begin() as connection:
        if request == RECHECK and read_meta(connection, REQUEST) in (REBUILD, CALL_OFF):
            raise RebuildWaits
        write_meta(connection, REQUEST, request)
