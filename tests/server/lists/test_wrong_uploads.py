"""Files of every wrong kind as a clerk uploads them: the answer says what, where and what to do, in both
languages; and nothing stays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from server.lists import archive, importing
from tests.server.api.world import World
from tests.server.lists import pushed
from tests.server.lists.pushed import previewed, remarks
from tests.server.lists.test_pages import import_list
from tests.server.register import workbooks

ROWS = [pushed.HEADS, *pushed.NAMES]
Make = Callable[[Path], bytes]


def text(content: str, encoding: str = "utf-8") -> Make:
    return lambda _: content.encode(encoding)


def saved(path: Path) -> bytes:
    return path.read_bytes()


REFUSED: dict[str, tuple[str, Make, str, str]] = {
    "an old workbook": (
        "名单.xls",
        lambda path: saved(workbooks.old(path, [["姓名"]])),
        "另存为“Excel 工作簿（.xlsx）”",
        "save it in Excel as an Excel Workbook",
    ),
    "an old workbook under a new name": (
        "名单.xlsx",
        lambda path: saved(workbooks.old(path, [["姓名"]])),
        "名单.xlsx 是旧的 .xls 工作簿",
        "名单.xlsx is an old .xls workbook",
    ),
    "a password": (
        "名单.xlsx",
        lambda path: saved(workbooks.with_password(path, ROWS)),
        "清空密码",
        "remove it in Excel",
    ),
    "a zip bomb": (
        "名单.xlsx",
        lambda path: saved(workbooks.bomb(path, 8, lies=False)),
        "名单.xlsx 解压后过大",
        "keep only the sheet to import",
    ),
    "an empty workbook": (
        "名单.xlsx",
        lambda _: pushed.file(openpyxl.Workbook()),
        "工作表“Sheet”：是空的：请确认",
        "Sheet Sheet: empty: see that",
    ),
    "an empty csv": ("名单.csv", text(""), "名单.csv：是空的：请确认", "名单.csv: empty: see that"),
    "a workbook under the name of a csv": (
        "名单.csv",
        lambda _: pushed.file(pushed.workbook()),
        "把扩展名改回 .xlsx",
        "give it its ending .xlsx again",
    ),
    "a csv under the name of a workbook": (
        "名单.xlsx",
        text("姓名\n丁\n"),
        "名单.xlsx 打不开",
        "名单.xlsx cannot be opened",
    ),
    "another kind of file": (
        "名单.pdf",
        text("%PDF-1.4"),
        "请在 Excel 中打开 名单.pdf，另存为 .xlsx",
        "open 名单.pdf in Excel and save it as .xlsx",
    ),
    "no encoding that is known": (
        "名单.csv",
        lambda _: b"\xff\xff\xff",
        "另存为“CSV UTF-8”",
        "save it in Excel as “CSV UTF-8”",
    ),
    "a quote that never ends": (
        "名单.csv",
        text('姓名,电话\n"丁,2\n'),
        "第 2 行不是有效的 CSV（引号不成对",
        "line 2: not valid CSV",
    ),
    "no heads that are known": (
        "名单.csv",
        text("甲,乙\n1,2\n"),
        "名单.csv：没有找到姓名或身份证号一列。读到的表头：甲、乙",
        "名单.csv: There is no column of names",
    ),
    "no name below the heads": (
        "名单.csv",
        text("名单\n姓名,电话\n"),
        "表头（第 2 行）下面没有一行姓名",
        "no name below the heads in row 2",
    ),
    "too many names": (
        "名单.csv",
        text("姓名\n" + "丁\n" * 6),
        "共 6 人，最多 5 人：请分成几个文件",
        "There are 6 names",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_file_that_is_no_list_is_refused_with_what_to_do_in_both_languages(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(importing, "UNPACKED_MAX_BYTES", 4 << 20)
    monkeypatch.setattr(importing, "NAMES_MAX", 5)
    name, make, zh, en = REFUSED[what]
    before = archive.every(world.gridbook.store)
    data = make(tmp_path / "made.xlsx")
    assert (zh, "什么也没有导入") == said(world, data, name, "zh", zh)
    assert (en, "Nothing was imported") == said(world, data, name, "en", en)
    assert archive.every(world.gridbook.store) == before
    assert [path for path in drafts(world) if path.read_bytes() == data] == []


def drafts(world: World) -> list[Path]:
    return sorted((world.gridbook.settings.data / importing.FOLDER).glob("*"))


def said(world: World, data: bytes, name: str, language: str, *wanted: str) -> tuple[str, ...]:
    """Those of the wanted words, and of what is said at the end, that the refusal has."""
    answer = import_list(world, "dong", data, name, headers={"Accept-Language": language})
    told: dict[str, Any] = answer.json
    if answer.status_code == 202:
        world.work()
        headers = {"Accept-Language": language}
        told = world.get("dong", answer.headers["Location"], headers=headers).json["failure"]
    ends = {"zh": "什么也没有导入", "en": "Nothing was imported"}
    detail = told["detail"]
    assert "Traceback" not in detail and ".part" not in detail
    return tuple(each if each in detail else detail for each in (*wanted, ends[language]))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_a_csv_is_read_in_the_encodings_of_offices_and_goes_on_to_be_a_list(
    world: World, encoding: str, delimiter: str
) -> None:
    lines = [["姓名", "身份证号"], ["示范丁", pushed.DING_ID], [f"{encoding}{ord(delimiter)}", ""]]
    data = "\n".join(delimiter.join(line) for line in lines).encode(encoding)
    job = world.done("dong", import_list(world, "dong", data, "名单.csv"))
    assert (job["state"], job["made"]["names"]) == ("done", 2)


def test_heads_merged_over_two_columns_are_told_and_the_second_can_be_chosen(world: World) -> None:
    book = pushed.workbook()
    book.active.merge_cells("B2:C2")
    data = pushed.file(book)
    shown = previewed(world, data)[1]
    assert "id_number" not in shown.layout.columns
    assert [each.en.partition(" and was")[0] for each in shown.layout.notes] == [
        "column C has content but no heading (B2:C2)"
    ]
    assert shown.layout.notes[0].zh.startswith("C 列有内容但没有表头 (B2:C2)，没有读")
    chosen = previewed(world, data, chosen={"id_number": 2})[1]
    assert chosen.layout.rows[0].values["id_number"] == pushed.DING_ID and not chosen.layout.notes


def test_columns_of_the_answer_never_cover_a_column_without_a_heading(world: World) -> None:
    book = workbooks.book([["姓名", "电话", None], ["示范丁", "15400000002", "上级自己的备注"]])
    shown = previewed(world, pushed.file(book))[1]
    assert list(shown.layout.untitled) == [2]
    assert min(shown.layout.results.values()) == 3


def test_cells_merged_side_by_side_are_told_with_their_row(world: World) -> None:
    book = pushed.workbook()
    book.active.merge_cells("B5:C5")
    told = remarks(previewed(world, pushed.file(book))[1])
    assert told[5] == [
        "cells merged side by side B5:C5: only the first column has content, the others are empty"
    ]


def test_of_a_number_of_which_too_little_is_left_nobody_is_suggested(world: World) -> None:
    shown = previewed(world, pushed.file(pushed.workbook([[1, "示范丁", "4.20106E+17"]])))[1]
    row = shown.layout.rows[0]
    assert row.remarks[0].zh.endswith("只剩前 6 位，不能按证件号找人") and "id_begin" not in row.values


def test_an_upload_that_breaks_off_leaves_nothing(world: World) -> None:
    class Broken:
        def read(self, _size: int = -1) -> bytes:
            raise OSError("gone")

    before = drafts(world)
    with pytest.raises(OSError, match="gone"):
        importing.draft(world.gridbook, "名单.xlsx", Broken())  # type: ignore[arg-type]
    assert drafts(world) == before
