"""The tables of a whole store at once, into an empty read model that nobody reads yet.

1. catalogue, office and registers, in order; nothing is counted
2. records of one revision that correct nothing: other processes judge and write a batch each
3. the rest, few: one after the other, as intake does it, because they hang together with others
4. every unit and everybody who is mentioned, once: other processes count and write a portion each

Judging and counting depend on nothing but documents, so the tables come out as if all had arrived one by one.
A process that dies is help that did not come: its work is done here.
"""

from __future__ import annotations

import pickle
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import IO

from sqlalchemy import Connection, select

from server.intake import ahead, handling
from server.intake.ahead import New, NotAtHand
from server.intake.answers import Outcome, first_answer
from server.intake.batches import Batch, Changes, without_collecting
from server.intake.feed import Feed, Own, followed
from server.intake.forking import Helpers
from server.intake.inbox import reviews_of, take_in
from server.intake.judging import Bench
from server.intake.tools import Tools, make_ready, village_of
from server.readmodel import codec
from server.readmodel.beside import index
from server.readmodel.cells import Cell, Deltas, write_cells
from server.readmodel.mentions import RecordKey, write_mentions
from server.readmodel.model import ReadModel
from server.readmodel.recount import UnitKey, count_again, unit_key_of
from server.readmodel.tables import checkpoints, mentions, records, register
from server.readmodel.upsert import upsert
from sync.store import Doc

UNITS_AT_ONCE = 2000


@dataclass
class Written:
    """Records whose verdicts do not say all yet, and those that were not made."""

    untold: set[RecordKey] = field(default_factory=set)
    missed: set[RecordKey] = field(default_factory=set)


class Bulk:
    """`helpers` is how many processes may help; `after` is called often, with how many records were read
    since the last time. `untold` gathers the records whose verdicts have to be looked at."""

    def __init__(
        self, tools: Tools, readmodel: ReadModel, helpers: int, after: Callable[[int], None]
    ) -> None:
        self._tools, self._readmodel, self._after = tools, readmodel, after
        self._helpers = Helpers(helpers)
        self.untold: set[RecordKey] = set()

    def fill(self, names: Iterable[str], batch_changes_max: int) -> int:
        """Returns the number of changes read."""
        feed = Feed(self._tools.store, {}, batch_changes_max)
        inboxes = [name for name in followed(names) if name.startswith("inbox-")]
        others = [name for name in followed(names) if name not in inboxes]
        read = 0
        try:
            for batch in feed.batches(others, {}):
                with without_collecting(), self._readmodel.engine.begin() as connection:
                    handling.handle(self._tools, connection, batch, _nothing, fresh=False)
                read += batch.size
                self._pause()
            with tempfile.TemporaryFile() as file:
                rest = Rest(file)
                for batch in feed.batches(inboxes, {}):
                    with without_collecting():
                        self._records(batch, rest)
                    read += batch.size
                    self._after(batch.size)
                self._helpers.finish()
                index(self._readmodel, self._pause, needed_only=True)
                self._take_in(rest, batch_changes_max)
            self._count()
            index(self._readmodel, self._pause)
        finally:
            self._helpers.end()
        return read

    def _pause(self) -> None:
        self._after(0)

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        """Closed before the next process is forked: it must not inherit an open file of a database that it
        opens itself."""
        engine = self._readmodel.engine
        try:
            with engine.begin() as connection:
                yield connection
        finally:
            engine.dispose()

    # 2. Records that stand alone

    def _records(self, batch: Batch, rest: Rest) -> None:
        tools = self._tools
        new = ahead.plain(tools, batch.changes)
        rest.add(_part(batch.changes, lambda key: key not in new))
        with self._connection() as connection:
            upsert(connection, checkpoints, batch.checkpoints())
            bench = ahead.at_hand(tools, connection, new)
            reviewed = reviews_of(connection, (record_id for _, record_id in new))
        if self._helpers.count:
            ahead.warm(tools, bench, new)

        def work() -> Written:
            return self._write(new, bench, reviewed)

        def then(written: Written) -> None:
            self.untold |= set(written.untold)
            rest.add(_part(batch.changes, written.missed.__contains__))

        if new:
            self._helpers.give(work, then)

    def _write(self, new: New, bench: Bench, reviewed: Mapping[str, Sequence[Doc]]) -> Written:
        written = Written()
        rows, mentioned = [], []
        for key, (one, standing) in new.items():
            try:
                ready = make_ready(self._tools, bench, key, one, standing, key[1], reviewed.get(key[1], ()))
            except NotAtHand:
                written.missed.add(key)
                continue
            rows.append(ready.row)
            mentioned += [(key, mention) for mention in ready.mentions]
            answer = first_answer(village_of(key[0]), one.doc_id, ready.decision, ready.row, standing)
            if not answer.told:
                written.untold.add(key)
        with self._connection() as connection:
            upsert(connection, records, rows)
            write_mentions(connection, mentioned)
        return written

    # 3. Records that hang together

    def _take_in(self, rest: Rest, at_once: int) -> None:
        for some in rest.portions(at_once):
            with without_collecting(), self._connection() as connection:
                outcome = take_in(self._tools, connection, some)
            self.untold |= {key for key, answer in outcome.answers.items() if not answer.told}
            self._pause()

    # 4. Counting

    def _count(self) -> None:
        deltas: Deltas = defaultdict(int)

        def add(found: Mapping[Cell, int]) -> None:
            for cell, value in found.items():
                deltas[cell] += value

        with self._connection() as connection:
            keys = list(_to_count(self._tools, connection))
            handling.counting(self._tools, connection)  # settings and areas are at hand from here on
        for start in range(0, len(keys), UNITS_AT_ONCE):
            some = keys[start : start + UNITS_AT_ONCE]
            self._helpers.give(partial(self._count_some, some), add)
            self._pause()
        self._helpers.finish()
        with self._connection() as connection:
            write_cells(connection, deltas)

    def _count_some(self, keys: Sequence[UnitKey]) -> dict[Cell, int]:
        deltas: Deltas = defaultdict(int)
        with self._connection() as connection:
            count_again(handling.counting(self._tools, connection), keys, deltas)
        return dict(deltas)


