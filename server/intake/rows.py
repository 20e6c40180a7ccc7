"""A judged record as a row, and the decision that its verdict tells."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from server.intake.arrivals import Arrival
from server.intake.judging import Judged
from server.readmodel import codec
from server.readmodel.chains import ACCEPTED
from server.readmodel.declaration import Declaration
from server.readmodel.facts import FactMaker, Mention, Said
from server.readmodel.moments import is_day, true_moment
from server.readmodel.problems import problem
from server.readmodel.recount import UNLISTED, unit_key_of
from sync.store import Doc, Leaf

log = logging.getLogger(__name__)

STATUSES = ("accepted", "accepted_with_warnings", "quarantined", "returned")
SEARCH_CHARACTERS_MAX = 600
# Without these a record cannot be counted, whoever accepts it.
UNCOUNTABLE = ("NOT_A_RECORD", "RECORD_ID", "RECORD_ID_MISMATCH", "TOO_LARGE", "INTAKE_FAILED", "V001")


@dataclass(frozen=True, slots=True)
class Decision:
    status: str
    problems: list[dict[str, Any]]
    comment: str | None
    decided_at: str
    decided_by: str
    void: Mapping[str, Any] | None = None  # {at, by, reason, duplicate_of?}: staff took the record out

    def reviewed(self, reviews: Sequence[Doc], countable: bool) -> Decision:
        """With what staff decided, oldest first; what cannot be counted cannot be accepted. A void leaves the
        status, so that taking it back leaves no trace in the figures."""
        decision = self if self.void is None else replace(self, void=None)
        for review in reviews:
            if review["status"] in ("voided", "restored"):
                decision = replace(decision, void=void_of(review) if review["status"] == "voided" else None)
            elif review["status"] != "accepted" or countable:
                decision = decision._decided(review)
        return decision

    def _decided(self, review: Doc) -> Decision:
        comment = review.get("comment")
        return Decision(
            review["status"],
            self.problems,
            comment if isinstance(comment, str) else None,
            str(review["written_at"]),
            f"staff:{review.get('staff_id')}",
        )

    def columns(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "problems": codec.encode(self.problems),
            "rules": rules_text(self.problems),
            "comment": None if self.comment is None else codec.plain(self.comment),
            "decided_at": codec.plain(self.decided_at, 40),
            "decided_by": codec.plain(self.decided_by, 200),
            "void": None if self.void is None else codec.encode(self.void),
        }


def void_of(review: Doc) -> dict[str, Any]:
    """What a void says on the verdict."""
    comment, kept = review.get("comment"), review.get("duplicate_of")
    return {
        "at": str(review["written_at"]),
        "by": f"staff:{review.get('staff_id')}",
        "reason": comment if isinstance(comment, str) else "",
        **({"duplicate_of": kept} if isinstance(kept, str) else {}),
    }


def rules_text(problems: list[dict[str, Any]]) -> str:
    return "".join(
        f" {rule} " for rule in dict.fromkeys(codec.plain(str(found.get("rule")), 60) for found in problems)
    )


def decide(judged: Judged, standing: Mapping[str, Any], reviews: Sequence[Doc], now: str) -> Decision:
    """A verdict that stands holds against a new judgement; reviews hold against both."""
    problems = _held(standing)
    if problems is None:
        decision = Decision(judged.status, judged.problems, None, now, "intake")
    else:
        comment = standing.get("comment")
        decision = Decision(
            str(standing["status"]),
            [found for found in problems if isinstance(found, dict)],
            comment if isinstance(comment, str) else None,
            str(standing.get("decided_at") or now),
            str(standing.get("decided_by") or "intake"),
        )
    return decision.reviewed(reviews, is_countable(judged))


def _held(standing: Mapping[str, Any]) -> list[Any] | None:
    """The problems that a verdict names, if it is one."""
    problems = standing.get("problems")
    return problems if standing.get("status") in STATUSES and isinstance(problems, list) else None


def stands(standing: Mapping[str, Any]) -> bool:
    """Whether that verdict holds and is about a record that can be counted: a new judgement would change
    nothing."""
    problems = _held(standing)
    return problems is not None and not any(
        isinstance(found, dict) and found.get("rule") in UNCOUNTABLE for found in problems
    )


def is_countable(judged: Judged) -> bool:
    return judged.checked and not any(found["rule"] in UNCOUNTABLE for found in judged.problems)


def record_row(
    declaration: Declaration,
    facts: FactMaker,
    town_code: str,
    key: tuple[str, str],
    one: Arrival,
    judged: Judged,
    decision: Decision,
    root_id: str,
) -> tuple[dict[str, Any], Sequence[Mention]]:
    """The row of `records`, `effective` as if the record were alone in its chain; and whom the record
    mentions."""
    db, record_id = key
    doc, village = judged.doc, db.removeprefix("inbox-")
    unit = (
        _unit(declaration, doc, village, root_id)
        if is_countable(judged) or decision.status in ACCEPTED
        else (None, None)
    )
    answers = _object(doc, "answers")
    gps = _object(doc, "gps")
    work_date = doc.get("work_date")
    voided = doc.get("voided") is True or decision.void is not None
    said = _said(facts, doc, unit[1], one.received_at, decision) if unit[1] else Said({}, ())
    row = {
        "db": db,
        "record_id": record_id,
        "rev": one.rev,
        "writer": codec.plain(one.writer),
        "received_at": one.received_at,
        "happened_at": true_moment(doc.get("captured_at"), doc.get("clock_skew_s"), one.received_at),
        "form_id": _key(doc, "form_id"),
        "form_version": _key(doc, "form_version"),
        "work_date": work_date if is_day(work_date) else None,
        **decision.columns(),
        "effective": decision.status in ACCEPTED and not voided and unit[1] is not None,
        "closed": decision.void is not None,
        "superseded_by": None,
        "voided": voided,
        "supersedes": _key(doc, "supersedes"),
        "root_id": root_id,
        "unit_kind": unit[0],
        "unit_key": unit[1],
        "device_id": _key(doc, "device_id"),
        "filler_id": _key(doc, "filler_id"),
        "village_code": village,
        "town_code": town_code,
        "grid_code": _key(doc, "grid_code"),
        "household_id": _key(answers, "household_id"),
        "point_id": _key(answers, "point_id"),
        "roster_entry_id": _key(answers, "roster_entry_id"),
        "lat": _degrees(gps, "lat"),
        "lon": _degrees(gps, "lon"),
        "facts": codec.encode(said.facts),
        "search": _search(record_id, doc, answers),
        "doc": _stored(doc),
    }
    return row, said.mentions


def _said(
    facts: FactMaker, doc: Mapping[str, Any], unit_key: str, received_at: str, decision: Decision
) -> Said:
    """A record that says nothing readable still counts as a record of its unit."""
    rules = [str(found.get("rule")) for found in decision.problems]
    try:
        return facts.read(doc, unit_key, received_at, rules)
    except Exception:
        log.exception("no facts of %r", str(doc.get("_id"))[:200])
        return Said({}, ())


def _unit(
    declaration: Declaration, doc: Mapping[str, Any], village: str, root_id: str
) -> tuple[str | None, str | None]:
    unit = declaration.unit_of_form(doc.get("form_id"))
    if unit is None or not is_day(doc.get("work_date")):
        return None, None
    answers = doc.get("answers")
    named = answers.get(unit.forms[doc["form_id"]]) if isinstance(answers, dict) else None
    unit_id = codec.key(named) if isinstance(named, str) and named else UNLISTED + root_id
    return unit.name, unit_key_of(unit, village, unit_id)


def _object(doc: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = doc.get(name)
    return value if isinstance(value, dict) else {}


def _key(doc: Mapping[str, Any], name: str) -> str | None:
    value = doc.get(name)
    return codec.key(value) if isinstance(value, str) and value else None


def _degrees(gps: Mapping[str, Any], name: str) -> float | None:
    value = gps.get(name)
    return (
        float(value)
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= 180
        else None
    )


def _stored(doc: Mapping[str, Any]) -> str:
    try:
        return codec.encode({name: value for name, value in doc.items() if name != "_rev"})
    except ValueError:
        return codec.encode({"_id": codec.plain(str(doc.get("_id")))})


def _search(record_id: str, doc: Mapping[str, Any], answers: Mapping[str, Any]) -> str:
    beside = map(doc.get, ("filler_id", "remark", "paper_ref"))
    words = [record_id, *(text for text in beside if isinstance(text, str))]
    for value in answers.values():
        if type(value) is str:
            words.append(value)
        elif type(value) is list:
            rows = [row for row in value if isinstance(row, dict)]
            words += [text for row in rows for text in row.values() if isinstance(text, str)]
    return codec.plain(" ".join(words).lower(), SEARCH_CHARACTERS_MAX)


def revision_row(db: str, record_id: str, leaf: Leaf) -> dict[str, Any]:
    return {
        "db": db,
        "record_id": record_id,
        "rev": codec.key(leaf.rev),
        "deleted": leaf.deleted,
        "writer": codec.plain(leaf.writer),
        "received_at": leaf.received_at,
        "problem": codec.encode(problem("SECOND_REVISION")),
    }
