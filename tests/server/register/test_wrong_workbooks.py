"""Registers from workbooks of every wrong kind: what is said, of which rows, and that nothing is written."""

from pathlib import Path

import openpyxl
import pytest

from server.register import importer, sheets
from server.register.kinds import KINDS
from server.register.refusals import FileRefused
from server.register.report import Report
from sync.store import Store
from tests.server.register import workbooks
from tests.server.register.tables import HOUSEHOLD, TODAY, VILLAGE, counts, write_csv

HEADS = list(HOUSEHOLD)
ROWS = [HEADS, list(HOUSEHOLD.values()), [*["H2"], *list(HOUSEHOLD.values())[1:]]]


def households(store: Store, path: Path) -> Report:
    return importer.import_file(store, KINDS["households"], path, today=TODAY)


def refusal(store: Store, path: Path) -> str:
    with pytest.raises(FileRefused) as refused:
        households(store, path)
    assert list(store.ensure(f"register-{VILLAGE}").documents("household:")) == []
    return refused.value.en


def test_an_old_workbook_is_told_how_to_become_a_new_one(store: Store, tmp_path: Path) -> None:
    assert "Excel Workbook (.xlsx)" in refusal(store, workbooks.old(tmp_path / "a.xls", ROWS))


def test_an_old_workbook_under_a_new_name_is_recognized(store: Store, tmp_path: Path) -> None:
    assert "old .xls workbook" in refusal(store, workbooks.old(tmp_path / "a.xlsx", ROWS))


def test_a_password_is_told_apart_from_damage(store: Store, tmp_path: Path) -> None:
    assert "has a password" in refusal(store, workbooks.with_password(tmp_path / "a.xlsx", ROWS))


@pytest.mark.parametrize("lies", [False, True])
def test_a_zip_bomb_is_refused_whatever_the_zip_says_of_its_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lies: bool
) -> None:
    monkeypatch.setattr(sheets, "UNPACKED_MAX_BYTES", 4 << 20)
    path = workbooks.bomb(tmp_path / "a.xlsx", 8, lies=lies)
    with pytest.raises(FileRefused, match="unpacks to more"):
        sheets.read(path)


def test_xml_that_declares_entities_is_not_read(tmp_path: Path) -> None:
    path = workbooks.saved(tmp_path / "a.xlsx", workbooks.book(ROWS))
    dtd = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]><worksheet '
    workbooks.rewritten(path, "xl/worksheets/sheet1.xml", "<worksheet ", dtd)
    with pytest.raises(FileRefused, match="cannot be opened"):
        sheets.read(path)


@pytest.mark.parametrize("cell", ["XFD1048576", "Z1048576"])
def test_a_cell_far_beyond_the_table_is_named_before_a_reader_lays_out_all_up_to_it(
    store: Store, tmp_path: Path, cell: str
) -> None:
    made = workbooks.book(ROWS)
    made.worksheets[0][cell] = "x"
    assert f"reaches to {cell}" in refusal(store, workbooks.saved(tmp_path / "a.xlsx", made))


def test_merged_cells_are_named_and_nothing_is_imported(store: Store, tmp_path: Path) -> None:
    book = workbooks.book(ROWS)
    book.active.merge_cells("E2:E3")
    assert "merged cells: E2:E3" in refusal(store, workbooks.saved(tmp_path / "a.xlsx", book))


def test_a_hidden_row_is_imported_and_pointed_out(store: Store, tmp_path: Path) -> None:
    book = workbooks.book(ROWS)
    book.active.row_dimensions[3].hidden = True
    report = households(store, workbooks.saved(tmp_path / "a.xlsx", book))
    assert counts(report) == (2, 0, 0, 0)
    assert [(each.row, each.reason) for each in report.warned] == [(3, importer.HIDDEN_ROW)]


