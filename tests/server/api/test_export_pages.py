"""Reading an export page by page, on each database that the read model can live in."""

import pytest

from server.readmodel.export_queries import Span, count_and_end, export_pages, place_of
from server.readmodel.record_filters import RecordFilters
from tests.server.api.world import World

FILTERS = RecordFilters(form_id="household_visit")

on_both = pytest.mark.parametrize("world", ["sqlite", "postgresql"], indirect=True)


def ids(world: World, span: Span, rows: int, holding: str | None = None) -> list[str]:
    pages = list(export_pages(world.gridbook.readmodel, FILTERS, span, holding, rows))
    assert all(0 < len(page) <= rows for page in pages)
    return [row[0] for page in pages for row in page]


@on_both
def test_pages_of_any_size_are_all_records_once_in_order_of_receipt(world: World) -> None:
    whole = ids(world, Span(), 100)
    assert {world.ids[name] for name in ("visit", "people", "no_answer", "too_hot")} == set(whole)
    for rows in (1, 2, 3, len(whole)):
        assert ids(world, Span(), rows) == whole
    assert ids(world, Span(), 1, '"rep_person"') == [each for each in whole if each in withpeople(world)]


def withpeople(world: World) -> set[str]:
    return {world.ids["people"], world.ids["too_hot"]}


@on_both
def test_a_span_ends_and_begins_at_a_record(world: World) -> None:
    readmodel, whole = world.gridbook.readmodel, ids(world, Span(), 100)
    count, end = count_and_end(readmodel, FILTERS, Span())
    assert count == len(whole) and end is not None and end[1] == whole[-1]
    assert ids(world, Span(after=end), 10) == []
    assert ids(world, Span(until=end), 10) == whole
    first = next(iter(export_pages(readmodel, FILTERS, Span(), None, 1)))[0]
    place = place_of(first)
    assert ids(world, Span(after=place), 2) == whole[1:]
    assert count_and_end(readmodel, FILTERS, Span(after=end)) == (0, None)


@on_both
def test_files_of_every_format_leave_both_databases(world: World) -> None:
    for name in ("csv", "xlsx", "geojson", "parquet"):
        answer = world.get("dong", f"/api/v1/export/household_visit?format={name}")
        assert answer.status_code == 200 and answer.data
    text = world.get("dong", "/api/v1/export/household_visit.csv").data.decode("utf-8-sig")
    assert sum(",true," in line for line in text.splitlines()) == 3
