"""Staff take records out of the figures, and put them back. Chen reviews; Alice's phone is `phone-a`."""

from __future__ import annotations

from typing import Any

import pytest

from server.intake import review
from server.readmodel import queries
from tests.server.bulletins.test_as_of import figures_at, figures_now, looked_back, moment_between, waiting
from tests.server.intake.district import (
    ALPHA,
    DAY,
    District,
    correction,
    delivery,
    disinfection,
    naming,
    on_both,
    person,
    rules,
    visit,
    withdrawal,
)
from tests.server.intake.test_rebuild import contents


def void(district: District, record: dict[str, Any], reason: str = "培训时填的测试数据") -> None:
    review.write(district.store, record["_id"], "voided", reason, "chen")
    district.intake()


def restore(district: District, record: dict[str, Any]) -> None:
    review.write(district.store, record["_id"], "restored", "", "chen")
    district.intake()


def item(district: District, record: dict[str, Any]) -> dict[str, Any]:
    found = queries.record(district.readmodel, district.store, record["_id"])
    assert found is not None
    return found


def problems(district: District, record: dict[str, Any]) -> set[str]:
    return {problem["rule"] for problem in item(district, record)["problems"]}


RECORDS = [
    naming(visit(1, fever="yes"), person(DAY, "钱七", "fever", "key_area")),
    visit(None),
    disinfection(1),
    delivery(1),
    visit(2, "phone_ok", clock_skew_s=3600),
]


@on_both
@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record["_id"][:24])
def test_a_void_takes_a_record_out_of_every_figure_and_its_return_brings_all_back(
    district: District, record: dict[str, Any]
) -> None:
    district.send(visit(3), disinfection(1, at="08:00", ended="08:20"))
    district.intake()
    without = figures_now(district)
    district.send(record)
    district.intake()
    status, counted = district.verdict(record)["status"], figures_now(district)
    assert counted != without
    void(district, record)
    assert figures_now(district) == without
    verdict = district.verdict(record)
    assert verdict["status"] == status
    assert verdict["voided"]["by"] == "staff:chen"
    assert verdict["voided"]["reason"] == "培训时填的测试数据"
    out = contents(district)["records"]
    district.follower.rebuild()
    assert (figures_now(district), contents(district)["records"]) == (without, out)
    restore(district, record)
    assert figures_now(district) == counted
    assert "voided" not in district.verdict(record)
    assert district.verdict(record)["status"] == status


def test_a_void_that_is_written_before_its_record_arrives_holds(district: District) -> None:
    record = visit(1)
    void(district, record)
    district.send(record)
    district.intake()
    assert district.verdict(record)["voided"]["by"] == "staff:chen"
    assert not item(district, record)["effective"]


def test_a_void_without_its_reason_is_refused(district: District) -> None:
    with pytest.raises(ValueError, match="reason"):
        review.write(district.store, visit(1)["_id"], "voided", "", "chen")


def test_accepting_or_returning_a_voided_record_ends_the_void(district: District) -> None:
    for status, effective in (("accepted", True), ("returned", False)):
        record = visit(1)
        district.send(record)
        district.intake()
        void(district, record)
        review.write(district.store, record["_id"], status, "请核对", "chen")  # type: ignore[arg-type]
        district.intake()
        verdict = district.verdict(record)
        assert (verdict["status"], "voided" in verdict) == (status, False)
        assert item(district, record)["effective"] is effective


def test_a_voided_quarantined_record_waits_no_longer_and_waits_again_when_it_is_back(
    district: District,
) -> None:
    wrong = visit(1, residents=99)
    district.send(wrong)
    district.intake()
    with looked_back(district, moment_between()) as found:
        assert waiting(found) == {(ALPHA, "quarantined"): 1}
    void(district, wrong)
    with looked_back(district, moment_between()) as found:
        assert waiting(found) == {}
    assert district.follower.recheck() == 0
    restore(district, wrong)
    with looked_back(district, moment_between()) as found:
        assert waiting(found) == {(ALPHA, "quarantined"): 1}
    assert district.verdict(wrong)["status"] == "quarantined"


def test_voiding_a_correction_does_not_bring_the_original_back(district: District) -> None:
    original = visit(1, residents=3)
    fixed = correction(original, visit(1, residents=5, at="11:00"))
    district.send(original, fixed)
    district.intake()
    void(district, fixed)
    assert queries.figures(district.readmodel, ALPHA, DAY)["A2"]["value"] == 0
    assert district.verdict(original)["superseded_by"] == fixed["_id"]


def test_a_correction_of_a_voided_record_counts_and_is_flagged(district: District) -> None:
    original = visit(1, residents=3)
    district.send(original)
    district.intake()
    void(district, original)
    fixed = correction(original, visit(1, residents=5, at="11:00"))
    district.send(fixed)
    district.intake()
    assert queries.figures(district.readmodel, ALPHA, DAY)["A9"]["value"] == 5
    assert "CORRECTS_VOIDED" in problems(district, fixed)
    restore(district, original)
    assert "CORRECTS_VOIDED" not in problems(district, fixed)


def test_withdrawing_what_staff_voided_changes_nothing(district: District) -> None:
    original = visit(1)
    district.send(original)
    district.intake()
    void(district, original)
    gone = withdrawal(original)
    district.send(gone)
    district.intake()
    assert queries.figures(district.readmodel, ALPHA, DAY)["A2"]["value"] == 0
    assert "CORRECTS_VOIDED" not in problems(district, gone)
    assert item(district, gone)["void"] is None and item(district, gone)["voided"]


def test_a_void_takes_the_flags_of_the_others_back(district: District) -> None:
    first, second = delivery(1), delivery(1, phone="phone-a2", at="15:00")
    district.send(first, second)
    district.intake()
    assert "V031" in problems(district, first)
    void(district, second)
    assert "V031" not in problems(district, first)


def test_who_looks_back_over_a_void_sees_the_moment_without_the_voided_record(district: District) -> None:
    """Verdicts are those of now: docs/bulletins.md."""
    district.send(visit(1), visit(2))
    district.intake()
    moment = moment_between()
    gone = visit(3)
    district.send(gone)
    district.intake()
    with looked_back(district, moment) as found:
        before = figures_at(found)
    void(district, gone)
    with looked_back(district, moment) as found:
        assert figures_at(found) == before


def test_reviews_that_are_no_reviews_are_passed_over(district: District) -> None:
    record = visit(1)
    district.send(record)
    office = district.store.ensure("office")
    for number, broken in enumerate(
        [{"status": "deleted"}, {"written_at": 7}, {"record_id": None}, {"status": ["voided"]}]
    ):
        doc = {"type": "review", "record_id": record["_id"], "status": "voided", "written_at": "2020-02-10"}
        office.put({**doc, "_id": f"review:{record['_id']}:{number}", **broken}, writer="server")
    district.intake()
    assert rules(district.verdict(record)) == set()
    assert "voided" not in district.verdict(record)
