"""Whatever a figure says, the rows behind it add up to it: over random histories, every indicator, area, day,
span, side and part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.readmodel import queries
from server.readmodel.declaration import read_declaration
from server.readmodel.sides import Side, side, sides_of
from tests.postgres import Postgres
from tests.searching import searched
from tests.server.intake.district import ALPHA, BETA, DISTRICT, TOWN, District
from tests.server.intake.slow_figures import effective
from tests.server.intake.test_figures_property import (
    DAYS,
    a_district,
    histories,
    publish,
)

INDICATORS = read_declaration().indicators
AREAS = {ALPHA: {ALPHA}, BETA: {BETA}, TOWN: {ALPHA, BETA}, DISTRICT: {ALPHA, BETA}}
GRIDS = [f"{ALPHA}01", f"{ALPHA}02"]
RECORDS_OF = {"A2_visits": "household_visit", "C1": "disinfection_log", "C2": "disinfection_log"}


def every_side(figures: dict[str, Any], day: str, spans: Sequence[str]) -> Iterator[tuple[Side, float]]:
    """Each number of the figures, and what it is."""
    for name, indicator in INDICATORS.items():
        for span in spans:
            if span == "week" and indicator.cumulative:
                continue
            told = figures[name] if span == "day" else figures[name]["seven_days"]
            for of in sides_of(indicator):
                yield side(indicator, day, span, of), told[of]
            for part, said in told.get("parts", {}).items():
                for of in sides_of(indicator, part):
                    value = said["value"] if indicator.percentile is not None else said[of]
                    yield side(indicator, day, span, of, part), value


def the_rows_add_up(district: District, day: str) -> None:
    for code in AREAS:
        figures = queries.figures(district.readmodel, code, day)
        for each, told in every_side(figures, day, ("day", "week")):
            found = queries.behind_total(district.readmodel, each, code)
            assert found["figure"] == pytest.approx(told, abs=1e-6), (each, code)
            assert found["sum"] == pytest.approx(told, abs=1e-6), (each, code)


def the_pages_list_them(district: District, docs: list[dict[str, Any]], day: str) -> None:
    for code, villages in AREAS.items():
        counted = [doc for doc in effective(docs) if doc["village_code"] in villages]
        for name, form_id in RECORDS_OF.items():
            each = side(INDICATORS[name], day)
            rows = all_rows(district, each, code)
            listed = {record["record_id"] for row in rows for record in row["records"]}
            of_day = {doc["_id"] for doc in counted if doc["form_id"] == form_id and doc["work_date"] == day}
            assert listed == of_day, (name, code, day)
            assert {row["village_code"] for row in rows} == {
                doc["village_code"] for doc in counted if doc["_id"] in of_day
            }


def all_rows(district: District, each: Side, code: str, grid: str | None = None) -> list[dict[str, Any]]:
    """Page by page, two rows at a time."""
    rows, cursor = [], None
    while True:
        page = queries.behind(district.readmodel, each, code, grid, cursor, 2)
        rows += page.items
        cursor = page.next_cursor
        if cursor is None:
            return rows


def the_grids_add_up(district: District, day: str) -> None:
    """Figures, and the rows behind each grid's."""
    figures = queries.figures(district.readmodel, ALPHA, day)
    table = queries.area_table(district.readmodel, ALPHA, day)
    assert [row["area"]["code"] for row in table][:2] == GRIDS
    for each, told in every_side(figures, day, ("day", "week")):
        of_grids = [(row["area"]["code"], each.told(row["figures"][each.indicator.id])) for row in table]
        assert sum(value for _, value in of_grids) == pytest.approx(told, abs=1e-6), each
    for name in ("A2_visits", "A3", "B1", "C1", "D2"):
        each = side(INDICATORS[name], day)
        for row in table:
            rows = all_rows(district, each, ALPHA, row["area"]["code"])
            assert sum(item["amount"] for item in rows) == row["figures"][name]["value"]


def with_grids(district: District) -> None:
    office = district.store.ensure("office")
    for code in GRIDS:
        district.put(
            office,
            {
                "_id": f"area:{code}",
                "type": "area",
                "code": code,
                "name": f"网格{code[-1]}",
                "level": "grid",
                "parent_code": ALPHA,
            },
        )


GRID_OF_RECORDS = st.sampled_from([None, GRIDS[0], GRIDS[1], "nowhere"])


def rows_agree(docs: list[dict[str, Any]], data: st.DataObject, url: str | None = None) -> None:
    with a_district(url) as district:
        with_grids(district)
        publish(district)
        for doc in docs:
            grid = data.draw(GRID_OF_RECORDS)
            district.send({**doc, "grid_code": grid} if grid else doc)
        district.intake()
        day = data.draw(st.sampled_from(DAYS))
        the_rows_add_up(district, day)
        the_pages_list_them(district, docs, day)
        the_grids_add_up(district, day)


@searched(4)
@given(docs=histories(), data=st.data())
def test_the_rows_behind_a_figure_add_up_to_it_and_grids_to_their_village(
    docs: list[dict[str, Any]], data: st.DataObject
) -> None:
    rows_agree(docs, data)


@searched(1)
@given(docs=histories(), data=st.data())
def test_they_do_on_postgresql_too(
    postgres: Postgres, docs: list[dict[str, Any]], data: st.DataObject
) -> None:
    rows_agree(docs, data, postgres.new_database())
