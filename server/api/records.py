"""Records, their verdicts, what waits in quarantine, and the review of staff."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Literal

from flask.views import MethodView

from server.api import shapes
from server.api.access import allowed, covers_record, own_area, staff_for
from server.api.areas import known_indicator
from server.api.beijing import local
from server.api.blueprint import Blueprint
from server.api.catalogue import forms, survey
from server.api.freshness import versioned
from server.api.masking import mask_answers, mask_register_entry, mask_text
from server.api.problems import Problem
from server.api.unmasking import unmasked
from server.app import gridbook
from server.people import staff
from server.people.staff import Staff
from server.people.web import require_csrf
from server.readmodel import queries

log = logging.getLogger(__name__)
blp = Blueprint(
    "records", __name__, url_prefix="/api/v1", description="Records, verdicts, quarantine and review"
)

COMMENT_LENGTH_MIN = 2
Decision = Literal["returned", "accepted", "voided", "restored"]
DECISIONS: dict[str, Decision] = {
    "returned": "returned",
    "accepted": "accepted",
    "voided": "voided",
    "restored": "restored",
}


def read_filters(member: Staff, query: dict[str, Any]) -> queries.RecordFilters:
    """The read model's filters, never wider than the member's own area. Raises Problem for an area that
    is not theirs."""
    area = own_area(member, query.get("area"))
    names = (
        "form_id",
        "status",
        "filler_id",
        "device_id",
        "household_id",
        "point_id",
        "roster_entry_id",
        "rule",
        "text",
    )
    given = {name: query[name] for name in names if query.get(name)}
    return queries.RecordFilters(
        **given,
        **_places(member, area, query),
        voided=query.get("voided"),
        from_work_date=query["first"].isoformat() if query.get("first") else None,
        to_work_date=query["last"].isoformat() if query.get("last") else None,
    )


LEVELS = {"town": "town_code", "village": "village_code"}


def _places(member: Staff, area: Mapping[str, Any], query: Mapping[str, Any]) -> dict[str, Any]:
    """A figure counts what a record is about where that is, whoever made the record; of those records the
    ones of the member's own area. Raises Problem for an indicator of which no records are behind."""
    level, behind, of = LEVELS.get(area["level"]), query.get("behind"), query.get("of")
    if not behind:
        return {level: area["code"]} if level else {}
    known_indicator(behind)
    if not queries.counts_records(gridbook().declaration, gridbook().declaration.indicators[behind], of):
        raise Problem("no-such-side", indicator=behind)
    own = own_area(member, None)
    own_level = LEVELS.get(own["level"])
    places = {f"unit_{level}": area["code"]} if level else {}
    return {"behind": behind, "of": of, **places, **({own_level: own["code"]} if own_level else {})}


def page(filters: queries.RecordFilters, cursor: str | None, limit: int) -> queries.Page:
    """Raises Problem."""
    return paged(lambda: queries.records(gridbook().readmodel, filters, cursor, limit))


def paged(call: Callable[[], queries.Page]) -> queries.Page:
    """Raises Problem for a cursor that does not fit, and for filters that would read too much."""
    try:
        return call()
    except queries.BadCursor:
        raise Problem("bad-cursor") from None
    except queries.TooWide:
        raise Problem("too-wide") from None


def masked_item(item: dict[str, Any]) -> dict[str, Any]:
    """A row of a page with its identifying answers masked by the form it was filled with."""
    compiled = forms().fitting(item["form_id"], item["form_version"])
    answers = item.get("answers")
    rows = survey(compiled) if compiled else []
    return {**item, "answers": mask_answers(rows, answers) if isinstance(answers, dict) else {}}


@blp.route("/records")
class Records(MethodView):
    @allowed("records.read")
    @blp.arguments(shapes.RecordQuery, location="query")
    @blp.response(200, shapes.RecordPage)
    @versioned
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """Records as they arrived, newest first; names and numbers masked."""
        member = staff_for("records.read")
        found = page(read_filters(member, query), query.get("cursor"), query["limit"])
        return {"items": [masked_item(item) for item in found.items], "next_cursor": found.next_cursor}


@blp.route("/quarantine")
class Quarantine(MethodView):
    @allowed("records.read")
    @blp.arguments(shapes.QuarantineQuery, location="query")
    @blp.response(200, shapes.RecordPage)
    @versioned
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """Records that wait for a correction: quarantined ones, and those that staff returned."""
        member = staff_for("records.read")
        filters = read_filters(member, {"status": "quarantined", **query})
        found = page(waiting(filters), query.get("cursor"), query["limit"])
        return {"items": [masked_item(item) for item in found.items], "next_cursor": found.next_cursor}


