"""What intake works with, and one new record made ready to be written: judged, decided, as a row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection

from server.intake.arrivals import Arrival
from server.intake.judging import (
    Arrived,
    Bench,
    DeviceVillages,
    FormerIds,
    Judged,
    Original,
    judge,
    only_calculated,
)
from server.intake.lookups import EntryKey, Lookups
from server.intake.rows import Decision, decide, record_row, stands
from server.readmodel import codec
from server.readmodel.declaration import Declaration
from server.readmodel.facts import FactMaker, Mention
from server.readmodel.mentions import RecordKey
from server.readmodel.moments import stamp
from server.readmodel.problems import problem
from sync.store import Doc, Store


@dataclass
class Tools:
    """What stays the same from batch to batch."""

    store: Store
    declaration: Declaration
    facts: FactMaker
    lookups: Lookups
    device_villages: DeviceVillages | None = None
    device_fillers: DeviceVillages | None = None
    device_former_ids: FormerIds | None = None

    def bench(
        self, connection: Connection, originals: Mapping[str, Original], circular: frozenset[str]
    ) -> Bench:
        """For one batch: a device is asked about once."""
        villages, fillers = (asked and cache(asked) for asked in (self.device_villages, self.device_fillers))
        former_ids = self.device_former_ids and cache(self.device_former_ids)
        return Bench(connection, self.lookups, villages, fillers, originals, circular, former_ids)


def village_of(db: str) -> str:
    return db.removeprefix("inbox-")


def form_of(one: Arrival) -> tuple[str, str]:
    doc = one.doc or {}
    return codec.key(str(doc.get("form_id"))), codec.key(str(doc.get("form_version")))


def looked_up(
    lookups: Lookups, connection: Connection, new: Mapping[RecordKey, tuple[Arrival, Doc]]
) -> Iterator[EntryKey]:
    """The register entries that judging these records will ask for."""
    for (db, _), (one, _standing) in new.items():
        known = lookups.form(connection, *form_of(one))
        if known is None:
            continue
        doc = one.doc or {}
        answers = doc.get("answers")
        for kind, name, is_answer in known.named:
            within = answers if is_answer else doc
            value = within.get(name) if isinstance(within, dict) else None
            if isinstance(value, str) and value:
                yield kind, village_of(db), codec.key(value)


@dataclass(frozen=True, slots=True)
class Ready:
    """A record judged, decided and made a row, as if it were alone in a chain called `root_id`. `standing`
    is the verdict that there was."""

    rev: str
    standing: Doc
    root_id: str
    decision: Decision
    row: dict[str, Any]
    mentions: Sequence[Mention]

    def fits(self, one: Arrival, standing: Doc, root_id: str) -> bool:
        return (self.rev, self.root_id, self.standing) == (one.rev, root_id, standing)


NONE_READY: Mapping[RecordKey, Ready] = {}


def make_ready(
    tools: Tools,
    bench: Bench,
    key: RecordKey,
    one: Arrival,
    standing: Doc,
    root_id: str,
    reviews: Sequence[Doc] = (),
) -> Ready:
    village = village_of(key[0])
    judged = _calculated(bench, one, village) if stands(standing) else None
    judged = judged or judged_as_it_is(bench, one, village)
    decision = decide(judged, standing, reviews, stamp(datetime.now(UTC)))
    town = tools.lookups.tree(bench.connection).town(village)
    row, mentions = record_row(tools.declaration, tools.facts, town, key, one, judged, decision, root_id)
    return Ready(one.rev, standing, root_id, decision, row, mentions)


def _calculated(bench: Bench, one: Arrival, village: str) -> Judged | None:
    if one.doc is None or one.doc.get("_deleted"):
        return None
    return only_calculated(bench, Arrived(one.doc, village, one.writer, one.received_at))


def judged_as_it_is(bench: Bench, one: Arrival, village: str) -> Judged:
    if one.doc is None or one.doc.get("_deleted"):
        return Judged(
            "quarantined",
            [problem("SECOND_REVISION" if one.doc is None else "NOT_A_RECORD")],
            {"_id": one.doc_id},
        )
    return judge(bench, Arrived(one.doc, village, one.writer, one.received_at))
