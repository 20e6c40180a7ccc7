"""Records that may say the same twice: pairs that wait for a decision, and the decision: both are kept, or
one stays and the other is voided."""

from __future__ import annotations

import logging
from typing import Any

from flask.views import MethodView

from server.api import shapes
from server.api.access import allowed, covers_record, own_area, staff_for
from server.api.beijing import local
from server.api.blueprint import Blueprint
from server.api.freshness import versioned
from server.api.problems import Problem
from server.api.records import masked_item, who
from server.app import gridbook
from server.intake import duplicates
from server.people.staff import Staff
from server.people.web import require_csrf
from server.readmodel import queries

log = logging.getLogger(__name__)
blp = Blueprint("duplicates", __name__, url_prefix="/api/v1", description="Records that may say the same")

REASON = "重复填报"  # of a void, when the clerk writes nothing
Query = dict[str, Any]


def rules() -> dict[str, dict[str, str]]:
    """{name: message} of the rules that suspect."""
    return {rule.name: dict(rule.message) for rule in gridbook().declaration.rules.values() if rule.suspects}


def listed(member: Staff, query: Query) -> queries.Page:
    """Pairs of the query's area, both records of which the member may see. Raises Problem."""
    area = own_area(member, query.get("area"))
    filters = queries.PairFilters(area["code"], query.get("rule"))
    ask = queries.suspected_pairs if query["state"] == "open" else queries.decided_pairs
    try:
        found = ask(gridbook().readmodel, filters, query.get("cursor"), query["limit"])
    except queries.BadCursor:
        raise Problem("bad-cursor") from None
    return queries.Page([item for item in found.items if _covers(member, item)], found.next_cursor)


def _covers(member: Staff, item: dict[str, Any]) -> bool:
    seen = [covers_record(member, record["village_code"]) for record in item["records"]]
    return len(seen) == 2 and all(seen)


def one(member: Staff, pair: str) -> dict[str, Any]:
    """A pair with its two records, unmasked. Raises Problem("unknown-pair")."""
    found = queries.pair(gridbook().readmodel, pair)
    if found is None or not _covers(member, found):
        raise Problem("unknown-pair")
    return found


def open_of(member: Staff, record_id: str) -> list[str]:
    """The pairs that wait for a decision and hold this record."""
    found = queries.suspected_pairs_of(gridbook().readmodel, record_id)
    return [item["pair"] for item in found if _covers(member, item)]


def shown(item: dict[str, Any]) -> dict[str, Any]:
    return {
        **item,
        "why": rules().get(item["rule"] or ""),
        "records": [masked_item(record) for record in item["records"]],
        "decision": told(item["decision"]),
    }


def told(doc: dict[str, Any] | None) -> dict[str, Any] | None:
    decision = duplicates.read(doc) if doc else None
    if decision is None:
        return None
    return {
        "number": decision.number,
        "decision": decision.what,
        "kept": decision.kept or None,
        "voided": decision.voided or None,
        "comment": decision.comment,
        "by": f"staff:{decision.staff_id}",
        "at": decision.written_at,
    }


def decide(member: Staff, pair: str, body: Query) -> duplicates.Decision:
    """Raises Problem: no such pair, no longer two records that count, somebody decided meanwhile, the record
    that is to stay is none of the two."""
    item = one(member, pair)
    if not item["open"]:
        raise Problem("pair-gone")
    first, second = item["record_ids"]
    kept = body.get("keep") or ""
    if body["decision"] == duplicates.MERGED and kept not in (first, second):
        raise Problem("invalid", errors={"json": {"keep": ["Must be one of the pair's two records."]}})
    merged = body["decision"] == duplicates.MERGED
    decision = duplicates.Decision(
        pair=pair,
        number=body["seen"] + 1,
        record_ids=(first, second),
        village_code=item["village_code"],
        comment=body["comment"].strip() or (REASON if merged else ""),
        staff_id=member.staff_id,
        written_at=duplicates.now(),
        kept=kept if merged else "",
        voided={first: second, second: first}[kept] if merged else "",
    )
    standing = item["decision"]["number"] if item["decision"] else 0
    if standing > body["seen"]:
        raise _decided(duplicates.read(item["decision"]) or decision)
    if standing < body["seen"]:
        raise Problem("invalid", errors={"json": {"seen": ["There are not so many decisions yet."]}})
    try:
        duplicates.write(gridbook().store, decision)
    except duplicates.Taken as taken:
        raise _decided(taken.decision) from None
    log.info("%s decided about %s: %s", member.writer, pair, decision.what)
    return decision


def _decided(first: duplicates.Decision) -> Problem:
    merged = first.what == duplicates.MERGED
    what = (
        {"zh": f"保留 {first.kept}，另一条作废", "en": f"{first.kept} stays, the other is voided"}
        if merged
        else {"zh": "两条都保留", "en": "both are kept"}
    )
    return Problem("pair-decided", by=who(f"staff:{first.staff_id}"), at=local(first.written_at), what=what)


@blp.route("/duplicates")
class Duplicates(MethodView):
    @allowed("records.read")
    @blp.arguments(shapes.PairQuery, location="query")
    @blp.response(200, shapes.PairPage)
    @versioned
    def get(self, query: Query) -> Query:
        """Pairs of records that may say the same, latest first; names and numbers masked. `state=decided` for
        what was decided."""
        found = listed(staff_for("records.read"), query)
        return {"items": [shown(item) for item in found.items], "next_cursor": found.next_cursor}


@blp.route("/duplicates/<string:pair>")
class Duplicate(MethodView):
    @allowed("records.read")
    @blp.response(200, shapes.FullPair)
    @versioned
    def get(self, pair: str) -> Query:
        """One pair with both records, and what was decided about it."""
        return shown(one(staff_for("records.read"), pair))


@blp.route("/duplicates/<string:pair>/decision")
class PairDecision(MethodView):
    @allowed("records.review")
    @require_csrf
    @blp.arguments(shapes.PairDecisionRequest)
    @blp.response(202, shapes.PairDecision)
    def post(self, body: Query, pair: str) -> Query | None:
        """Keep both records, for good, or let one stay and void the other. Of two who decide at once the
        second is refused and told what the first decided. The verdict follows within seconds."""
        return told(decide(staff_for("records.review"), pair, body).document())
