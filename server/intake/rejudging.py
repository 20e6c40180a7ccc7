"""Records that were judged before get another verdict: staff reviewed them, or the cause of their quarantine
is gone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from server.intake.answers import Answer, Outcome, answer_content, decision_of
from server.intake.arrivals import Arrival
from server.intake.chaining import Known, Roots, chunks
from server.intake.inbox import originals_of, reviews_of, settle
from server.intake.rows import Decision, decide, record_row
from server.intake.tools import Tools, judged_as_it_is
from server.readmodel import codec
from server.readmodel.chains import ACCEPTED
from server.readmodel.mentions import forget_mentions, write_mentions
from server.readmodel.moments import stamp
from server.readmodel.tables import records
from server.readmodel.upsert import upsert
from sync.store import Doc, Store


def review_records(tools: Tools, connection: Connection, record_ids: Iterable[str], outcome: Outcome) -> None:
    """Turn the reviews of each record into its verdict."""
    found = reviews_of(connection, record_ids)
    for chunk in chunks(sorted(found)):
        for row in connection.execute(select(records).where(records.c.record_id.in_(chunk))).all():
            reviewed = decision_of(row).reviewed(found[row.record_id], bool(row.unit_key))
            redecide(tools, connection, row, reviewed, outcome)


def redecide(
    tools: Tools, connection: Connection, row: Row[Any], decision: Decision, outcome: Outcome
) -> None:
    """Give a record another verdict."""
    doc = codec.decode(row.doc)
    voided = doc.get("voided") is True or decision.void is not None
    connection.execute(
        update(records)
        .where(records.c.db == row.db, records.c.record_id == row.record_id)
        .values(
            **decision.columns(),
            voided=voided,
            effective=decision.status in ACCEPTED and not voided and row.unit_key is not None,
        )
    )
    key = (row.db, row.record_id)
    outcome.records.add(key)
    if row.unit_key:
        outcome.units.add((row.unit_kind, row.unit_key))
    doc_id = str(doc.get("_id", row.record_id))
    outcome.answers[key] = Answer(row.village_code, doc_id, answer_content(decision, row, doc_id), new=False)
    settle(tools, connection, [row.root_id], outcome)


def recheck(tools: Tools, connection: Connection, form_id: str | None = None) -> Outcome:
    """Judge again what intake quarantined and nobody replaced: its cause may be gone. With `form_id`, only
    what was quarantined because that form or its version was unknown."""
    outcome = Outcome()
    query = select(records).where(
        records.c.status == "quarantined", records.c.closed.is_(False), records.c.decided_by == "intake"
    )
    for row in connection.execute(
        query if form_id is None else query.where(records.c.form_id == form_id)
    ).all():
        _recheck_one(tools, connection, row, outcome)
    return outcome


def _recheck_one(tools: Tools, connection: Connection, row: Row[Any], outcome: Outcome) -> None:
    doc_id = str(codec.decode(row.doc).get("_id", row.record_id))
    one = _again(tools.store, row, doc_id)
    own = {(row.db, row.record_id): Known(row.rev, row.root_id)}
    roots = Roots(connection, {row.record_id: row.supersedes}, own)
    # A chain that still leads back to its beginning.
    in_circle = any(p["rule"] == "SUPERSEDES_CYCLE" for p in codec.decode(row.problems))
    bench = tools.bench(
        connection,
        originals_of(connection, {}, {row.record_id: row.supersedes}),
        frozenset(roots.circular) if in_circle else frozenset(),
    )
    judged = judged_as_it_is(bench, one, row.village_code)
    if judged.problems == codec.decode(row.problems):
        return
    decision = decide(judged, {}, (), stamp(datetime.now(UTC)))
    town = tools.lookups.tree(connection).town(row.village_code)
    key = (row.db, row.record_id)
    fresh, mentioned = record_row(
        tools.declaration, tools.facts, town, key, one, judged, decision, row.root_id
    )
    upsert(connection, records, [fresh])
    forget_mentions(connection, key)
    write_mentions(connection, [(key, mention) for mention in mentioned])
    outcome.records.add(key)
    if fresh["unit_key"]:
        outcome.units.add((fresh["unit_kind"], fresh["unit_key"]))
    outcome.answers[key] = Answer(
        row.village_code, doc_id, answer_content(decision, fresh, doc_id), new=False
    )
    settle(tools, connection, [row.root_id], outcome)


def _again(store: Store, row: Row[Any], doc_id: str) -> Arrival:
    try:
        doc: Doc | None = store.open(row.db).get(doc_id, rev=row.rev)
    except Exception:
        doc = None
    return Arrival(doc_id, row.rev, row.writer, row.received_at, doc, ())