def _nothing(_connection: Connection, _outcome: Outcome, _touched: set[UnitKey]) -> Own:
    """Neither counted nor told: that comes when everything is known."""
    return {}


def _part(changes: Changes, wanted: Callable[[RecordKey], bool]) -> Changes:
    found = {db: [one for one in rows if wanted((db, codec.key(one.id)))] for db, rows in changes.items()}
    return {db: rows for db, rows in found.items() if rows}


class Rest:
    """Changes put aside, on disk: there may be more than memory is for."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._count = file, 0

    def add(self, changes: Changes) -> None:
        if changes:
            pickle.dump(changes, self._file, pickle.HIGHEST_PROTOCOL)
            self._count += 1

    def portions(self, at_once: int) -> Iterator[Changes]:
        """In the order in which they were put aside, about so many together."""
        self._file.seek(0)
        together: Changes = {}
        for _ in range(self._count):
            for db, rows in pickle.load(self._file).items():  # noqa: S301 - our own
                together.setdefault(db, []).extend(rows)
            if sum(map(len, together.values())) >= at_once:
                yield together
                together = {}
        if together:
            yield together


def _to_count(tools: Tools, connection: Connection) -> Iterator[UnitKey]:
    """What the registers list, what records are about, and whom they mention."""
    found: set[UnitKey] = set()
    for unit in tools.declaration.units.values():
        listed = select(register.c.village_code, register.c.unit_id).where(register.c.kind == unit.register)
        for village, unit_id in connection.execute(listed):
            found.add((unit.name, unit_key_of(unit, village, unit_id)))
    about = select(records.c.unit_kind, records.c.unit_key).where(records.c.effective)
    for query in (about, select(mentions.c.kind, mentions.c.unit_key)):
        found |= {(kind, key) for kind, key in connection.execute(query.distinct())}
    yield from sorted(found)
