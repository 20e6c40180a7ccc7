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
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection, select

from server.intake import heartbeat, inbox, rebuilding, register_changes, verdicts
from server.intake.ahead import Ahead
from server.intake.batches import Batch, Changes, without_collecting
from server.intake.inbox import Outcome
from server.intake.judging import DeviceVillages, FormerIds
from server.intake.lock import IntakeLock
from server.intake.lookups import Lookups
from server.intake.rebuilding import CALL_OFF, REBUILD, RECHECK, REQUEST, CalledOff, Own, Tell
from server.intake.tools import Tools
from server.readmodel.beside import beside
from server.readmodel.declaration import Declaration, default_declaration
from server.readmodel.facts import FactMaker
from server.readmodel.mentions import mentioned_by
from server.readmodel.model import ReadModel, raise_version, read_meta, write_meta
from server.readmodel.recount import Counting, Shown, UnitKey, recount
from server.readmodel.tables import SCHEMA, checkpoints
from server.readmodel.upsert import upsert
from sync.store import BEGINNING, Change, ChangesPage, Database, NotFound, Seq, Store

log = logging.getLogger(__name__)

BATCH_CHANGES_MAX = 2000
WAIT_S = 2.0


def rank(db: str) -> int | None:
    """The order in which databases are followed; None for those that are not."""
    names = {"catalogue": 0, "office": 1}
    if db in names:
        return names[db]
    return 2 if db.startswith("register-") else 3 if db.startswith("inbox-") else None


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
        declaration = declaration or default_declaration()
        self._readmodel = readmodel
        self._tools = Tools(
            store,
            declaration,
            FactMaker(declaration, person_key),
            Lookups(),
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
        self._own: dict[tuple[str, str], str] = {}
        self._tell: Tell = self._write_answers
        self._token = BEGINNING
        self._ready = False

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
        return self._catch_up()

    def _catch_up(self, after: Callable[[Batch], None] = lambda batch: None) -> int:
        """Handle changes until there are none; `after` is called with each batch that was."""
        handled = 0
        while True:
            names, token = self._tools.store.updates(self._token)
            followed = sorted(
                (name for name in names if rank(name) is not None), key=lambda name: (rank(name), name)
            )
            count = self._drain(followed, after) if followed else 0
            self._token = token
            handled += count
            if not count:
                return handled

    def recheck(self) -> int:
        """Judge quarantined records again. Returns how many verdicts changed."""
        self._prepare()
        self.run_once()
        with self._readmodel.engine.begin() as connection:
            outcome = inbox.recheck(self._tools, connection)
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
        self._token, self._ready = BEGINNING, True
        return handled

    def _build(self, readmodel: ReadModel, progress: rebuilding.Progress) -> int:
        untold = rebuilding.Untold()
        builder = copy(self)
        builder._readmodel, builder._own, builder._token = readmodel, {}, BEGINNING
        builder._tools = replace(self._tools, lookups=Lookups())
        builder._batch_changes_max = max(self._batch_changes_max, rebuilding.BATCH_CHANGES_MAX)
        builder._tell = untold.note
        with readmodel.engine.begin() as connection:
            self._mark(connection)
        handled = builder._catch_up(lambda batch: self._between(progress, batch))
        with readmodel.engine.connect() as connection:
            rebuilding.tell_all(builder._tools, connection, untold)
        # What was told comes back as changes; what came in meanwhile is told at once.
        builder._tell = self._tell
        return handled + builder._catch_up()

    def _between(self, progress: rebuilding.Progress, batch: Batch) -> None:
        """While a rebuild takes its time, what arrives goes on to be judged and counted."""
        progress.add(sum(len(rows) for name, rows in batch.changes.items() if name.startswith("inbox-")))
        rebuilding.end_if_called_off(self._readmodel)
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
        if not fresh and made_of != self._marks():
            log.info("the read model is out of date and is being made again")
            self.rebuild()
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
            self._rebuild_as_asked()
        elif request == CALL_OFF:
            self._forget_request()
        elif request == RECHECK:
            self._forget_request()
            self.recheck()

    def _rebuild_as_asked(self) -> None:
        """A rebuild that fails leaves the tables as they were: what arrives goes into these, and nobody tries
        again unasked. One that is broken off is begun again, but not for ever: it may be what kills us."""
        if not rebuilding.begin_attempt(self._readmodel):
            self._forget_request("it was broken off too often")
            return
        try:
            self.rebuild()
        except CalledOff:
            log.info("the rebuild was called off")
        except Exception as error:
            log.exception("the rebuild failed")
            self._forget_request(f"{type(error).__name__}: {error}")

    def _forget_request(self, failed: str | None = None) -> None:
        with self._readmodel.engine.begin() as connection:
            write_meta(connection, REQUEST, "")
            if failed is not None:
                rebuilding.note_failure(connection, failed)

    # 2. Reading changes

    def _drain(self, names: list[str], after: Callable[[Batch], None]) -> int:
        with self._readmodel.engine.connect() as connection:
            since = dict(connection.execute(select(checkpoints.c.db, checkpoints.c.since)).all())
        handled, ahead = 0, Ahead(self._tools, self._judges)
        try:
            for batch in ahead.of(self._batches(names, since), self._readmodel.engine):
                with without_collecting(), self._readmodel.engine.begin() as connection:
                    count, own = self._handle(connection, batch, fresh="catalogue" in since)
                    raise_version(connection)
                # Only now: a batch that is repeated has to see again what others wrote before intake did.
                self._own |= own
                self._beat()
                handled += count
                after(batch)
        finally:
            ahead.end()
        return handled

    def _batches(self, names: list[str], since: dict[str, Seq]) -> Iterator[Batch]:
        """Changes of several databases, up to `batch_changes_max` together; a database's changes stay in
        order."""
        batch = Batch()
        for name in names:
            for page in self._pages(name, since.get(name, BEGINNING)):
                batch.add(name, page)
                if batch.size >= self._batch_changes_max:
                    yield batch
                    batch = Batch()
        if batch.until:
            yield batch

    def _pages(self, name: str, since: Seq) -> Iterator[ChangesPage]:
        while True:
            try:
                database = self._tools.store.open(name)
                page = self._page(database, name, since)
            except NotFound:
                return
            if page.last_seq == since:
                return
            since = page.last_seq
            yield page
            if not page.pending:
                return

    def _page(self, database: Database, name: str, since: Seq) -> ChangesPage:
        """A register's changes are mostly what intake wrote there: bodies are read of the others only."""
        limit = self._batch_changes_max
        if not name.startswith("register-"):
            return database.changes(since=since, limit=limit, include_docs=True, receipts=True)
        page = database.changes(since=since, limit=limit)
        wanted = [row for row in page.rows if self._is_news(name, row)]
        docs = verdicts.read(database, [row.id for row in wanted if not row.deleted])
        return replace(page, rows=[replace(row, doc=docs.get(row.id)) for row in wanted])

    def _is_news(self, name: str, row: Change) -> bool:
        if not register_changes.is_followed(row.id):
            return False
        return self._own.pop((name, row.id), None) != row.leaves[0].rev

    # 3. Handling a batch

    def _handle(
        self, connection: Connection, handed: Batch, *, fresh: bool
    ) -> tuple[int, dict[tuple[str, str], str]]:
        """How many changes there were, and what intake wrote itself. `fresh`: forms that appear may answer
        records that were waiting for them; the first ones come before any record."""
        tools, batch = self._tools, handed.changes
        touched: set[UnitKey] = set()
        outcome = Outcome()
        if "catalogue" in batch:
            touched |= register_changes.catalogue(
                connection, tools.lookups, tools.declaration, batch["catalogue"]
            )
        reviewed = (
            register_changes.office(connection, tools.lookups, batch["office"])
            if "office" in batch
            else set()
        )
        for name, rows in batch.items():
            if name.startswith("register-"):
                village = name.removeprefix("register-")
                touched |= register_changes.one_register(
                    connection, tools.lookups, tools.declaration, village, rows
                )
        inboxes = {name: rows for name, rows in batch.items() if name.startswith("inbox-")}
        if inboxes:
            outcome = inbox.take_in(tools, connection, inboxes, handed.ready)
        inbox.review_records(tools, connection, reviewed, outcome)
        for form_id in self._new_forms(batch) if fresh else ():
            again = inbox.recheck(tools, connection, form_id)
            outcome.units |= again.units
            outcome.records |= again.records
            outcome.answers |= again.answers
        own = self._finish(connection, outcome, touched)
        upsert(connection, checkpoints, handed.checkpoints())
        return handed.size, own

    def _new_forms(self, batch: Changes) -> set[str]:
        docs = [
            change.doc
            for change in batch.get("catalogue", [])
            if change.doc and change.id.startswith("form:")
        ]
        return {doc["form_id"] for doc in docs if isinstance(doc.get("form_id"), str)}

    def _finish(
        self, connection: Connection, outcome: Outcome, touched: set[UnitKey]
    ) -> dict[tuple[str, str], str]:
        """Count, then tell the registers. What follows in the transaction is its commit."""
        tools = self._tools
        counting = Counting(
            connection, tools.declaration, tools.lookups.settings(connection), tools.lookups.tree(connection)
        )
        mentioned = mentioned_by(connection, outcome.records)
        shown = recount(counting, touched | outcome.units | mentioned)
        return self._tell(outcome, shown)

    def _write_answers(self, outcome: Outcome, shown: list[Shown]) -> Own:
        return inbox.write_answers(self._tools.store, outcome, shown)


def ask(readmodel: ReadModel, request: str) -> None:
    """Ask the running follower for a rebuild or a recheck."""
    readmodel.create()
    with readmodel.engine.begin() as connection:
        write_meta(connection, REQUEST, request)
