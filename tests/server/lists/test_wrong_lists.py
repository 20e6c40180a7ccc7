"""Lists of every wrong kind: what is said, of which row, and that a name is never lost."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from server.lists import importing
from server.register.refusals import FileRefused
from tests.server.api.world import World
from tests.server.lists import pushed
from tests.server.lists.pushed import previewed, remarks
from tests.server.register import workbooks

ROWS = [pushed.HEADS, *pushed.NAMES]


def refusal(world: World, data: bytes, name: str = "名单.xlsx") -> str:
    with pytest.raises(FileRefused) as refused:
        previewed(world, data, name)
    return refused.value.en


def test_an_old_workbook_cannot_be_answered_and_is_told_so(world: World, tmp_path: Path) -> None:
    path = workbooks.old(tmp_path / "a.xls", [["姓名"], ["示范丁"]])
    assert "save it in Excel as an Excel Workbook (.xlsx)" in refusal(world, path.read_bytes(), "名单.xls")
    assert "old .xls" in refusal(world, path.read_bytes(), "名单.xlsx")


def test_a_password_is_told(world: World, tmp_path: Path) -> None:
    assert "has a password" in refusal(world, workbooks.with_password(tmp_path / "a.xlsx", ROWS).read_bytes())


@pytest.mark.parametrize("lies", [False, True])
def test_a_zip_bomb_is_not_unpacked(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lies: bool
) -> None:
    monkeypatch.setattr(importing, "UNPACKED_MAX_BYTES", 4 << 20)
    assert "unpacks to more" in refusal(world, workbooks.bomb(tmp_path / "a.xlsx", 8, lies=lies).read_bytes())


def test_a_cell_far_beyond_the_table_is_named_and_the_next_sheet_is_read(world: World) -> None:
    book = pushed.workbook()
    book.worksheets[1]["XFD1048576"] = "x"
    assert previewed(world, pushed.file(book))[1].sheet == "返博人员"
    book.worksheets[0]["ZZ1048576"] = "x"
    book.remove(book.worksheets[1])
    assert "reaches to ZZ1048576" in refusal(world, pushed.file(book))


@pytest.mark.parametrize(
    ("data", "name", "why"),
    [
        (b"", "a.csv", "empty"),
        (b"", "a.xlsx", "cannot be opened"),
        (b"PK\x03\x04 not a zip", "a.xlsx", "cannot be opened"),
        (b"%PDF-1.4", "a.pdf", "Only .csv and .xlsx"),
        ("姓名\n".encode(), "a.csv", "no name below"),
        ("甲,乙\n1,2\n".encode(), "a.csv", "Headings read: 甲、乙"),
        (b"\xff\xff\xff", "a.csv", "neither UTF-8 nor GB18030"),
    ],
)
def test_what_is_no_list_is_refused_with_the_reason(world: World, data: bytes, name: str, why: str) -> None:
    assert why in refusal(world, data, name)


def test_an_empty_workbook_is_told_so(world: World) -> None:
    assert "empty" in refusal(world, pushed.file(openpyxl.Workbook()))


def test_the_sheet_with_the_names_is_found_and_the_wrong_one_is_told(world: World) -> None:
    book = pushed.workbook()
    book.move_sheet("说明", -1)
    assert previewed(world, pushed.file(book))[1].sheet == "返博人员"
    with pytest.raises(FileRefused, match="further sheets: 返博人员"):
        previewed(world, pushed.file(book), sheet="说明")


def test_two_rows_of_heads_are_read_as_one(world: World) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["返博人员名单"])
    sheet.append(["姓名", "证件", None, "联系", None])
    sheet.append([None, "类型", "身份证号", "电话", "住址"])
    sheet.append(["示范丁", "居民身份证", pushed.DING_ID, "15400000002", "示范一村3号"])
    for merged in ("A1:E1", "A2:A3", "B2:C2", "D2:E2"):
        sheet.merge_cells(merged)
    shown = previewed(world, pushed.file(book))[1]
    assert list(shown.layout.heads) == [2, 3]
    assert shown.layout.columns == {"name": 0, "id_number": 2, "phone": 3, "address": 4}
    assert shown.layout.notes[0].en == "rows 2 and 3 together are the heads"


def test_merged_cells_hold_for_each_of_their_rows_and_are_pointed_out(world: World) -> None:
    book = pushed.workbook()
    book.active.merge_cells("F3:F4")
    shown = previewed(world, pushed.file(book))[1]
    assert [row.values.get("village") for row in shown.layout.rows][:2] == ["示范一村", "示范一村"]
    assert remarks(shown)[4] == ["merged cells F3:F4: read as filled in each row"]


def test_hidden_rows_and_columns_are_read_and_pointed_out(world: World) -> None:
    book = pushed.workbook()
    book.active.row_dimensions[5].hidden = True
    book.active.column_dimensions["D"].hidden = True
    shown = previewed(world, pushed.file(book))[1]
    assert [row.number for row in shown.layout.rows] == [3, 4, 5, 6]
    assert remarks(shown)[5] == ["Excel hides this row"]
    assert [each.en for each in shown.layout.notes] == [
        "hidden or filtered rows were read too: 5",
        "hidden columns were read too: D",
    ]


def test_full_width_digits_are_digits(world: World) -> None:
    wide = "".join(chr(ord(each) + 0xFEE0) for each in pushed.DING_ID)
    shown = previewed(world, pushed.file(pushed.workbook([[1, "示范丁", wide, "１５４００００２２２２"]])))[1]
    assert shown.layout.rows[0].values["id_number"] == pushed.DING_ID
    assert shown.layout.rows[0].values["phone"] == "15400002222"


def test_a_formula_counts_by_its_value_and_without_one_its_row_is_named(world: World, tmp_path: Path) -> None:
    rows = [["姓名", "电话"], ["示范丁", "x"], ["示范戊", None]]
    path = workbooks.calculated(tmp_path / "a.xlsx", rows, "B2", "=15400000000+2", "15400000002")
    shown = previewed(world, path.read_bytes())[1]
    assert shown.layout.rows[0].values["phone"] == "15400000002"
    book = workbooks.book(rows)
    book.active["B2"], book.active["B3"] = "=15400000000+2", "#REF!"
    shown = previewed(world, pushed.file(book))[1]
    told = {row: said[0] for row, said in remarks(shown).items()}
    assert told[2].startswith("a formula without a stored value")
    assert told[3].startswith("a formula gives an error")


@pytest.mark.parametrize("number", [int(pushed.DING_ID), "4.20106E+17", "420106198808080000"])
def test_a_destroyed_number_is_pointed_out_and_its_row_stays(world: World, number: object) -> None:
    shown = previewed(world, pushed.file(pushed.workbook([[1, "示范丁", number], [2, "示范戊"]])))[1]
    assert [row.values["name"] for row in shown.layout.rows] == ["示范丁", "示范戊"]
    assert remarks(shown)[3][0].startswith("Excel stored the id number as a number")
    kept_digits = shown.layout.rows[0].values.get("id_begin")
    assert kept_digits == (None if number == "4.20106E+17" else "420106198808080")


@pytest.mark.parametrize("cell", ["2020年2月21日", workbooks.day("2020-02-21"), "since 1904"])
def test_dates_of_any_kind_go_back_as_they_came(world: World, tmp_path: Path, cell: object) -> None:
    made = (
        workbooks.since_1904
        if cell == "since 1904"
        else lambda path, rows: workbooks.saved(path, workbooks.book(rows))
    )
    value = workbooks.day("2020-02-21") if cell == "since 1904" else cell
    path = made(tmp_path / "a.xlsx", [["姓名", "返博日期"], ["示范丁", value]])
    shown = previewed(world, path.read_bytes())[1]
    assert (len(shown.layout.rows), remarks(shown)) == (1, {})


def test_a_csv_of_excel_in_china_is_read(world: World) -> None:
    shown = previewed(world, "姓名,身份证号\n示范丁,420106198808080006\n".encode("gb18030"), "名单.csv")[1]
    assert shown.layout.rows[0].values == {"name": "示范丁", "id_number": pushed.DING_ID}


def test_totals_and_signatures_are_nobody_and_are_named(world: World) -> None:
    shown = previewed(world, pushed.file(pushed.workbook([*pushed.NAMES, [None, "合计", None, 4]])))[1]
    assert (len(shown.layout.rows), list(shown.layout.left_out)) == (4, [7, 8])


def test_marks_that_nobody_sees_hide_nobody(world: World) -> None:
    ruined = [
        1,
        "示\u200b范丁",
        f"\u202a{pushed.DING_ID}",
        "\u202d15400000002\u202c",
        "域城镇",
        "示范一村\ufeff",
    ]
    typed = [2, "示范丁", f"'{pushed.DING_ID}", "'15400000002", "域城镇", "示范一村"]
    heads = ["序号", "姓\u200b名", "\ufeff身份证号码", "联系电话", "镇（街道）", "村（社区）"]
    _, shown = previewed(world, pushed.file(pushed.workbook([ruined, typed], heads)))
    assert [dict(row.values) for row in shown.layout.rows] == 2 * [
        {
            "name": "示范丁",
            "id_number": pushed.DING_ID,
            "phone": "15400000002",
            "town": "域城镇",
            "village": "示范一村",
        }
    ]
    assert remarks(shown) == {4: ["the same person as in row 3"]}


def test_heads_on_every_page_and_how_many_they_are_name_nobody(world: World) -> None:
    third = [None, None, None, "手机"]
    names = [third, pushed.NAMES[0], pushed.HEADS, pushed.NAMES[1], ["合计", 2], ["共计", "共 2 人"]]
    _, shown = previewed(world, pushed.file(pushed.workbook(names)))
    assert [row.values["name"] for row in shown.layout.rows] == [pushed.DING, "张三峰"]
    assert shown.layout.left_out == [3, 5, 7, 8, 9]


def test_who_stands_there_twice_is_pointed_out_and_answered_twice(world: World) -> None:
    shown = previewed(world, pushed.file(pushed.workbook([pushed.NAMES[0], [9, *pushed.NAMES[0][1:]]])))[1]
    assert remarks(shown) == {4: ["the same person as in row 3"]}


def test_a_column_that_was_taken_for_another_can_be_chosen(world: World) -> None:
    data = pushed.file(workbooks.book([["甲", "乙"], ["示范丁", pushed.DING_ID]]))
    assert "no column of names" in refusal(world, data)
    shown = previewed(world, data, chosen={"name": 0, "id_number": 1})[1]
    assert shown.layout.rows[0].values == {"name": "示范丁", "id_number": pushed.DING_ID}


def test_nothing_is_kept_by_looking(world: World) -> None:
    before = world.gridbook.store.names()
    previewed(world, pushed.file(pushed.workbook()))
    assert world.gridbook.store.names() == before
