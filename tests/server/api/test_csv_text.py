"""CSV that opens right in Excel and is never run by it."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.api import csv_text

FORMULA_SIGNS = "=+-@＝＋－＠"


def read_back(data: bytes) -> list[list[str]]:
    assert data.startswith(b"\xef\xbb\xbf"), "Excel takes a file without the mark for GBK"
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        '=HYPERLINK("http://x","y")',
        "+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(A1)",
        " =1",
        "\t=1",
        "\r=1",
        "＝1+1",
        "-5",
    ],
)
def test_text_that_looks_like_a_formula_is_shown_not_run(text: str) -> None:
    assert csv_text.text_cell(text).startswith("'")


@pytest.mark.parametrize(
    "text",
    [
        "11010519491231002",
        "370304102901",
        "13812345678",
        "0533",
        "1-2",
        "3/4",
        "2-15-7",
        "1E5",
        "12:30",
        "2月21日",
        "2020/2/21",
        "100%",
        "１２３",
    ],
)
def test_text_that_excel_would_take_for_a_number_or_a_day_stays_text(text: str) -> None:
    assert csv_text.text_cell(text) == "\t" + text


@pytest.mark.parametrize(
    "text", ["11010519491231002X", "2020-02-21", "2020-02-21T16:00:00+08:00", "张三", "3号楼", "", "met"]
)
def test_plain_text_days_and_moments_stay_as_they_are(text: str) -> None:
    assert csv_text.text_cell(text) == text


@given(st.text())
def test_no_text_ever_begins_like_a_formula(text: str) -> None:
    cell = csv_text.text_cell(text)
    assert not cell.strip().startswith(tuple(FORMULA_SIGNS)) or cell.startswith("'")


@given(
    st.lists(
        st.lists(
            st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0")),
            min_size=2,
            max_size=2,
        )
    )
)
def test_python_reads_back_every_cell_but_for_the_protection(rows: list[list[str]]) -> None:
    data = b"".join(csv_text.stream(["a", "b"], rows))
    assert read_back(data) == [["a", "b"], *[[csv_text.text_cell(cell) for cell in row] for row in rows]]


def test_numbers_are_numbers_and_lists_are_joined_by_blanks() -> None:
    data = b"".join(csv_text.stream(["a"], [[36.5], [-3], [True], [None], [["fever", "dry_cough"]]]))
    assert [row[0] if row else "" for row in read_back(data)[1:]] == [
        "36.5",
        "-3",
        "true",
        "",
        "fever dry_cough",
    ]


def test_the_header_leaves_before_the_first_row_is_read() -> None:
    def rows():
        raise AssertionError("read too early")
        yield

    assert b"".join([next(csv_text.stream(["编号"], rows()))]).decode("utf-8-sig") == "编号\r\n"
