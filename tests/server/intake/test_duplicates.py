"""Two records that may say the same: who is suspected, what clerks decide. Chen and Ding decide; Alice's
phones are `phone-a` and `phone-a2`."""

from __future__ import annotations

from typing import Any

import pytest

from server.intake import duplicates, review
from server.readmodel import queries
from server.readmodel.suspects import PARTNERS_MAX
from tests.server.bulletins.test_as_of import figures_now
from tests.server.intake.district import (
    ALPHA,
    DISTRICT,
    District,
    correction,
    delivery,
    disinfection,
    on_both,
    visit,
    withdrawal,
)


def suspected(district: District, area: str = DISTRICT, rule: str | None = None) -> list[set[str]]:
    found = queries.suspected_pairs(district.readmodel, queries.PairFilters(area, rule)).items
    return [set(item["record_ids"]) for item in found]


def ids(*docs: dict[str, Any]) -> set[str]:
    return {str(doc["_id"]) for doc in docs}


def decide(
    district: District, kept: dict[str, Any] | None, number: int = 1, by: str = "chen"
) -> duplicates.Decision:
    """About the only pair that waits; None keeps both."""
    (item,) = queries.suspected_pairs(district.readmodel, queries.PairFilters(DISTRICT)).items
    first, second = item["record_ids"]
    stays = kept["_id"] if kept else ""
    gone = (second if stays == first else first) if kept else ""
    decision = duplicates.Decision(
        item["pair"], number, (first, second), ALPHA, "重复填报", by, duplicates.now(), stays, gone
    )
    duplicates.write(district.store, decision)
    district.intake()
    return decision


def sent(district: District, *docs: dict[str, Any]) -> None:
    district.send(*docs)
    district.intake()


TWICE = [
    (visit(1), visit(1, "phone_ok", at="15:00", phone="phone-a2")),
    (disinfection(1, at="10:00"), disinfection(1, at="10:08", phone="phone-a2")),
    (delivery(1), delivery(1, at="15:00", phone="phone-a2", day="2020-02-11")),
]


@on_both
@pytest.mark.parametrize("twice", TWICE, ids=["visit", "disinfection", "delivery"])
def test_a_merge_leaves_the_figures_as_if_the_other_had_never_come(
    district: District, twice: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    one, other = twice
    sent(district, one)
    alone = figures_now(district)
    sent(district, other)
    assert suspected(district) == [ids(one, other)]
    both = figures_now(district)
    decide(district, one)
    assert suspected(district) == []
    assert figures_now(district) == alone
    voided = district.verdict(other)["voided"]
    assert (voided["duplicate_of"], voided["by"], voided["reason"]) == (one["_id"], "staff:chen", "重复填报")
    assert "voided" not in district.verdict(one)
    district.follower.rebuild()
    assert (figures_now(district), suspected(district)) == (alone, [])
    review.write(district.store, other["_id"], "restored", "", "chen")
    district.intake()
    assert figures_now(district) == both
    assert suspected(district) == [ids(one, other)]  # whoever takes a merge back is asked again


@pytest.mark.parametrize(
    "apart",
    [
        (visit(1, "no_answer"), visit(1, at="15:00")),
        (visit(1), visit(1, day="2020-02-11")),
        (visit(1), visit(2)),
        (disinfection(1, at="10:00"), disinfection(1, at="10:08")),
        (disinfection(1, at="10:00"), disinfection(1, at="10:25", phone="phone-a2")),
        (delivery(1, rice=0), delivery(1, veg=0, at="15:00")),
    ],
)
def test_what_may_well_have_happened_twice_is_not_suspected(
    district: District, apart: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    sent(district, *apart)
    assert suspected(district) == []


@on_both
def test_a_pair_that_is_kept_is_not_asked_about_again_not_even_after_a_correction(district: District) -> None:
    one, other = TWICE[0]
    sent(district, one, other)
    decide(district, None)
    assert suspected(district) == []
    assert "voided" not in district.verdict(other)
    district.follower.rebuild()
    sent(district, correction(other, visit(1, residents=9, at="16:00", phone="phone-a2")))
    assert suspected(district) == []
    third = visit(1, at="17:00")
    sent(district, third)
    assert [third["_id"] in pair for pair in suspected(district)] == [True, True]


def test_of_two_clerks_the_second_finds_what_the_first_decided(district: District) -> None:
    one, other = TWICE[0]
    sent(district, one, other)
    first = decide(district, one)
    late = duplicates.Decision(
        first.pair, 1, first.record_ids, ALPHA, "", "ding", duplicates.now(), other["_id"], one["_id"]
    )
    with pytest.raises(duplicates.Taken) as taken:
        duplicates.write(district.store, late)
    assert taken.value.decision == first
    district.intake()
    assert "voided" not in district.verdict(one)


def test_a_later_decision_about_a_pair_replaces_the_earlier_one(district: District) -> None:
    one, other = TWICE[0]
    sent(district, one, other)
    first = decide(district, None)
    merge = duplicates.Decision(
        first.pair,
        2,
        first.record_ids,
        ALPHA,
        "核实为同一次",
        "ding",
        duplicates.now(),
        one["_id"],
        other["_id"],
    )
    duplicates.write(district.store, merge)
    district.intake()
    assert district.verdict(other)["voided"]["reason"] == "核实为同一次"
    found = queries.decided_pairs(district.readmodel, queries.PairFilters(ALPHA)).items
    assert [item["decision"]["number"] for item in found] == [2]


def test_a_pair_is_gone_when_one_of_it_is_withdrawn_or_moved_to_another_household(district: District) -> None:
    for mend in (withdrawal, lambda doc: correction(doc, visit(2, at="16:00", phone="phone-a2"))):
        one, other = visit(1), visit(1, at="15:00", phone="phone-a2")
        sent(district, one, other)
        assert suspected(district) == [ids(one, other)]
        sent(district, mend(other))
        assert suspected(district) == []
        sent(district, withdrawal(one))


def test_a_flood_of_records_about_one_household_stays_a_list_that_one_can_work_off(
    district: District,
) -> None:
    many = 30
    sent(district, *(visit(1, at=f"09:{minute:02}") for minute in range(many)))
    found = queries.suspected_pairs(district.readmodel, queries.PairFilters(ALPHA), limit=1000).items
    assert many - 1 <= len(found) <= many * PARTNERS_MAX


def test_pairs_come_page_by_page_each_once_and_by_rule(district: District) -> None:
    for number in (1, 2, 3):
        sent(district, visit(number), visit(number, at=f"1{number}:00"))
    sent(district, *TWICE[1])
    filters = queries.PairFilters(ALPHA)
    seen, cursor = [], None
    while True:
        page = queries.suspected_pairs(district.readmodel, filters, cursor, 1)
        seen += [item["pair"] for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 4
    assert len(suspected(district, rule="disinfected_twice")) == 1
    with pytest.raises(queries.BadCursor):
        queries.suspected_pairs(district.readmodel, queries.PairFilters(DISTRICT), "nonsense")


@pytest.mark.parametrize(
    "broken",
    [
        {"record_ids": ["a"]},
        {"record_ids": "ab"},
        {"kept": "a", "voided": "c"},
        {"kept": ["a"]},
        {"_id": "duplicate:pair:first"},
        {"written_at": ""},
    ],
)
def test_a_document_that_is_no_decision_decides_nothing(broken: dict[str, Any]) -> None:
    doc = {"_id": "duplicate:pair:0001", "pair": "pair", "record_ids": ["a", "b"], "written_at": "2020"}
    assert duplicates.read(doc) is not None
    assert duplicates.read(doc | broken) is None
