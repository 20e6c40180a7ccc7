"""The sheets as Excel has them: read back with openpyxl, cell by cell. Dong works for the district, Bai for a
town, Cun is a village cadre who may not see names in full."""

from __future__ import annotations

import io
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from server.workbooks import writing
from server.workbooks.asked import Asked
from server.workbooks.figure_rows import FigureRows, QualityRows
from server.workbooks.template import Template
from server.workbooks.writing import Head, Sheet, SheetColumn, TooLong, Workbook
from tests.server.api.world import OTHER_TOWN, TOWN, VILLAGE, World, sample, today

HEADS_AT = 4  # title, two lines, then the heads of the columns
YESTERDAY = today() - timedelta(days=1)


def sheet(world: World, name: str, who: str = "dong", **query: Any) -> Worksheet:
    answer = world.get(who, f"/api/v1/sheets/{name}.xlsx", query_string=query)
    assert answer.status_code == 200, answer.text
    return load_workbook(io.BytesIO(answer.data)).active


def heads(page: Worksheet) -> list[str]:
    return [cell.value for cell in page[HEADS_AT]]


def rows(page: Worksheet) -> list[dict[str, Any]]:
    names = heads(page)
    return [
        dict(zip(names, (cell.value for cell in row), strict=True)) for row in page.iter_rows(HEADS_AT + 1)
    ]


def test_the_head_says_who_fills_in_for_whom_and_in_what_units(world: World) -> None:
    page = sheet(world, "daily_towns", day=today(), reviewer="审核甲", phone="0533-4110000")
    assert page["A1"].value == "博山区日报汇总表"
    assert str(next(iter(page.merged_cells.ranges))) == f"A1:{page.cell(1, page.max_column).coordinate}"
    assert page["A2"].value == "填报单位：博山区　　填报人：Dong　　审核人：审核甲　　联系电话：0533-4110000"
    assert page.cell(2, page.max_column).value == "单位：户、人、㎡"
    assert page["A3"].value.startswith(f"日期：{today()}　　填报时间：{today()}")
    assert heads(page)[:3] == ["序号", "镇（街道）", "应走访户（户）"]


def test_it_prints_on_a4_landscape_with_the_heads_on_every_page(world: World) -> None:
    page = sheet(world, "daily_villages", day=today())
    assert (page.page_setup.orientation, page.page_setup.paperSize) == ("landscape", 9)
    assert page.sheet_properties.pageSetUpPr.fitToPage and page.page_setup.fitToHeight == 0
    assert page.print_title_rows == f"${HEADS_AT}:${HEADS_AT}"
    assert page.freeze_panes == f"A{HEADS_AT + 1}"


def test_towns_stand_under_their_total_and_sum_to_it(world: World) -> None:
    total, *towns = rows(sheet(world, "daily_towns", day=YESTERDAY))
    assert (total["序号"], total["镇（街道）"]) == (None, "合计")
    assert [(row["序号"], row["镇（街道）"]) for row in towns] == [(1, "域城镇"), (2, "白塔镇")]
    for name in ("应走访户（户）", "消毒点次（次）", "应发户（户）"):
        assert sum(row[name] for row in towns) == total[name]


def test_before_it_is_frozen_a_figure_is_marked_provisional(world: World) -> None:
    answer = world.get("dong", "/api/v1/sheets/daily_towns.xlsx", query_string={"day": today().isoformat()})
    page = load_workbook(io.BytesIO(answer.data)).active
    assert page.cell(3, page.max_column).value.startswith("临时数据，未发布")
    assert "provisional" in answer.headers["Content-Disposition"]


def test_codes_phones_and_ids_are_text_cells_and_keep_every_digit(world: World) -> None:
    page = sheet(world, "daily_villages", day=today())
    place = heads(page).index("行政区划代码") + 1
    cell = page.cell(HEADS_AT + 2, place)
    assert (cell.value, cell.data_type, cell.number_format) == (VILLAGE, "s", "@")
    page = sheet(world, "fever_new", day=today(), unmask="1", reason="核对发热人员名单")
    ids = [row for row in rows(page) if row["身份证号"]]
    assert all(isinstance(row["身份证号"], str) and len(row["身份证号"]) == 18 for row in ids)


