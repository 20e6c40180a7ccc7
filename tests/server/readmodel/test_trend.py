"""A trend over cells is what is told of each of its days alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from server.readmodel.declaration import read_declaration
from server.readmodel.figures import Sums, add_to, figure, scopes_of, week_start
from server.readmodel.trend import days_between, values_by_day

BEFORE = days_between("2020-02-01", "2020-03-02")  # over the leap day
ASKED = BEFORE[-20:]
CELLS = st.dictionaries(
    st.tuples(
        st.sampled_from(["mixes", "mixes_right", "points", "points_in_interval"]), st.sampled_from(BEFORE)
    ),
    st.integers(1, 9).map(lambda count: count * 1_000_000),
)


@given(CELLS, st.sampled_from(["C1", "C3", "C5"]))
def test_each_day_has_the_figure_and_the_seven_days_that_end_with_it(
    cells: dict[tuple[str, str], int], name: str
) -> None:
    indicator = read_declaration().indicators[name]
    rows = [(component, "", day, value) for (component, day), value in cells.items()]
    for point in values_by_day(indicator, rows, ASKED):
        sums: Sums = {}
        for component, part, on, value in rows:
            for scope in scopes_of(on, point["day"], week_start(point["day"])):
                add_to(sums, scope, component, part, value)
        alone = figure(indicator, sums)
        assert point["value"] == alone["value"]
        assert point.get("seven_days") == alone.get("seven_days", {}).get("value")


def test_seven_days_are_the_day_and_the_six_before() -> None:
    assert week_start("2020-03-02") == "2020-02-25"
    assert scopes_of("2020-02-25", "2020-03-02", "2020-02-25") == ("week", "so_far")
    assert scopes_of("2020-02-24", "2020-03-02", "2020-02-25") == ("so_far",)
    assert scopes_of("2020-03-03", "2020-03-02", "2020-02-25") == ()
