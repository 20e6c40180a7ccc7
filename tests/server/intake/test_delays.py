"""How long records take from their making to the server: quantiles of villages, days and forms together."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.readmodel import queries
from tests.searching import searched
from tests.server.bulletins.times import received
from tests.server.intake.district import (
    ALPHA,
    BETA,
    DAY,
    DISTRICT,
    District,
    disinfection,
    on_both,
    visit,
    withdrawal,
)
from tests.server.intake.slow_figures import slow_percentile
from tests.server.intake.test_figures_property import a_district

NEXT_DAY = "2020-02-11"
MINUTES = st.one_of(st.integers(1, 300), st.integers(1, 30_000), st.sampled_from([120, 121, 20_160, 20_161]))
SENT = st.lists(
    st.tuples(st.sampled_from([ALPHA, BETA]), st.sampled_from([DAY, NEXT_DAY]), MINUTES), max_size=12
)


def send_after(district: District, record: dict[str, Any], minutes: float, skew_s: int = 0) -> None:
    """What arrives so long after it was made; a wrong clock of the phone says another time."""
    made = datetime.fromisoformat(record["captured_at"]) - timedelta(seconds=skew_s)
    with received(made + timedelta(minutes=minutes)):
        district.send(record | ({"clock_skew_s": skew_s} if skew_s else {}))


def quantiles(district: District, area: str, day: str = DAY) -> tuple[Any, Any]:
    found = queries.figures(district.readmodel, area, day, ["J1_median", "J1_p95"])
    return found["J1_median"]["value"], found["J1_p95"]["value"]


@searched(8)
@given(sent=SENT)
def test_median_and_percentile_are_the_range_s_end_of_the_slow_count(
    sent: list[tuple[str, str, int]],
) -> None:
    with a_district() as district:
        for code, day, minutes in sent:
            send_after(district, visit(1, code=code, day=day), minutes)
        district.intake()
        for area, villages in ((ALPHA, {ALPHA}), (BETA, {BETA}), (DISTRICT, {ALPHA, BETA})):
            for day, days in ((DAY, {DAY}), (NEXT_DAY, {NEXT_DAY})):
                delays = [each for code, on, each in sent if code in villages and on in days]
                expected = slow_percentile(delays, 50), slow_percentile(delays, 95)
                assert quantiles(district, area, day) == expected
            week = [each for code, _, each in sent if code in villages]
            found = queries.figures(district.readmodel, area, NEXT_DAY, ["J1_p95"])["J1_p95"]
            assert found["seven_days"]["value"] == slow_percentile(week, 95)


@on_both
def test_forms_count_together_and_the_phone_s_wrong_clock_makes_no_delay(district: District) -> None:
    send_after(district, visit(1), 4, skew_s=7200)
    send_after(district, disinfection(1, 50, "09:10"), 100)
    send_after(district, visit(2, code=BETA), 15)
    district.intake()
    assert quantiles(district, ALPHA) == (5, 120)
    assert quantiles(district, DISTRICT) == (15, 120)
    parts = queries.figures(district.readmodel, DISTRICT, DAY, ["J1_median"])["J1_median"]["parts"]
    assert parts == {"5": {"value": 1}, "15": {"value": 1}, "120": {"value": 1}}


def test_what_is_withdrawn_leaves_and_a_day_without_records_has_no_median(district: District) -> None:
    record = visit(1)
    send_after(district, record, 30)
    district.intake()
    assert quantiles(district, ALPHA) == (30, 30)
    district.send(withdrawal(record))
    district.intake()
    assert quantiles(district, ALPHA) == (None, None)


@pytest.mark.parametrize(("minutes", "told"), [(0, 1), (1, 1), (1.01, 2), (60 * 24 * 90, 20_160)])
def test_what_lies_outside_the_ranges_counts_in_the_first_or_the_last(
    district: District, minutes: float, told: int
) -> None:
    send_after(district, visit(1), minutes)
    district.intake()
    assert quantiles(district, ALPHA) == (told, told)