def fevers(world: World, who: str, **query: Any) -> list[dict[str, Any]]:
    return rows(sheet(world, "fever_new", who, day=today(), **query))


def test_people_with_a_fever_are_masked_unless_there_is_a_right_and_a_reason(world: World) -> None:
    record = sample("household_visit/pass/fever_reported", device_id=world.device_id, household_id="H4")
    person = record["answers"]["rep_person"][0]
    world.push(record)
    world.follow()
    [masked] = [row for row in fevers(world, "dong") if row["记录编号"] == record["_id"]]
    assert masked["姓名"] == person["person_name"][0] + "**"
    assert "****" in masked["联系电话"] and masked["住址"].endswith("***")
    assert masked["性别"] in ("男", "女") and masked["镇（街道）"] == "域城镇"
    assert person["phone"] not in json.dumps(fevers(world, "dong"), ensure_ascii=False)
    full = fevers(world, "dong", unmask="1", reason="上报疾控中心")
    assert person["person_name"] in [row["姓名"] for row in full]
    assert person["phone"] in [row["联系电话"] for row in full]


def key_persons(world: World, day: date, who: str = "dong", **query: Any) -> list[dict[str, Any]]:
    return rows(sheet(world, "key_persons", who, day=day, **query))


def test_a_key_person_has_one_row_with_what_was_registered_last_by_the_day(world: World) -> None:
    earlier, later = (
        sample("household_visit/pass/key_area_return", device_id=world.device_id, day=day, household_id="H3")
        for day in (YESTERDAY, today())
    )
    for record in (earlier, later):
        record["answers"]["rep_person"][0] |= {"person_name": "示范庚", "id_type": "none"}
        del record["answers"]["rep_person"][0]["id_number"]
    later["answers"]["rep_person"][0]["observe_type"] = "done"
    person = later["answers"]["rep_person"][0]
    for record in (later, earlier):
        world.push(record)
    world.follow()
    ours = {record["_id"] for record in (earlier, later)}
    [row] = [row for row in key_persons(world, today()) if row["记录编号"] in ours]
    assert (row["记录编号"], row["观察方式"], row["最近登记日期"]) == (later["_id"], "期满解除", str(today()))
    assert row["姓名"] == person["person_name"][0] + "**" and person["phone"] not in str(row)
    [row] = [row for row in key_persons(world, YESTERDAY) if row["记录编号"] in ours]
    assert row["记录编号"] == earlier["_id"]
    [row] = [
        row
        for row in key_persons(world, today(), unmask="1", reason="上报疾控中心")
        if row["记录编号"] in ours
    ]
    assert (row["姓名"], row["联系电话"]) == (person["person_name"], person["phone"])
    assert not [row for row in key_persons(world, today(), "ba") if row["记录编号"] in ours]


def test_an_unmasked_sheet_leaves_a_line_on_record(world: World) -> None:
    fevers(world, "dong", unmask="1", reason="上报=疾控\n中心")
    path = world.gridbook.settings.data / "unmasked.log"
    line = json.loads(path.read_text("utf-8").splitlines()[-1])
    assert (line["username"], line["reason"]) == ("dong", "上报=疾控 中心")
    assert line["what"].startswith("sheet fever_new of 370304")
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_text("utf-8")
    fevers(world, "dong")
    assert path.read_text("utf-8") == before


@pytest.mark.parametrize(
    ("who", "query", "status", "code"),
    [
        ("cun", {"unmask": "1", "reason": "想看一看"}, 403, "forbidden"),
        ("dong", {"unmask": "1"}, 422, "reason-missing"),
        ("bai", {"area": OTHER_TOWN}, 403, "outside-area"),
        ("dong", {"day": "2020-02-30"}, 422, "invalid"),
        ("dong", {"poem": "1"}, 422, "invalid"),
        ("admin", {}, 403, "forbidden"),
        (None, {}, 401, "unauthorized"),
    ],
)
def test_what_cannot_be_given_is_refused_in_words(
    world: World, who: str | None, query: dict[str, str], status: int, code: str
) -> None:
    answer = world.get(who, "/api/v1/sheets/roster.xlsx", query_string=query)
    assert (answer.status_code, answer.json["code"]) == (status, code)