def waiting(filters: queries.RecordFilters) -> queries.RecordFilters:
    """Those of the filters that no accepted correction has closed."""
    return queries.RecordFilters(**{**_as_dict(filters), "closed": False})


def _as_dict(filters: queries.RecordFilters) -> dict[str, Any]:
    return {name: getattr(filters, name) for name in filters.__dataclass_fields__}


def one(member: Staff, record_id: str) -> dict[str, Any]:
    """A record in full, unmasked. Raises Problem("unknown-record"), also for one outside the member's
    area."""
    found = queries.record(gridbook().readmodel, gridbook().store, record_id)
    if found is None or not covers_record(member, found.get("village_code")):
        raise Problem("unknown-record", record=record_id)
    return found


@blp.route("/records/<path:record_id>")
class Record(MethodView):
    @allowed("records.read")
    @blp.arguments(shapes.OneRecordQuery, location="query")
    @blp.response(200, shapes.FullRecord)
    @versioned
    def get(self, query: dict[str, Any], record_id: str) -> dict[str, Any]:
        """One record in full: as it arrived, its verdict, the versions before and after it, its unit."""
        member = staff_for("records.read")
        found = one(member, record_id)
        return found if unmasked(member, query, f"record {record_id}") else masked_record(found)


def masked_record(found: dict[str, Any]) -> dict[str, Any]:
    compiled = forms().fitting(found["form_id"], found["form_version"])
    document = dict(found["document"])
    answers = document.get("answers")
    document["answers"] = (
        mask_answers(survey(compiled) if compiled else [], answers) if isinstance(answers, dict) else {}
    )
    document.pop("gps", None)
    if isinstance(document.get("remark"), str):
        document["remark"] = mask_text(document["remark"])
    unit = found.get("unit")
    if unit and "entry" in unit and unit["kind"] != "point":
        unit = {**unit, "entry": mask_register_entry(unit["entry"])}
    versions = [masked_item(item) for item in found["versions"]]
    return {**masked_item(found), "document": document, "versions": versions, "unit": unit}


@blp.route("/records/<path:record_id>/verdict")
class Verdict(MethodView):
    @allowed("records.read")
    @blp.response(200, shapes.Verdict)
    @versioned
    def get(self, record_id: str) -> dict[str, Any]:
        """The verdict on one record."""
        found = one(staff_for("records.read"), record_id)
        return {"record_id": record_id, **found["verdict"]}


@blp.route("/records/<path:record_id>/review")
class RecordReview(MethodView):
    @allowed("records.review")
    @require_csrf
    @blp.arguments(shapes.Review)
    @blp.response(202, shapes.Reviewed)
    def post(self, body: dict[str, str], record_id: str) -> dict[str, Any]:
        """Return a record to the volunteer with a comment, accept it, void it with a reason, or take a void
        back. The verdict follows within seconds."""
        return review(staff_for("records.review"), record_id, DECISIONS[body["status"]], body["comment"])


WORDS_NEEDED = {"returned": "comment-missing", "voided": "void-reason"}


def _check_void(found: dict[str, Any], status: Decision) -> None:
    void = found["void"]
    if status == "voided" and void:
        raise Problem("voided-already", at=local(void["at"]), by=who(void["by"]), reason=void["reason"])
    if status == "restored" and not void:
        raise Problem("not-voided")


def who(decided_by: str) -> str:
    """The name behind `staff:<id>`; what it says when nobody is behind it."""
    member = staff.by_id(gridbook().people, decided_by.removeprefix("staff:"))
    return member.name if member else decided_by


def review(member: Staff, record_id: str, status: Decision, comment: str) -> dict[str, Any]:
    """Write the review. Raises Problem: no such record, no comment on a return or a void, a record that a
    later one has replaced, a void of what is voided."""
    from server.intake import review as reviews

    found = one(member, record_id)
    comment = comment.strip()
    if status in WORDS_NEEDED and len(comment) < COMMENT_LENGTH_MIN:
        raise Problem(WORDS_NEEDED[status], errors={"json": {"comment": ["missing"]}})
    if found.get("superseded_by") and status != "restored":
        raise Problem("replaced")
    _check_void(found, status)
    reviews.write(gridbook().store, record_id, status, comment, member.staff_id)
    log.info("%s reviewed %s: %s", member.writer, record_id, status)
    return {"record_id": record_id, "status": status}