def test_a_formula_that_was_never_calculated_refuses_its_row_and_names_the_column(
    store: Store, tmp_path: Path
) -> None:
    book = workbooks.book(ROWS)
    book.active["E3"] = '="示范一村"&"2号"'
    report = households(store, workbooks.saved(tmp_path / "a.xlsx", book))
    told = [(each.row, each.column, each.reason.en[:32]) for each in report.refused]
    assert (3, "address", "a formula without a stored value") in told
    assert counts(report) == (1, 0, 0, 1)


def test_a_formula_with_its_value_is_read_by_its_value(store: Store, tmp_path: Path) -> None:
    path = workbooks.calculated(
        tmp_path / "a.xlsx", [[*HEADS, "residents"], [*ROWS[1], 0]], "G2", "=1+2", "3"
    )
    assert counts(households(store, path)) == (1, 0, 0, 0)
    assert store.open(f"register-{VILLAGE}").get("household:H1")["residents"] == 3


def test_a_formula_that_failed_refuses_its_row(store: Store, tmp_path: Path) -> None:
    book = workbooks.book(ROWS)
    book.active["F3"] = "#N/A"
    report = households(store, workbooks.saved(tmp_path / "a.xlsx", book))
    assert [(each.row, each.column) for each in report.refused] == [(3, "head_name")]


@pytest.mark.parametrize("written", ["date cell", "1904", "text", "full width"])
def test_a_date_is_the_same_day_however_it_is_written(store: Store, tmp_path: Path, written: str) -> None:
    cell = {"text": "2020年2月21日", "full width": "２０２０－０２－２１"}.get(
        written, workbooks.day("2020-02-21")
    )
    rows = [[*HEADS, "active_from"], [*ROWS[1], cell]]
    make = (
        workbooks.since_1904
        if written == "1904"
        else lambda path, rows: workbooks.saved(path, workbooks.book(rows))
    )
    assert counts(households(store, make(tmp_path / "a.xlsx", rows))) == (1, 0, 0, 0)
    assert store.open(f"register-{VILLAGE}").get("household:H1")["active_from"] == "2020-02-21"


def test_full_width_digits_are_digits(store: Store, tmp_path: Path) -> None:
    row = {**HOUSEHOLD, "village_code": "３７０３０４００１９０１", "phone": "１３８００００００００"}
    book = workbooks.book([list(row), list(row.values())])
    assert counts(households(store, workbooks.saved(tmp_path / "a.xlsx", book))) == (1, 0, 0, 0)
    assert store.open(f"register-{VILLAGE}").get("household:H1")["phone"] == "13800000000"


def test_heads_further_down_are_found_and_told(store: Store, tmp_path: Path) -> None:
    book = workbooks.book([["住户", "", "", "", "", ""], *ROWS])
    assert "heads seem to be in row 2" in refusal(store, workbooks.saved(tmp_path / "a.xlsx", book))


def test_the_wrong_sheet_names_the_others(store: Store, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "说明"
    book.active.append(["请填第二张表"])
    book.create_sheet("住户").append(HEADS)
    assert "there are also 住户" in refusal(store, workbooks.saved(tmp_path / "a.xlsx", book))


def test_ids_that_excel_cut_to_15_digits_name_their_rows(store: Store, tmp_path: Path) -> None:
    rows = [HEADS, ROWS[1], [370304195001010007, *ROWS[2][1:]], ["3.70304E+17", *ROWS[2][1:]]]
    report = households(store, workbooks.saved(tmp_path / "a.xlsx", workbooks.book(rows)))
    assert [(each.row, each.column) for each in report.refused] == [(3, "household_id"), (4, "household_id")]


def test_a_csv_of_excel_in_china_is_read(store: Store, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [dict(HOUSEHOLD)], "gb18030")
    assert counts(households(store, path)) == (1, 0, 0, 0)
    assert store.open(f"register-{VILLAGE}").get("household:H1")["head_name"] == "单晓明"


def test_an_empty_workbook_is_told_so(store: Store, tmp_path: Path) -> None:
    assert "is empty" in refusal(store, workbooks.saved(tmp_path / "a.xlsx", openpyxl.Workbook()))
