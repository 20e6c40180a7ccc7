"""Rows as lines, against writing each cell by itself."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.api import csv_text
from server.exports import lines as lines_of
from server.exports.columns import ANSWERS, DOC, FIXED, Column
from server.exports.csv_file import Csv
from server.exports.lines import Lines

COLUMNS = [
    Column("record_id", FIXED, "record_id", "unique"),
    Column("effective", FIXED, "effective", "flag"),
    Column("captured_at", DOC, "captured_at", "unique"),
    Column("name", ANSWERS, "name", "text", "name"),
    Column("count", ANSWERS, "count", "integer", "numbers_within"),
    Column("signs", ANSWERS, "signs", "choices", "code"),
    Column("people.count", ANSWERS, "people", "count"),
    Column("gps.lat", DOC, "gps", "degrees", point="lat"),
    Column("gps.lon", DOC, "gps", "degrees", point="lon", hidden=True),
    Column("last", ANSWERS, "last"),
]
NAMES = ("record_id", "effective")
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2) | st.text(max_size=5) | st.just("=1"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
docs = st.dictionaries(st.sampled_from(["captured_at", "gps", "%s", "other"]), anything)
answers = st.dictionaries(st.sampled_from(["name", "count", "signs", "people", "last", "{}"]), anything)
rows = st.lists(
    st.tuples(st.tuples(st.text(max_size=4), st.sampled_from([0, 1, True, False])), docs, answers)
)


def slowly(row: tuple[Any, ...]) -> str:
    cells = []
    for column in COLUMNS:
        part = row[column.part]
        raw = part[NAMES.index(column.key)] if column.part == FIXED else part.get(column.key)
        cells.append(None if column.hidden else column.value(raw))
    return csv_text.line(cells).removesuffix("\r\n")


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(rows, min_size=1, max_size=3))
def test_pages_written_by_shape_and_memory_are_those_written_cell_by_cell(pages: list[Any]) -> None:
    written = Lines(COLUMNS, NAMES, Csv())
    for page in pages:
        assert written.lines(page) == [slowly(row) for row in page]


def test_one_and_true_are_told_apart_although_they_are_the_same_key() -> None:
    written = Lines(COLUMNS[-1:], NAMES, Csv())
    values = [1, True, 1.0, "1", 0, False, None]
    page = [(("r", 1), {}, {"last": value}) for value in values]
    assert written.lines(page) == ["1", "true", "1.0", '"\t1"', "0", "false", ""]


def test_an_object_where_texts_or_choices_should_stand_is_written_as_it_is() -> None:
    written = Lines(COLUMNS, NAMES, Csv())
    page = [
        (("r", 1), {}, {"name": {}, "signs": odd, "last": [{}]}) for odd in ({}, [{}], [["a"]], {"a": []})
    ]
    assert written.lines(page) == [slowly(row) for row in page]


def test_what_is_remembered_is_bounded_by_values_and_by_shapes(monkeypatch) -> None:
    monkeypatch.setattr(lines_of, "VALUES_MAX", 10)
    monkeypatch.setattr(lines_of, "SHAPES_MAX", 10)
    written = Lines(COLUMNS[-1:], NAMES, Csv())
    page = [(("r", 1), {f"name {n}": n}, {"last": f"v{n}"}) for n in range(100)]
    assert written.lines(page) == [f"v{n}" for n in range(100)]
    assert len(written._shapes) <= 10