def test_a_sheet_that_is_not_there_is_told_with_those_that_are(world: World) -> None:
    answer = world.get("dong", "/api/v1/sheets/poem.xlsx")
    assert answer.json["code"] == "unknown-sheet" and "daily_towns" in answer.json["detail"]


def test_the_disinfection_ledger_names_points_and_adds_up(world: World) -> None:
    *found, total = rows(sheet(world, "disinfection", day=YESTERDAY))
    assert [row["消毒点"] for row in found] == ["村委会"]
    assert (found[0]["面积（㎡）"], total["面积（㎡）"], total["镇（街道）"]) == (100, 100, "合计")
    assert found[0]["场所类型"] == "村（居）委会" or not found[0]["场所类型"].isascii()
    assert found[0]["开始时间"].startswith(str(YESTERDAY))


def test_the_roster_has_a_row_for_every_entry_and_room_to_sign(world: World) -> None:
    *found, total = rows(sheet(world, "roster", day=today(), area=TOWN))
    assert [row["序号"] for row in found] == [1, 2, 3, 4]
    assert [row["户主姓名"] for row in found][:2] == ["示**", "示**"]
    assert {row["发放情况"] for row in found} == {"已发", "未发"}
    assert (total["应发蔬菜（箱）"], total["实发蔬菜（箱）"]) == (4, 1)
    assert all(row["领取人签字"] is None for row in found)


def test_what_is_outstanding_is_listed_without_what_was_given(world: World) -> None:
    *found, total = rows(sheet(world, "roster_outstanding", day=today(), area=TOWN))
    assert len(found) == 3 and total["应发大米（袋）"] == 3
    assert {row["发放情况"] for row in found} == {"未发"}


def test_points_overdue_are_those_of_the_own_area(world: World) -> None:
    found = rows(sheet(world, "points_overdue", "ba"))
    assert {row["镇（街道）"] for row in found} == {"白塔镇"} and len(found) == 2


def test_exceptions_tell_the_rule_and_what_is_wrong(world: World) -> None:
    found = rows(sheet(world, "exceptions", day=today()))
    assert world.ids["too_hot"] in [row["记录编号"] for row in found]
    assert all(row["问题"] and row["状态"] for row in found)


def test_the_quality_page_defines_every_figure_and_names_the_silent(world: World) -> None:
    found = rows(sheet(world, "quality", day=today()))
    by_section: dict[str, list[str]] = {}
    for row in found:
        by_section.setdefault(row["项目"], []).append(row["内容"])
    assert "示范三村" in by_section["未报村（社区）"]
    assert "走访覆盖率" in by_section["口径说明"]


def test_the_quality_page_tells_what_waits_and_what_came_late() -> None:
    content = {
        "villages": {"silent": []},
        "devices": {"silent": [{"label": "老王的手机", "villages": [VILLAGE], "device_id": "d"}]},
        "waiting": {"by_town": {TOWN: {"quarantined": 2, "returned": 1}}},
        "late": [{"number": "2020-001", "day": "2020-02-20", "changes": {"A3": 2}}],
        "indicators": [{"id": "A3", "name": {"zh": "联系上"}, "note": {"zh": "口径"}}],
        "figures": {},
    }
    area, names = {"code": "370304", "level": "district"}, {TOWN: "域城镇", VILLAGE: "示范一村"}
    asked: Any = Asked(None, area, "2020-02-21", "", content, {}, names)  # type: ignore[arg-type]
    template = Template("quality", {"zh": "质量"}, "quality", ())
    assert [
        tuple(row[name] for name in ("section", "name", "value", "note"))
        for row in QualityRows(asked, template)
    ] == [
        ("未同步手机", "老王的手机", None, "示范一村；最近联系 —"),
        ("未计入的记录", "域城镇", 2, "待更正"),
        ("未计入的记录", "域城镇", 1, "已退回"),
        ("补报", "联系上", 2, "较第2020-001号（2020-02-20）"),
        ("口径说明", "联系上", None, "口径"),
    ]


