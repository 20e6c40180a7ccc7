"""Judging ahead: while one batch is written, other processes judge the next one.

Judging asks nothing but forms, settings, registers and devices, and those are at hand before it begins. So a
process is forked for each share of a batch; it finds everything where its parent had it, touches no
connection, hands over what it made, and ends. It is help and nothing else: what it did not make, because it
met something that is not at hand, or died, intake makes itself. A small batch is never worth a process.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import NoReturn, TypeVar

from sqlalchemy import Connection, Engine

from server.intake import verdicts
from server.intake.arrivals import Arrival
from server.intake.batches import Batch, without_collecting
from server.intake.forking import Child, end, fork, result
from server.intake.judging import Bench
from server.intake.tools import (
    NONE_READY,
    Ready,
    RecordKey,
    Tools,
    form_of,
    looked_up,
    make_ready,
    village_of,
)
from server.readmodel import codec
from sync.store import Change, Doc

RECORDS_MIN = 500
WARM_RECORDS = 50
PROCESSES_MAX = 4
DEVICE = "device:"

Changes = Mapping[str, Sequence[Change]]
New = dict[RecordKey, tuple[Arrival, Doc]]
T = TypeVar("T")


def processes() -> int:
    """How many may judge at once here; 0 where they would only wait for each other."""
    processors = len(os.sched_getaffinity(0))
    return min(processors, PROCESSES_MAX) if processors > 1 else 0


class NotAtHand(BaseException):
    """What was asked for would have to be read. Not an Exception: a judge must not take it for a fault."""


class _NoConnection:
    def __getattr__(self, name: str) -> NoReturn:
        raise NotAtHand(name)


class Ahead:
    """Of one batch at a time."""

    def __init__(self, tools: Tools, count: int) -> None:
        self._tools, self._count = tools, count
        self._batch: Changes | None = None
        self._children: list[Child] = []

    def of(self, batches: Iterator[Batch], engine: Engine) -> Iterator[Batch]:
        """The batches in their order, each with the next one being judged meanwhile. One of other changes has
        to be handled first: what records are judged against may be another then."""
        batch = next(batches, None)
        while batch is not None:
            following = None
            if self._count and batch.only_records():
                with without_collecting(), engine.connect() as connection:
                    batch.ready = self.ready(connection, batch.changes)
                    if following := next(batches, None):
                        self.begin(connection, following.changes)
            yield batch
            batch = following or next(batches, None)

    def begin(self, connection: Connection, batch: Changes) -> None:
        """Let others judge the records of this batch."""
        self.end()
        self._batch = batch
        if not self._count or sum(map(len, batch.values())) < RECORDS_MIN:
            return
        new = plain(self._tools, batch)
        bench = at_hand(self._tools, connection, new)
        warm(self._tools, bench, new)
        share = -(-len(new) // self._count)
        for start in range(0, len(new), share or 1):
            some = dict(islice(new.items(), start, start + share))
            self._children += fork(lambda: list(_made(self._tools, bench, some)))  # noqa: B023

    def ready(self, connection: Connection, batch: Changes) -> Mapping[RecordKey, Ready]:
        """What was made of this batch, when that is done."""
        if self._batch is not batch:
            self.begin(connection, batch)
        found: dict[RecordKey, Ready] = {}
        while self._children:
            for row in result(*self._children.pop(0)) or ():
                key = (row.row["db"], row.row["record_id"])
                found[key] = row
        self._batch = None
        return found or NONE_READY

    def end(self) -> None:
        """Whatever is still being judged is of no use."""
        while self._children:
            end(*self._children.pop(0))
        self._batch = None


def plain(tools: Tools, batch: Changes) -> New:
    """The records of one revision that correct nothing, and the verdicts that stand: nearly all."""
    found: New = {}
    for db, changes in batch.items():
        some = [change for change in changes if _is_plain(change)]
        standing = verdicts.standing(tools.store, village_of(db), [change.id for change in some])
        for change in some:
            (leaf,) = change.leaves
            verdict = standing.get(change.id, {})
            if verdict.get("record_rev", leaf.rev) == leaf.rev:
                one = Arrival(change.id, leaf.rev, leaf.writer, leaf.received_at, change.doc, ())
                found[db, codec.key(change.id)] = one, verdict
    return found


def _is_plain(change: Change) -> bool:
    doc = change.doc
    if doc is None or change.deleted or len(change.leaves) != 1 or "supersedes" in doc:
        return False
    rev = change.leaves[0].rev
    return rev.startswith("1-") and doc.get("_rev") == rev


def at_hand(tools: Tools, connection: Connection, new: New) -> Bench:
    """Everything that judging will ask for, and no connection to ask for more."""
    lookups = tools.lookups
    lookups.settings(connection)
    lookups.tree(connection)
    lookups.prefetch(connection, looked_up(lookups, connection, new))
    for village, day in {
        (village_of(db), str((one.doc or {}).get("work_date"))) for (db, _), (one, _) in new.items()
    }:
        lookups.village_active(connection, village, day)
    devices = set(_devices(new))
    return Bench(
        _NoConnection(),  # type: ignore[arg-type]
        lookups,
        _answers(tools.device_villages, devices),
        _answers(tools.device_fillers, devices),
        {},
        frozenset(),
        _answers(tools.device_former_ids, devices),
    )


def warm(tools: Tools, bench: Bench, new: New) -> None:
    """Make some records of each form and forget them: what is compiled or remembered by that would otherwise
    be lost with each process that learns it."""
    met = tools.lookups.met
    for key, (one, standing) in new.items():
        if met[form_of(one)] < WARM_RECORDS:
            met[form_of(one)] += 1
            with suppress(NotAtHand):
                make_ready(tools, bench, key, one, standing, key[1])


def _devices(new: New) -> Iterator[str]:
    """Who handed records in, and who is said to have made them."""
    for one, _ in new.values():
        if one.writer.startswith(DEVICE):
            yield one.writer.removeprefix(DEVICE)
            claimed = (one.doc or {}).get("device_id")
            if isinstance(claimed, str):
                yield claimed


def _answers(ask: Callable[[str], T] | None, devices: set[str]) -> Callable[[str], T] | None:
    if ask is None:
        return None
    known = {device: ask(device) for device in devices}

    def answer(device: str) -> T:
        if device not in known:
            raise NotAtHand(device)
        return known[device]

    return answer


def _made(tools: Tools, bench: Bench, new: New) -> Iterator[Ready]:
    for key, (one, standing) in new.items():
        try:
            yield make_ready(tools, bench, key, one, standing, key[1])
        except NotAtHand:
            continue
