"""New records of a batch: judged, placed in their chains, written to the read model, answered by a
verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from server.intake import verdicts
from server.intake.answers import Outcome, first_answer, standing_answer
from server.intake.arrivals import Arrival, arrival
from server.intake.chaining import Known, Roots, chunks, rename, resolve_chains
from server.intake.judging import Bench, Original
from server.intake.rows import revision_row
from server.intake.tools import (
    NONE_READY,
    Ready,
    Tools,
    looked_up,
    make_ready,
    village_of,
)
from server.readmodel import codec
from server.readmodel.facts import Mention
from server.readmodel.mentions import RecordKey, write_mentions
from server.readmodel.tables import records, reviews, revisions
from server.readmodel.upsert import upsert
from sync.store import Change, Doc


def take_in(
    tools: Tools,
    connection: Connection,
    changes: Mapping[str, Sequence[Change]],
    ready: Mapping[RecordKey, Ready] = NONE_READY,
) -> Outcome:
    """1. sort out what is new; 2. judge it, unless that is `ready`; 3. write it; 4. resolve the chains that
    it touches."""
    known = _known(connection, changes)
    arrivals = {db: _arrivals(tools, connection, db, rows, known) for db, rows in changes.items()}
    new = {
        (db, codec.key(one.doc_id)): (one, standing)
        for db, found in arrivals.items()
        for one, standing in found
    }
    links = {key[1]: _supersedes(one.doc) for key, (one, _) in new.items()}
    roots = Roots(connection, links, known)
    bench = tools.bench(connection, originals_of(connection, new, links), frozenset(roots.circular))
    tools.lookups.prefetch(connection, looked_up(tools.lookups, connection, new))
    reviewed = reviews_of(connection, (record_id for _, record_id in new))
    outcome = Outcome()
    rows, mentioned = [], []
    for key, (one, standing) in new.items():
        row, found = _take_one(tools, bench, key, one, standing, roots, reviewed, outcome, ready.get(key))
        rows.append(row)
        mentioned += [(key, mention) for mention in found]
    upsert(connection, records, rows)
    write_mentions(connection, mentioned)
    rename(connection, roots.stale())
    company = {row["root_id"] for row in rows if roots.to_resolve(row["record_id"], row["supersedes"])}
    settle(tools, connection, company, outcome)
    return outcome


def _known(connection: Connection, changes: Mapping[str, Sequence[Change]]) -> dict[RecordKey, Known]:
    """The records of these ids that were judged before, in whichever inbox."""
    ids = {codec.key(change.id) for rows in changes.values() for change in rows}
    found: dict[RecordKey, Known] = {}
    for chunk in chunks(sorted(ids)):
        query = select(records.c.db, records.c.record_id, records.c.rev, records.c.root_id)
        for db, record_id, rev, root_id in connection.execute(query.where(records.c.record_id.in_(chunk))):
            found[db, record_id] = Known(rev, root_id)
    return found


def _arrivals(
    tools: Tools, connection: Connection, db: str, changes: Sequence[Change], known: Mapping[RecordKey, Known]
) -> list[tuple[Arrival, Doc]]:
    database = tools.store.open(db)
    fresh = [change for change in changes if (db, codec.key(change.id)) not in known]
    standing = verdicts.standing(tools.store, village_of(db), [change.id for change in fresh])
    result = []
    later: list[dict[str, Any]] = []
    for change in changes:
        key = codec.key(change.id)
        before = known.get((db, key))
        if before is not None:
            later += [revision_row(db, key, leaf) for leaf in change.leaves if leaf.rev != before.rev]
            continue
        verdict = standing.get(change.id, {})
        one = arrival(database, change, verdict)
        later += [revision_row(db, key, leaf) for leaf in one.later]
        result.append((one, verdict))
    upsert(connection, revisions, list({(row["record_id"], row["rev"]): row for row in later}.values()))
    return result


def _supersedes(doc: Doc | None) -> str | None:
    target = (doc or {}).get("supersedes")
    return codec.key(target) if isinstance(target, str) and target else None


def originals_of(
    connection: Connection, new: Mapping[RecordKey, tuple[Arrival, Doc]], links: Mapping[str, str | None]
) -> dict[str, Original]:
    wanted = {target for target in links.values() if target}
    found: dict[str, Original] = {}
    for chunk in chunks(sorted(wanted)):
        for row in connection.execute(select(records).where(records.c.record_id.in_(chunk))):
            found[row.record_id] = Original(row.village_code, row.writer, row.device_id)
    for (db, record_id), (one, _) in new.items():
        if record_id in wanted:
            device = (one.doc or {}).get("device_id")
            found[record_id] = Original(
                village_of(db), one.writer, device if isinstance(device, str) else None
            )
    return found


def _take_one(
    tools: Tools,
    bench: Bench,
    key: RecordKey,
    one: Arrival,
    standing: Doc,
    roots: Roots,
    reviewed: Mapping[str, Sequence[Doc]],
    outcome: Outcome,
    ready: Ready | None,
) -> tuple[dict[str, Any], Sequence[Mention]]:
    db, record_id = key
    village, root_id, known = village_of(db), roots.of(record_id), reviewed.get(record_id, ())
    if ready is None or known or not ready.fits(one, standing, root_id):
        ready = make_ready(tools, bench, key, one, standing, root_id, known)
    decision, row, mentioned = ready.decision, ready.row, ready.mentions
    if row["effective"]:
        outcome.units |= {(row["unit_kind"], row["unit_key"])}
        outcome.units |= {(mention.kind, mention.unit_key) for mention in mentioned}
    outcome.answers[key] = first_answer(village, one.doc_id, decision, row, standing)
    return row, mentioned


def reviews_of(connection: Connection, record_ids: Iterable[str]) -> dict[str, list[Doc]]:
    """The reviews of each record that has any, oldest first."""
    found: dict[str, list[Doc]] = {}
    for chunk in chunks(sorted(set(record_ids))):
        rows = connection.execute(
            select(reviews.c.record_id, reviews.c.doc)
            .where(reviews.c.record_id.in_(chunk))
            .order_by(reviews.c.written_at, reviews.c.review_id)
        )
        for row in rows:
            found.setdefault(row.record_id, []).append(codec.decode(row.doc))
    return found


def settle(tools: Tools, connection: Connection, roots: Iterable[str], outcome: Outcome) -> None:
    """Resolve chains and let the verdicts say by whom their records were replaced."""
    changed = resolve_chains(connection, tools.declaration, roots)
    outcome.units |= changed.units
    outcome.records |= changed.records
    for key, by in changed.closed.items():
        answer = outcome.answers.get(key) or standing_answer(connection, key)
        answer.told = False
        answer.content.pop("superseded_by", None)
        if by is not None:
            answer.content["superseded_by"] = by
        outcome.answers[key] = answer