def test_a_column_may_ask_for_seven_days_and_is_empty_where_there_are_none() -> None:
    content = {
        "villages": {"silent": []},
        "figures": {TOWN: {"C1": {"value": 2, "seven_days": {"value": 9}}, "A1": {"value": 7}}},
    }
    asked: Any = Asked(None, {"code": TOWN}, "2020-02-21", "", content, {}, {})  # type: ignore[arg-type]
    rows_ = FigureRows(asked, Template("towns", {"zh": "镇"}, "towns", ()))
    found = [
        rows_.value({"code": TOWN}, f"figure.{name}") for name in ("C1", "C1.seven_days", "A1.seven_days")
    ]
    assert found == [2, 9, None]


def test_in_english_the_same_sheet_speaks_english(world: World) -> None:
    page = sheet(world, "roster", day=today(), language="en")
    assert page["A1"].value == "博山区Relief roster" and heads(page)[0] == "No."


# Writing


def written(tmp_path: Path, *cells: Any) -> Worksheet:
    with Workbook(tmp_path / "a.xlsx") as book:
        columns = [SheetColumn("x", 10)] * len(cells)
        book.add(Sheet("表[1]/二:三", Head("题", [("左", "右")]), "序号", columns, [list(cells)]))
    return load_workbook(tmp_path / "a.xlsx").active


@pytest.mark.parametrize(
    "text", ["=1+1", "+86 138", "-2", "@SUM(A1)", "\t=1", "＝1+1", " =cmd|' /C calc'!A0"]
)
def test_what_begins_like_a_formula_is_text_and_marked_so(tmp_path: Path, text: str) -> None:
    cell = written(tmp_path, text).cell(4, 2)
    assert (cell.value, cell.data_type) == (text, "s")
    assert cell.quotePrefix and cell.number_format == "@"
    with ZipFile(tmp_path / "a.xlsx") as parts:
        assert b"<f>" not in parts.read("xl/worksheets/sheet1.xml")


def test_links_stay_text_and_characters_that_no_xml_holds_are_dropped(tmp_path: Path) -> None:
    page = written(tmp_path, "http://evil.example", "a\x00b\x0bc\ud800d", "长" * 40_000, "1" * 18)
    assert [cell.value for cell in page[4]][1:3] == ["http://evil.example", "abcd"]
    assert page.cell(4, 2).hyperlink is None
    assert (len(page.cell(4, 4).value), page.cell(4, 5).value) == (32_000, "1" * 18)


def test_numbers_shares_and_nothing_are_told_apart(tmp_path: Path) -> None:
    page = written(tmp_path, 3, 2.5, None, 0)
    assert [page.cell(4, place).value for place in range(2, 6)] == [3, 2.5, None, 0]
    assert [page.cell(4, place).number_format for place in (2, 3)] == ["#,##0", "#,##0.##"]


def test_names_that_a_sheet_may_not_have_are_made_fit(tmp_path: Path) -> None:
    with Workbook(tmp_path / "a.xlsx") as book:
        for _ in range(2):
            book.add(Sheet("村/表:" + "长" * 40, Head("题", []), "序号", [SheetColumn("x", 10)], []))
    names = load_workbook(tmp_path / "a.xlsx").sheetnames
    assert len(set(names)) == 2 and all(len(name) <= 31 and not set(name) & set("[]:*?/\\") for name in names)


def test_more_rows_than_a_sheet_holds_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "ROWS_MAX", 2)
    with pytest.raises(TooLong), Workbook(tmp_path / "a.xlsx") as book:
        book.add(Sheet("s", Head("题", []), "序号", [SheetColumn("x", 10)], [[1], [2], [3]]))


def test_nothing_of_a_workbook_is_left_in_the_data_folder(world: World) -> None:
    sheet(world, "roster", day=today())
    assert list(world.gridbook.settings.data.glob(".workbook-*")) == []
