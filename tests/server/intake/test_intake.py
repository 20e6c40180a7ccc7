"""What intake makes of records: Alice's phone is `phone-a` in the first village, Bob's `phone-b` in the
second."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from server.intake import handling, review, verdicts
from server.readmodel import queries
from server.readmodel.area_queries import list_units
from server.readmodel.queries import RecordFilters
from sync.embedded.database import EmbeddedDatabase
from sync.store import Database
from tests.server.intake.district import (
    ALPHA,
    BETA,
    COMPILED,
    DAY,
    DISTRICT,
    District,
    correction,
    delivery,
    disinfection,
    filler,
    on_both,
    roster_entry,
    rules,
    visit,
    withdrawal,
)


def figure(district: District, name: str, area: str = DISTRICT, day: str = DAY) -> Any:
    return queries.figures(district.readmodel, area, day, [name])[name]


def value(district: District, name: str, area: str = DISTRICT, day: str = DAY) -> Any:
    return figure(district, name, area, day)["value"]


def flags(district: District, doc: dict[str, Any]) -> set[str]:
    found = queries.record(district.readmodel, district.store, doc["_id"])
    assert found is not None
    return {problem["rule"] for problem in found["problems"]}


@on_both
def test_a_good_record_is_accepted_counted_and_shown_in_the_register(district: District) -> None:
    record = visit(1)
    district.send(record)
    district.intake()
    assert district.verdict(record)["status"] == "accepted"
    assert (value(district, "A2"), value(district, "A2", ALPHA), value(district, "A2", BETA)) == (1, 1, 0)
    summary = district.register(ALPHA).get("household:H1")["summary"]
    assert (summary["visits"], summary["last_result"], summary["record_id"]) == (1, "met", record["_id"])


@on_both
def test_nothing_is_written_again_when_nothing_changed(district: District) -> None:
    district.send(visit(1))
    district.intake()
    seq = district.register(ALPHA).info()["update_seq"]
    version = queries.version(district.readmodel)
    district.send(*[])
    assert district.intake() == 0
    assert district.register(ALPHA).info()["update_seq"] == seq
    assert queries.version(district.readmodel) == version


def test_a_register_is_told_all_of_a_batch_in_one_write(
    district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    district.send(visit(1), visit(2), visit(1, code=BETA))
    written: list[str] = []
    bulk_docs = EmbeddedDatabase.bulk_docs

    def noted(self: EmbeddedDatabase, *args: Any, **more: Any) -> Any:
        written.append(self.name)
        return bulk_docs(self, *args, **more)

    monkeypatch.setattr(EmbeddedDatabase, "bulk_docs", noted)
    district.intake()
    assert sorted(written) == [f"register-{ALPHA}", f"register-{BETA}"]


@on_both
def test_an_import_that_drops_the_summary_gets_it_back(district: District) -> None:
    district.send(visit(1))
    district.intake()
    register = district.register(ALPHA)
    edited = {**register.get("household:H1"), "head_name": "张四"}
    shown = edited.pop("summary")
    register.put(edited, writer="server")
    district.intake()
    assert register.get("household:H1")["summary"] == shown
    assert register.get("household:H1")["head_name"] == "张四"


@pytest.mark.parametrize("repeated", [False, True])
def test_an_edit_just_before_the_summary_is_written_reaches_the_read_model(
    district: District, monkeypatch: pytest.MonkeyPatch, repeated: bool
) -> None:
    district.intake()
    register, read = district.register(ALPHA), verdicts.read

    def read_after_an_edit(database: Database, doc_ids: Sequence[str]) -> dict[str, Any]:
        if "household:H1" in doc_ids and database.get("household:H1")["head_name"] != "张四":
            database.put({**database.get("household:H1"), "head_name": "张四"}, writer="server")
        return read(database, doc_ids)

    monkeypatch.setattr(verdicts, "read", read_after_an_edit)
    district.send(visit(1))
    if repeated:
        monkeypatch.setattr(handling, "upsert", failing_once(handling.upsert))
        with pytest.raises(OSError):
            district.intake()
    district.intake()
    (entry,) = (
        unit["entry"]
        for unit in list_units(district.readmodel, "household", ALPHA).items
        if unit["id"] == "H1"
    )
    assert entry["head_name"] == register.get("household:H1")["head_name"] == "张四"
    assert register.get("household:H1")["summary"]["visits"] == 1


def failing_once(function: Callable[..., Any]) -> Callable[..., Any]:
    faults = [OSError("the disk went away")]

    def fail_once(*args: Any, **more: Any) -> Any:
        if faults:
            raise faults.pop()
        return function(*args, **more)

    return fail_once


def test_two_visits_of_one_household_by_two_phones_are_both_kept_and_covered_once(district: District) -> None:
    district.send(visit(1, phone="phone-a"), visit(1, "no_answer", at="15:00", phone="phone-a2"))
    district.intake()
    assert (value(district, "A2_visits"), value(district, "A2"), value(district, "A3")) == (2, 1, 1)


@on_both
def test_the_clock_that_is_wrong_flags_the_record_and_does_not_change_which_visit_was_last(
    district: District,
) -> None:
    fast = visit(1, residents=9, at="12:00", clock_skew_s=4 * 3600)  # really 08:00
    district.send(fast, visit(1, residents=2, at="10:00"))
    district.intake()
    assert rules(district.verdict(fast)) == {"V003"}
    assert district.verdict(fast)["status"] == "accepted"
    assert value(district, "A9") == 2


@on_both
def test_an_unknown_form_version_is_quarantined_and_accepted_once_the_form_is_published(
    district: District,
) -> None:
    record = visit(1, form_version="7")
    district.send(record)
    district.intake()
    assert (district.verdict(record)["status"], rules(district.verdict(record))) == ("quarantined", {"V001"})
    form = next(form for form in COMPILED if form["form_id"] == "household_visit")
    newer = {**form, "_id": "form:household_visit:7", "type": "form", "version": "7"}
    district.put(district.store.ensure("catalogue"), newer)
    district.intake()
    assert district.verdict(record)["status"] == "accepted"
    assert value(district, "A2") == 1


def test_a_future_work_date_is_quarantined_by_the_day_of_receipt(district: District) -> None:
    record = visit(1, day="2099-01-01")
    district.send(record)
    district.intake()
    assert "V002" in rules(district.verdict(record))
    assert value(district, "A2", day="2099-01-01") == 0


@pytest.mark.parametrize(
    ("record", "phone", "rule"),
    [
        (visit(1, village_code=BETA), "phone-a", "V004"),
        (visit(1, phone="phone-b", filler_id="F901"), "phone-b", "V004"),
        (visit(1), "stolen", "V004"),
        (visit(1), "phone-a2", "FOREIGN_DEVICE"),
        (visit(1, filler_id="nobody"), "phone-a", "FILLER"),
        (visit(1, filler_id="F902"), "phone-a", "FILLER"),
        ({**visit(1), "_id": "record:supply_delivery:20200210:1"}, "phone-a", "RECORD_ID_MISMATCH"),
        ({**visit(1), "_id": "record:household_visit:20200211:1"}, "phone-a", "RECORD_ID_MISMATCH"),
        ({**visit(1), "_id": "record:household_visit:1"}, "phone-a", "RECORD_ID"),
        ({**visit(1), "type": "note"}, "phone-a", "NOT_A_RECORD"),
        ({**visit(1), "answers": [1]}, "phone-a", "NOT_A_RECORD"),
    ],
)
def test_what_is_not_for_this_device_or_no_record_is_quarantined_and_kept(
    district: District, record: dict[str, Any], phone: str, rule: str
) -> None:
    district.send(record, village=ALPHA, phone=phone)
    district.intake()
    verdict = district.verdict(str(record["_id"]), ALPHA)
    assert verdict["status"] == "quarantined"
    assert rule in rules(verdict)
    assert all(problem["message"]["zh"] and problem["message"]["en"] for problem in verdict["problems"])
    listed = queries.records(district.readmodel, RecordFilters(status="quarantined", rule=rule)).items
    assert [item["record_id"] for item in listed] == [record["_id"]]
    assert value(district, "A2") == 0


def test_a_phone_that_was_enrolled_again_hands_in_what_it_made_before(district: District) -> None:
    district.phones["phone-a-again"] = [ALPHA]
    district.former_ids["phone-a-again"] = ["phone-a"]
    before = visit(1, residents=3)
    mended = correction(before, visit(1, residents=4, at="11:00", device_id="phone-a-again"))
    district.send(before, mended, phone="phone-a-again")
    district.intake()
    assert (district.verdict(before)["status"], rules(district.verdict(before))) == ("accepted", set())
    assert (district.verdict(mended)["status"], rules(district.verdict(mended))) == ("accepted", set())
    assert value(district, "A9") == 4


def test_an_id_that_was_never_this_phones_is_foreign_also_after_an_enrolment(district: District) -> None:
    district.phones["phone-a-again"] = [ALPHA]
    district.former_ids["phone-a-again"] = ["phone-a"]
    record = visit(1, device_id="phone-a2")
    district.send(record, phone="phone-a-again")
    district.intake()
    assert rules(district.verdict(record)) == {"FOREIGN_DEVICE"}


def test_an_attachment_that_did_not_come_is_a_warning(district: District) -> None:
    record = disinfection(1)
    record["answers"]["photo_after"] = "after.jpg"
    district.send(record)
    district.intake()
    assert district.verdict(record)["status"] == "accepted_with_warnings"
    assert "ATTACHMENT_MISSING" in rules(district.verdict(record))


@on_both
def test_a_second_revision_is_quarantined_while_the_first_verdict_stands(district: District) -> None:
    record = visit(1, residents=3)
    district.send(record)
    district.intake()
    inbox = district.store.open(f"inbox-{ALPHA}")
    rewritten = inbox.get(record["_id"])
    rewritten["answers"]["resident_count"] = 40
    inbox.put(rewritten, writer="device:phone-a")
    district.intake()
    assert district.verdict(record)["status"] == "accepted"
    assert value(district, "A9") == 3
    found = queries.record(district.readmodel, district.store, record["_id"])
    assert found is not None
    assert [revision["problem"]["rule"] for revision in found["revisions"]] == ["SECOND_REVISION"]
    assert found["document"]["answers"]["resident_count"] == 3
    assert len(queries.late_revisions(district.readmodel).items) == 1
    district.follower.rebuild()
    assert value(district, "A9") == 3
    assert len(queries.late_revisions(district.readmodel).items) == 1


def test_a_rewriting_that_comes_before_intake_looked_does_not_count_either(district: District) -> None:
    record = visit(1, residents=3)
    district.send(record)
    inbox = district.store.open(f"inbox-{ALPHA}")
    rewritten = inbox.get(record["_id"])
    rewritten["answers"]["resident_count"] = 40
    inbox.put(rewritten, writer="device:phone-a")
    district.intake()
    assert value(district, "A9") == 3


def test_a_deletion_takes_nothing_back(district: District) -> None:
    record = visit(1)
    district.send(record)
    district.intake()
    inbox = district.store.open(f"inbox-{ALPHA}")
    inbox.put(
        {"_id": record["_id"], "_rev": inbox.get(record["_id"])["_rev"], "_deleted": True},
        writer="device:phone-a",
    )
    district.intake()
    assert value(district, "A2") == 1
    assert district.verdict(record)["status"] == "accepted"
    assert queries.late_revisions(district.readmodel).items[0]["deleted"]


@on_both
@pytest.mark.parametrize("original_first", [True, False])
def test_a_correction_replaces_its_original_whichever_comes_first(
    district: District, original_first: bool
) -> None:
    original = visit(1, residents=3)
    fixed = correction(original, visit(2, residents=5, at="11:00"))
    for doc in (original, fixed) if original_first else (fixed, original):
        district.send(doc)
        district.intake()
    assert (value(district, "A2_visits"), value(district, "A9")) == (1, 5)
    assert "summary" not in district.register(ALPHA).get("household:H1")
    assert district.verdict(original)["superseded_by"] == fixed["_id"]
    assert "superseded_by" not in district.verdict(fixed)


def test_a_chain_of_corrections_counts_its_last(district: District) -> None:
    first = visit(1, residents=3)
    second = correction(first, visit(1, residents=4, at="10:00"))
    third = correction(second, visit(1, residents=5, at="11:00"))
    for doc in (third, first, second):
        district.send(doc)
        district.intake()
    assert (value(district, "A2_visits"), value(district, "A9")) == (1, 5)
    found = queries.record(district.readmodel, district.store, first["_id"])
    assert found is not None
    assert [version["record_id"] for version in found["versions"]] == [
        first["_id"],
        second["_id"],
        third["_id"],
    ]


@on_both
def test_two_corrections_of_one_record_are_kept_flagged_and_the_later_counts(district: District) -> None:
    original = visit(1, residents=3)
    early = correction(original, visit(1, residents=4, at="10:00"))
    late = correction(original, visit(1, residents=5, at="12:00"))
    district.send(late, original, early)
    district.intake()
    assert (value(district, "A2_visits"), value(district, "A9")) == (1, 5)
    assert "SIBLING_CORRECTION" in flags(district, early) & flags(district, late)
    assert "SIBLING_CORRECTION" not in flags(district, original)


def test_a_withdrawal_takes_the_record_out_of_every_figure(district: District) -> None:
    original = visit(1)
    district.send(original, withdrawal(original))
    district.intake()
    assert (value(district, "A2_visits"), figure(district, "A4")["numerator"]) == (0, 0)


def test_an_accepted_correction_closes_the_quarantined_original(district: District) -> None:
    wrong = visit(1)
    wrong["answers"]["resident_count"] = "three"
    district.send(wrong)
    district.intake()
    assert district.verdict(wrong)["status"] == "quarantined"
    assert queries.villages_status(district.readmodel, ALPHA, DAY)[0]["quarantined"] == 1
    fixed = correction(wrong, visit(1, at="10:00"))
    district.send(fixed)
    district.intake()
    assert district.verdict(wrong)["superseded_by"] == fixed["_id"]
    assert value(district, "A2") == 1
    assert queries.villages_status(district.readmodel, ALPHA, DAY)[0]["quarantined"] == 0


def test_a_quarantined_correction_replaces_nothing(district: District) -> None:
    original = visit(1, residents=3)
    broken = correction(original, visit(1, residents=4))
    broken["answers"]["resident_count"] = 4000
    district.send(original, broken)
    district.intake()
    assert value(district, "A9") == 3
    assert "superseded_by" not in district.verdict(original)


@on_both
@pytest.mark.parametrize("original_first", [True, False])
def test_nobody_replaces_another_villages_record(district: District, original_first: bool) -> None:
    alices = visit(1)
    bobs = correction(alices, visit(1, code=BETA))
    for doc in (alices, bobs) if original_first else (bobs, alices):
        district.send(doc)
        district.intake()
    assert value(district, "A2", ALPHA) == 1
    assert "superseded_by" not in district.verdict(alices)
    if original_first:
        assert "SUPERSEDES_FOREIGN" in rules(district.verdict(bobs))


def test_a_phone_of_two_villages_moves_its_record_from_one_to_the_other(district: District) -> None:
    wrong_village = visit(1, phone="phone-ab")
    right = correction(wrong_village, visit(1, code=BETA, phone="phone-ab"))
    district.send(wrong_village, right)
    district.intake()
    assert (value(district, "A2", ALPHA), value(district, "A2", BETA)) == (0, 1)


def test_a_correction_from_another_phone_of_the_village_counts_and_is_flagged(district: District) -> None:
    original = visit(1, phone="phone-a")
    fixed = correction(original, visit(1, residents=7, at="10:00", phone="phone-a2"))
    district.send(original, fixed)
    district.intake()
    assert value(district, "A9") == 7
    assert rules(district.verdict(fixed)) == {"SUPERSEDES_OTHER_DEVICE"}


def test_records_that_correct_each_other_or_themselves_stop_nothing(district: District) -> None:
    one, other, own = visit(1), visit(2), visit(3)
    one, other, own = correction(other, one), correction(one, other), correction(own, own)
    for doc in (one, other, own):
        district.send(doc)
        district.intake()
    statuses = {doc["answers"]["household_id"]: rules(district.verdict(doc)) for doc in (one, other, own)}
    assert "SUPERSEDES_CYCLE" in statuses["H2"] | statuses["H1"]
    assert "SUPERSEDES_CYCLE" in statuses["H3"]
    assert value(district, "A2_visits") == 1


@on_both
def test_a_double_issue_flags_both_records_and_counts_the_entry_once(district: District) -> None:
    first, second = delivery(1), delivery(1, phone="phone-a2", at="15:00")
    district.send(first, second)
    district.intake()
    assert "V031" in flags(district, first) & flags(district, second)
    assert (value(district, "D2"), value(district, "D5")) == (1, 1)
    assert figure(district, "D3")["parts"]["RICE_BAG"]["numerator"] == 2
    district.send(withdrawal(second))
    district.intake()
    assert "V031" not in flags(district, first)
    assert value(district, "D5") == 0


@on_both
def test_an_entry_that_got_half_is_partial_and_stays_outstanding(district: District) -> None:
    half = delivery(1, rice=0)
    half["answers"]["delivery_result"] = "partial"
    district.send(half)
    district.intake()
    assert (value(district, "D2"), value(district, "D4"), value(district, "D4_partial")) == (0, 3, 1)
    assert district.register(ALPHA).get("roster:love:90101")["summary"]["state"] == "partial"
    district.send(delivery(1, veg=0, day="2020-02-11"))
    district.intake()
    assert value(district, "D2") == 0
    assert value(district, "D2", day="2020-02-11") == 1
    outstanding = queries.roster_outstanding(district.readmodel, ALPHA).items
    assert [item["roster_entry_id"] for item in outstanding] == ["love:90102"]


def test_a_household_that_is_on_the_roster_twice_is_flagged_also_when_the_second_entry_comes_later(
    district: District,
) -> None:
    record = delivery(1)
    district.send(record)
    district.intake()
    assert "DOUBLE_ROSTER" not in flags(district, record)
    district.put(district.register(ALPHA), roster_entry(ALPHA, 9, household_id="H1"))
    district.intake()
    assert "DOUBLE_ROSTER" in flags(district, record)


def test_a_roster_entry_served_by_the_neighbouring_village_counts_where_the_entry_is(
    district: District,
) -> None:
    record = delivery(1, phone="phone-ab")
    record["answers"]["roster_entry_id"] = "love:90201"
    district.send(record)
    district.intake()
    assert district.verdict(record)["status"] == "accepted_with_warnings"
    assert (value(district, "D2", ALPHA), value(district, "D2", BETA)) == (0, 1)


def test_two_phones_that_log_one_disinfection_are_flagged(district: District) -> None:
    one, other = disinfection(1, at="10:00"), disinfection(1, at="10:08", phone="phone-a2")
    apart = disinfection(1, at="10:25", phone="phone-a2")
    district.send(one, other, apart)
    district.intake()
    assert "DUPLICATE_DISINFECTION" in flags(district, one) & flags(district, other)
    assert "DUPLICATE_DISINFECTION" not in flags(district, apart)
    assert (value(district, "C1"), value(district, "C2"), value(district, "C2'")) == (3, 300, 100)


def test_two_visits_that_disagree_about_a_fever_are_flagged_and_the_alert_stays(district: District) -> None:
    yes, no = visit(1, fever="yes"), visit(1, at="15:00", phone="phone-a2")
    district.send(yes, no)
    district.intake()
    assert "FEVER_CONFLICT" in flags(district, yes) & flags(district, no)
    assert value(district, "B_fever") == 1


def test_a_position_far_from_the_household_is_flagged(district: District) -> None:
    register = district.register(ALPHA)
    register.put({**register.get("household:H1"), "lat": 36.49, "lon": 117.86}, writer="server")
    far, near = (
        visit(1, gps={"lat": 36.52, "lon": 117.86, "accuracy_m": 10}),
        visit(1, gps={"lat": 36.491, "lon": 117.86, "accuracy_m": 9}),
    )
    district.send(far, near)
    district.intake()
    assert (rules(district.verdict(far)), rules(district.verdict(near))) == ({"GPS_FAR"}, set())


@on_both
def test_points_are_overdue_by_their_own_interval_at_the_moment_asked(district: District) -> None:
    district.send(disinfection(1, at="08:00", ended="09:00"))
    district.intake()
    at = {"2020-02-11T00:59:00.000Z": 3, "2020-02-11T01:01:00.000Z": 4}
    assert {now: len(queries.points_overdue(district.readmodel, DISTRICT, now).items) for now in at} == at
    assert {
        now: queries.figures(district.readmodel, DISTRICT, now[:10], ["C3"], now=now)["C3"]["value"]
        for now in at
    } == at


def test_a_new_household_enlarges_the_denominator_from_its_day(district: District) -> None:
    district.send(visit(None, "no_answer"))
    district.intake()
    assert (value(district, "A1", day="2020-02-09"), value(district, "A1")) == (10, 11)
    listed = queries.not_reached(district.readmodel, ALPHA, DAY, None, 100).items
    assert [item["attempts"] for item in listed] == [0, 0, 0, 0, 0, 1]


@on_both
def test_a_review_returns_a_record_and_a_later_one_accepts_it_again(district: District) -> None:
    record = visit(1)
    district.send(record)
    district.intake()
    review.write(district.store, record["_id"], "returned", "请核对人数", "chen")
    district.intake()
    verdict = district.verdict(record)
    assert (verdict["status"], verdict["comment"], verdict["decided_by"]) == (
        "returned",
        "请核对人数",
        "staff:chen",
    )
    assert value(district, "A2") == 0
    district.follower.rebuild()
    assert value(district, "A2") == 0
    review.write(district.store, record["_id"], "accepted", "", "chen")
    district.intake()
    assert district.verdict(record)["status"] == "accepted"
    assert value(district, "A2") == 1


def test_staff_cannot_accept_what_cannot_be_counted(district: District) -> None:
    district.send({"_id": "shopping list", "milk": 1}, village=ALPHA, phone="phone-a")
    district.intake()
    review.write(district.store, "shopping list", "accepted", "", "chen")
    district.intake()
    assert district.verdict("shopping list")["status"] == "quarantined"


def test_a_recheck_accepts_what_was_quarantined_for_a_cause_that_is_gone(district: District) -> None:
    record = visit(1, filler_id="F777")
    district.send(record)
    district.intake()
    assert district.follower.recheck() == 0
    district.put(district.register(ALPHA), {**filler(ALPHA), "_id": "filler:F777", "filler_id": "F777"})
    assert district.follower.recheck() == 1
    assert district.verdict(record)["status"] == "accepted"
    assert value(district, "A2") == 1


@on_both
def test_a_rebuild_keeps_the_verdicts_that_stand(district: District) -> None:
    good, bad = visit(1), visit(2, filler_id="F777")
    district.send(good, bad)
    district.intake()
    district.put(district.register(ALPHA), {**filler(ALPHA), "_id": "filler:F777", "filler_id": "F777"})
    before = {doc["_id"]: district.verdict(doc) for doc in (good, bad)}
    district.follower.rebuild()
    assert {doc["_id"]: district.verdict(doc) for doc in (good, bad)} == before
    assert value(district, "A2") == 1


def test_villages_may_use_the_same_household_numbers(district: District) -> None:
    district.send(visit(1, residents=2), visit(1, residents=3, code=BETA))
    district.intake()
    assert (value(district, "A9", ALPHA), value(district, "A9", BETA), value(district, "A9")) == (2, 3, 5)


def test_a_household_that_leaves_the_register_leaves_coverage_and_not_the_days_count(
    district: District,
) -> None:
    district.send(visit(1))
    district.intake()
    register = district.register(ALPHA)
    register.put({**register.get("household:H1"), "active_to": DAY}, writer="server")
    district.intake()
    assert (figure(district, "A4")["numerator"], value(district, "A1")) == (1, 10)
    assert (
        figure(district, "A4", day="2020-02-11")["numerator"],
        value(district, "A1", day="2020-02-11"),
    ) == (0, 9)
    assert value(district, "A2") == 1


@on_both
def test_a_village_that_moves_to_another_town_takes_its_figures_along(district: District) -> None:
    district.send(visit(1))
    district.intake()
    other = "370304103"
    office = district.store.open("office")
    district.put(
        office, {"_id": f"area:{other}", "type": "area", "code": other, "name": "白塔镇", "level": "town"}
    )
    district.put(office, {**office.get(f"area:{ALPHA}"), "parent_code": other})
    district.intake()
    assert (value(district, "A2", other), value(district, "A2", "370304102"), value(district, "A2")) == (
        1,
        0,
        1,
    )
    rows = queries.area_table(district.readmodel, DISTRICT, DAY, ["A2"])
    assert {row["area"]["code"]: row["figures"]["A2"]["value"] for row in rows} == {other: 1, "370304102": 0}


@on_both
def test_a_trend_gives_every_day_of_its_span(district: District) -> None:
    district.send(visit(1), visit(2, day="2020-02-12"))
    district.intake()
    points = queries.trend(district.readmodel, DISTRICT, "A4", "2020-02-09", "2020-02-12")
    assert [point["value"] for point in points] == [0.0, 10.0, 10.0, 20.0]
    daily = queries.trend(district.readmodel, DISTRICT, "A2", "2020-02-09", "2020-02-12")
    assert [point["value"] for point in daily] == [0, 1, 0, 1]


@on_both
def test_pages_of_records_follow_on_without_a_gap_or_a_repeat(district: District) -> None:
    sent = [visit(number, at=f"1{number}:00") for number in range(1, 6)]
    district.send(*sent)
    district.intake()
    seen, cursor = [], None
    while True:
        page = queries.records(district.readmodel, RecordFilters(form_id="household_visit"), cursor, 2)
        seen += [item["record_id"] for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert sorted(seen) == sorted(doc["_id"] for doc in sent)
    first = queries.records(district.readmodel, RecordFilters(), None, 1).next_cursor
    with pytest.raises(queries.BadCursor):
        queries.records(district.readmodel, RecordFilters(status="accepted"), first, 1)


@on_both
def test_an_export_has_the_columns_of_all_versions_and_every_record(district: District) -> None:
    form = json.loads(json.dumps(next(form for form in COMPILED if form["form_id"] == "household_visit")))
    form["survey"].append(
        {"name": "later_question", "type": "text", "pii": "P0", "label": {"zh": "后加", "en": "Later"}}
    )
    district.put(
        district.store.ensure("catalogue"),
        {**form, "_id": "form:household_visit:2", "type": "form", "version": "2"},
    )
    good, bad = visit(1), visit(2, filler_id="nobody")
    district.send(good, bad)
    district.intake()
    rows = list(queries.export_rows(district.readmodel, "household_visit"))
    assert [(row["record_id"], row["status"], row["household_id"]) for row in rows] == [
        (good["_id"], "accepted", "H1"),
        (bad["_id"], "quarantined", "H2"),
    ]
    assert all(set(row) == set(queries.export_columns(district.readmodel, "household_visit")) for row in rows)
    assert "later_question" in rows[0]
