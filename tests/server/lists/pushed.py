"""Lists as superiors push them down: a title, heads, names that the small district knows or does not."""

from __future__ import annotations

import io
import itertools
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.styles import Font, PatternFill

from server.lists import archive, importing
from server.lists.archive import NameList
from server.lists.importing import Preview
from server.people import staff
from server.people.staff import Staff
from tests.server.api.world import World

HEADS = [
    "序号",
    "姓名",
    "身份证号码",
    "联系电话",
    "镇（街道）",
    "村（社区）",
    "核查结果",
    "核查时间",
    "核查人",
]
DING, DING_ID = "示范丁", "420106198808080006"  # in a visit of today to H3, with this number
ABSENT_ID = "370282197512310004"
NAMES: list[list[Any]] = [
    [1, DING, DING_ID, "15400000002", "域城镇", "示范一村"],
    [2, "张三峰", None, "15400000004", "域城镇", "示范一村"],  # sounds like 张三丰 of H4, and has his phone
    [3, "查无此人", ABSENT_ID, "13800000000", "白塔镇", "示范三村"],
    [4, "示范丙", None, None, None, None],  # heads of H1, BH1, CH1
]
COUNTER = itertools.count()  # so that no two workbooks are the same file


def workbook(names: list[list[Any]] | None = None, heads: list[str] | None = None) -> openpyxl.Workbook:
    """With what a superior's workbook has besides: a merged title, colours, widths, a note below."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "返博人员"
    sheet.append(["关于外地返博人员的核查名单"])
    sheet.merge_cells("A1:I1")
    sheet["A1"].font = Font(bold=True, size=18)
    sheet.append(heads or HEADS)
    for name in names if names is not None else NAMES:
        sheet.append(name)
    sheet.append([f"填报人：{next(COUNTER)}", None, None, None, None, None, "审核人："])
    sheet["B3"].fill = PatternFill("solid", fgColor="FFFF00")
    sheet.column_dimensions["C"].width = 31.5
    book.create_sheet("说明").append(["请于16:00前反馈"])
    return book


def file(book: openpyxl.Workbook) -> bytes:
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def member(world: World, name: str = "dong") -> Staff:
    found = staff.by_username(world.gridbook.people, name)
    assert found is not None
    return found


def previewed(world: World, data: bytes, name: str = "名单.xlsx", **asked: Any) -> tuple[Path, Preview]:
    shared = world.gridbook
    path = importing.drafted(shared, importing.draft(shared, name, io.BytesIO(data)))
    template = importing.template_of(shared, "returnees")
    return path, importing.preview(shared, path, template, file_name=name, **asked)


def kept(world: World, data: bytes | None = None, name: str = "名单.xlsx", **more: Any) -> NameList:
    path, shown = previewed(world, data if data is not None else file(workbook()), name)
    return importing.keep(world.gridbook, path, shown, member(world), **more)


def remarks(shown: Preview) -> dict[int, list[str]]:
    """{row: what is remarked on, in English}"""
    return {row.number: [each.en for each in row.remarks] for row in shown.layout.rows if row.remarks}


def rows(world: World, made: NameList) -> list[int]:
    return archive.numbers(archive.rows(world.gridbook.store, made.list_id))
