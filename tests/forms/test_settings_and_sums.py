"""What the district sets decides, and what the forms work out is right."""

from typing import Any

import pytest

from tests.forms.definitions import FORMS, read
from tests.forms.judging import judge


def record(sample: str, **answers: Any) -> dict[str, Any]:
    found: dict[str, Any] = read(FORMS / "samples" / f"{sample}.json")["record"]
    return {**found, "answers": {**found["answers"], **answers}}


def person(sample: str, **answers: Any) -> dict[str, Any]:
    found = record(sample)
    first = {**found["answers"]["rep_person"][0], **answers}
    return {**found, "answers": {**found["answers"], "rep_person": [first]}}


def worked_out(found: dict[str, Any], settings: dict[str, Any] | None = None) -> dict[str, Any]:
    answers: dict[str, Any] = judge(found, settings).record["answers"]
    return answers


def rules(found: dict[str, Any], settings: dict[str, Any] | None = None) -> set[str]:
    return {problem.rule for problem in judge(found, settings).problems}


@pytest.mark.parametrize(("threshold", "fever"), [(37.3, "yes"), (37.6, "yes"), (37.7, "no")])
def test_the_district_decides_what_a_fever_is(threshold: float, fever: str) -> None:
    answers = worked_out(person("household_visit/pass/fever_reported"), {"fever_threshold": threshold})
    assert answers["rep_person"][0]["fever"] == fever


def test_a_second_reading_counts_more_than_the_first() -> None:
    answers = worked_out(person("household_visit/pass/fever_reported", temp_c=39.0, temp2_c=36.9))
    assert answers["rep_person"][0]["temp_effective"] == 36.9
    assert answers["rep_person"][0]["fever"] == "no"


def test_a_fever_that_could_not_be_measured_is_a_fever() -> None:
    unmeasured = person("household_visit/pass/fever_reported", temp_status="refused")
    for name in ("temp_method", "temp_c", "temp2_c", "temp2_method"):
        del unmeasured["answers"]["rep_person"][0][name]
    assert worked_out(unmeasured)["rep_person"][0]["fever"] == "yes"
    assert rules(unmeasured) == set()


@pytest.mark.parametrize(("days", "until"), [(14, "2020-02-29"), (7, "2020-02-22")])
def test_observation_counts_from_the_day_of_arrival(days: int, until: str) -> None:
    answers = worked_out(person("household_visit/pass/key_area_return"), {"observe_days": days})
    assert answers["rep_person"][0]["observe_until"] == until


def test_the_later_of_contact_and_arrival_begins_the_observation() -> None:
    both = person("household_visit/pass/key_area_return", person_reason=["key_area", "contact"])
    both["answers"] |= {"q_contact": "yes"}
    both["answers"]["rep_person"][0] |= {
        "contact_kind": "confirmed", "last_contact_date": "2020-02-18", "actions": ["told_home"],
    }  # fmt: skip
    assert worked_out(both)["rep_person"][0]["observe_until"] == "2020-03-03"
    assert rules(both) == set()


def test_the_district_decides_how_late_a_record_may_be() -> None:
    late = record("household_visit/fail/work_date_too_old")
    assert "V002" in rules(late)
    assert rules(late, {"backlog_days": 15, "late_entry_days": 15}) == set()


def test_the_district_decides_whether_a_photo_is_needed() -> None:
    assert rules(record("disinfection_log/pass/spray_84"), {"photo_after_required": True}) == {"REQUIRED"}


def test_batches_are_asked_only_where_stock_is_registered() -> None:
    with_batch = record("disinfection_log/pass/spray_84", batch_id="B1")
    assert rules(with_batch) == {"IRRELEVANT"}
    assert rules(with_batch, {"stock_register": True}) == {"NOT_IN_LIST"}


def test_the_next_disinfection_follows_the_point_or_else_the_district() -> None:
    assert worked_out(record("disinfection_log/pass/spray_84"))["next_due"] == "2020-02-21T21:45:00+08:00"
    outdoors = record("disinfection_log/pass/outdoor_checkpoint")
    assert worked_out(outdoors)["next_due"] == "2020-02-22T09:45:00+08:00"
    assert worked_out(outdoors, {"disinfect_interval_h": 48})["next_due"] == "2020-02-23T09:45:00+08:00"


@pytest.mark.parametrize(
    ("sample", "concentration"),
    [
        ("spray_84", 495),
        ("powder_48", 521),
        ("tablets", 500),
        ("conc_ratio_0_8", 400),
        ("conc_ratio_1_5", 750),
    ],
)
def test_the_concentration_is_active_agent_over_all_the_liquid(sample: str, concentration: int) -> None:
    answers = worked_out(record(f"disinfection_log/pass/{sample}"))
    assert answers["conc_mgL"] == concentration
    assert answers["conc_ok"] == "yes"


def test_84_mixed_at_1_to_10_is_not_good() -> None:
    answers = worked_out(record("disinfection_log/fail/conc_1_to_10"))
    assert answers["conc_mgL"] == 4545
    assert answers["conc_ok"] == "no"


def test_a_phone_cannot_claim_a_better_concentration() -> None:
    answers = worked_out(record("disinfection_log/fail/conc_1_to_10", conc_mgL=500, conc_ok="yes"))
    assert answers["conc_mgL"] == 4545
    assert answers["conc_ok"] == "no"


def test_what_is_short_is_counted_in_the_unit_that_is_due() -> None:
    answers = worked_out(record("supply_delivery/fail/short_by_weight"))
    assert answers["rep_item"][0]["shortfall_qty"] == 0.5
    assert answers["rep_item"][0]["entitled_unit"] == "kg"


@pytest.mark.parametrize(("household", "shown"), [("H1", "示**"), ("H2", "欧阳**")])
def test_a_head_of_household_is_shown_by_the_family_name(household: str, shown: str) -> None:
    assert (
        worked_out(record("household_visit/pass/uneventful", household_id=household))["head_display"] == shown
    )


def test_need_of_papers_follows_the_reason_alone() -> None:
    moved = worked_out(record("household_visit/pass/moved_in"))
    back = worked_out(record("household_visit/pass/key_area_return"))
    assert [moved["rep_person"][0]["need_id"], back["rep_person"][0]["need_id"]] == ["no", "yes"]


def test_papers_of_a_person_without_need_are_refused() -> None:
    assert rules(person("household_visit/pass/moved_in", id_number="420106198808080006")) == {"IRRELEVANT"}
