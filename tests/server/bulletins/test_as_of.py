"""The figures as of a moment: whatever comes later, they can be told to the last unit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from server import clock
from server.bulletins.as_of import AsOf, as_of
from server.intake.lookups import Lookups
from server.readmodel import queries
from server.readmodel.declaration import read_declaration
from server.readmodel.figures import figure
from server.readmodel.snapshots import snapshot
from tests.searching import searched
from tests.server.bulletins.times import beijing, send
from tests.server.intake.district import (
    ALPHA,
    BETA,
    DAY,
    DISTRICT,
    TOWN,
    District,
    correction,
    delivery,
    disinfection,
    rules,
    visit,
    withdrawal,
)
from tests.server.intake.test_figures_property import DAYS, a_district, histories

AREAS = (DISTRICT, TOWN, ALPHA, BETA)
Figures = dict[tuple[str, str], dict[str, Any]]


def moment_between() -> str:
    """A moment after everything so far and before everything to come."""
    moment = clock.stamp(clock.now())
    while clock.stamp(clock.now()) == moment:
        pass
    return moment


@contextmanager
def looked_back(district: District, moment: str) -> Iterator[AsOf]:
    with snapshot(district.readmodel.engine) as connection:
        yield as_of(connection, read_declaration(), Lookups().settings(connection), moment)


def figures_at(found: AsOf) -> Figures:
    wanted = list(read_declaration().indicators.values())
    return {
        (code, day): {each.id: figure(each, sums) for each in wanted}
        for day in DAYS
        for code, sums in found.sums(AREAS, day, wanted).items()
    }


def figures_now(district: District) -> Figures:
    return {(code, day): queries.figures(district.readmodel, code, day) for day in DAYS for code in AREAS}


def waiting(found: AsOf) -> dict[tuple[str, str], int]:
    return {key: count for key, count in found.waiting.items() if count}


@given(histories(), st.data())
@searched(12)
def test_later_records_in_any_order_leave_the_figures_of_the_moment_as_they_were(
    docs: list[dict[str, Any]], data: st.DataObject
) -> None:
    docs = data.draw(st.permutations(docs))
    early = data.draw(st.integers(0, len(docs)))
    with a_district() as district:
        district.send(*docs[:early])
        district.intake()
        before, moment = figures_now(district), moment_between()
        with looked_back(district, moment) as found:
            waited = waiting(found)
        district.send(*docs[early:])
        district.intake()
        with looked_back(district, moment) as found:
            assert figures_at(found) == before
            assert waiting(found) == waited


def test_a_correction_that_moves_a_visit_to_another_household_counts_from_its_own_arrival(
    district: District,
) -> None:
    first = visit(1, residents=3)
    district.send(first)
    district.intake()
    before, moment = figures_now(district), moment_between()
    district.send(correction(first, visit(2, residents=5)))
    district.intake()
    assert figures_now(district) != before
    with looked_back(district, moment) as found:
        assert figures_at(found) == before


def test_a_quarantined_record_still_waits_at_the_moment_before_its_correction_came(
    district: District,
) -> None:
    wrong = visit(1, residents=99)
    district.send(wrong)
    district.intake()
    assert rules(district.verdict(wrong))
    moment = moment_between()
    district.send(correction(wrong, visit(1, residents=3)))
    district.intake()
    with looked_back(district, moment) as found:
        assert waiting(found) == {(ALPHA, "quarantined"): 1}
    with looked_back(district, moment_between()) as found:
        assert waiting(found) == {}


def test_one_millisecond_decides(district: District) -> None:
    for number, at in ((1, "15:59:59.999"), (2, "16:00:00.000"), (3, "16:00:00.001")):
        send(district, beijing(at), visit(number))
    with looked_back(district, "2020-02-10T08:00:00.000Z") as found:
        assert figures_at(found)[ALPHA, DAY]["A3"]["value"] == 2
        assert found.late_records == 1


def test_late_deliveries_disinfections_and_withdrawals_do_not_reach_back(district: District) -> None:
    gone = visit(3, "refused")
    district.send(visit(1), disinfection(1), delivery(1, veg=1, rice=0), gone, visit(None))
    district.intake()
    before, moment = figures_now(district), moment_between()
    district.send(delivery(1, veg=0, rice=1), disinfection(1, area=300, at="11:00", ended="11:30"))
    district.send(withdrawal(gone), visit(None, code=BETA), visit(1, "no_answer", at="15:00"))
    district.intake()
    with looked_back(district, moment) as found:
        assert figures_at(found) == before
        assert found.late_records == 5
