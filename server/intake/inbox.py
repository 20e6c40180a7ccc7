"""New records of a batch: judged, placed in their chains, written to the read model, answered by a
verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from server.intake import verdicts
from server.intake.arrivals import Arrival, arrival
from server.intake.chaining import Known, Roots, chunks, rename, resolve_chains
from server.intake.judging import Bench, Original
from server.intake.rows import Decision, decide, record_row, revision_row
from server.intake.tools import (
    NONE_READY,
    Ready,
    Tools,
    judged_as_it_is,
    looked_up,
    make_ready,
    village_of,
)
from server.readmodel import codec
from server.readmodel.chains import ACCEPTED
from server.readmodel.facts import Mention
from server.readmodel.mentions import RecordKey, forget_mentions, write_mentions
from server.readmodel.moments import stamp
from server.readmodel.recount import Shown, UnitKey
from server.readmodel.tables import records, reviews, revisions
from server.readmodel.upsert import upsert
from sync.store import Change, Doc, Store


@dataclass
class Answer:
    """What the verdict of one record has to say; `new`: there was none; `told`: it says so already."""

    village_code: str
    record_id: str
    content: dict[str, Any]
    new: bool
    told: bool = False


@dataclass
class Outcome:
    """What follows from a batch: `units` have to be counted again, and those whom the `records` mention."""

    units: set[UnitKey] = field(default_factory=set)
    records: set[RecordKey] = field(default_factory=set)
    answers: dict[RecordKey, Answer] = field(default_factory=dict)


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
    bench = tools.bench(connection, _originals(connection, new, links), frozenset(roots.circular))
    tools.lookups.prefetch(connection, looked_up(new))
    reviewed = _reviews(connection, (record_id for _, record_id in new))
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


def _originals(
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
    content = answer_content(decision, row, one.doc_id)
    told = content == {name: value for name, value in standing.items() if name not in ("_id", "_rev")}
    outcome.answers[key] = Answer(village, one.doc_id, content, not standing, told)
    return row, mentioned


def _reviews(connection: Connection, record_ids: Iterable[str]) -> dict[str, list[Doc]]:
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


def answer_content(decision: Decision, row: Mapping[str, Any] | Row[Any], doc_id: str) -> dict[str, Any]:
    values = row if isinstance(row, Mapping) else row._mapping
    content = {
        "type": "verdict",
        "record_id": doc_id,
        "record_rev": values["rev"],
        "form_id": values["form_id"],
        "device_id": values["device_id"],
        "status": decision.status,
        "problems": decision.problems,
        "comment": decision.comment,
        "decided_at": decision.decided_at,
        "decided_by": decision.decided_by,
        "received_at": values["received_at"],
        "superseded_by": values["superseded_by"],
        "voided": decision.void,
    }
    return {name: value for name, value in content.items() if value is not None}


def settle(tools: Tools, connection: Connection, roots: Iterable[str], outcome: Outcome) -> None:
    """Resolve chains and let the verdicts say by whom their records were replaced."""
    changed = resolve_chains(connection, tools.declaration, roots)
    outcome.units |= changed.units
    outcome.records |= changed.records
    for key, by in changed.closed.items():
        answer = outcome.answers.get(key) or _standing_answer(connection, key)
        answer.told = False
        answer.content.pop("superseded_by", None)
        if by is not None:
            answer.content["superseded_by"] = by
        outcome.answers[key] = answer


def _standing_answer(connection: Connection, key: RecordKey) -> Answer:
    row = connection.execute(
        select(records).where(records.c.db == key[0], records.c.record_id == key[1])
    ).one()
    return answer_of(row)


def decision_of(row: Row[Any]) -> Decision:
    """The decision that a record in the table has."""
    void = None if row.void is None else codec.decode(row.void)
    return Decision(row.status, codec.decode(row.problems), row.comment, row.decided_at, row.decided_by, void)


def answer_of(row: Row[Any]) -> Answer:
    """What the verdict of a record in the table has to say."""
    decision = decision_of(row)
    doc_id = str(codec.decode(row.doc).get("_id", row.record_id))
    return Answer(row.village_code, doc_id, answer_content(decision, row, doc_id), new=False)


def write_answers(store: Store, outcome: Outcome, shown: Iterable[Shown]) -> dict[RecordKey, str]:
    """Into the registers, each at once: verdicts and summaries. What is new is written when absent, the rest
    is amended. Returns the revisions of entries that come back in the changes with nothing to tell."""
    villages: dict[str, tuple[list[Answer], list[Shown]]] = {}
    for answer in outcome.answers.values():
        villages.setdefault(answer.village_code, ([], []))[0].append(answer)
    for one in shown:
        villages.setdefault(one.village_code, ([], []))[1].append(one)
    own: dict[RecordKey, str] = {}
    for village, (answers, summaries) in sorted(villages.items()):
        new = [{"_id": verdicts.verdict_id(one.record_id), **one.content} for one in answers if one.new]
        told = verdicts.tell(store, village, new, summaries)
        own |= {(verdicts.register_name(village), doc_id): rev for doc_id, rev in told.items()}
        verdicts.amend(
            store,
            village,
            {verdicts.verdict_id(one.record_id): _amendment(one) for one in answers if not one.new},
        )
    return own


def _amendment(answer: Answer) -> Any:
    def apply(doc: Doc) -> Doc | None:
        successor = {"_id": doc["_id"], **({"_rev": doc["_rev"]} if "_rev" in doc else {}), **answer.content}
        return None if successor == doc else successor

    return apply


def review_records(tools: Tools, connection: Connection, record_ids: Iterable[str], outcome: Outcome) -> None:
    """Turn the reviews of each record into its verdict."""
    found = _reviews(connection, record_ids)
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
    what was quarantined because that
    form or its version was unknown."""
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
        _originals(connection, {}, {row.record_id: row.supersedes}),
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
