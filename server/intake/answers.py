"""What the verdict of each record has to say, and how it gets into the registers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, select

from server.intake import verdicts
from server.intake.rows import Decision
from server.readmodel import codec
from server.readmodel.mentions import RecordKey
from server.readmodel.recount import Shown, UnitKey
from server.readmodel.tables import records
from sync.store import Doc, Store

REGISTERS_AT_ONCE = 16


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


def first_answer(
    village: str, doc_id: str, decision: Decision, row: Mapping[str, Any], standing: Doc
) -> Answer:
    """Of a record that has just been judged; `standing` is the verdict that there was."""
    content = answer_content(decision, row, doc_id)
    told = content == {name: value for name, value in standing.items() if name not in ("_id", "_rev")}
    return Answer(village, doc_id, content, not standing, told)


def standing_answer(connection: Connection, key: RecordKey) -> Answer:
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
    """Into the registers: verdicts and summaries. What is new is written when absent, the rest is amended.
    Several registers at a time: their writes then share a sync of the disk, or a round trip to CouchDB.
    Returns the revisions of entries that come back in the changes with nothing to tell."""
    villages: dict[str, tuple[list[Answer], list[Shown]]] = {}
    for answer in outcome.answers.values():
        villages.setdefault(answer.village_code, ([], []))[0].append(answer)
    for one in shown:
        villages.setdefault(one.village_code, ([], []))[1].append(one)
    with ThreadPoolExecutor(REGISTERS_AT_ONCE) as pool:
        told = pool.map(lambda village: _write_village(store, village, *villages[village]), sorted(villages))
        return {key: rev for own in told for key, rev in own.items()}


def _write_village(
    store: Store, village: str, answers: Sequence[Answer], summaries: Sequence[Shown]
) -> dict[RecordKey, str]:
    new = [{"_id": verdicts.verdict_id(one.record_id), **one.content} for one in answers if one.new]
    told = verdicts.tell(store, village, new, summaries)
    rest = {verdicts.verdict_id(one.record_id): _amendment(one) for one in answers if not one.new}
    verdicts.amend(store, village, rest)
    return {(verdicts.register_name(village), doc_id): rev for doc_id, rev in told.items()}


def _amendment(answer: Answer) -> Any:
    def apply(doc: Doc) -> Doc | None:
        successor = {"_id": doc["_id"], **({"_rev": doc["_rev"]} if "_rev" in doc else {}), **answer.content}
        return None if successor == doc else successor

    return apply
