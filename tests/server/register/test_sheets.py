import zipfile

import openpyxl
import pytest

from server.register.refusals import FileRefused
from server.register.sheets import read
from tests.server.register.tables import write_csv, write_xlsx

ROWS = [{"编号": "a1", "名称": "示范一村，𠮷"}, {"编号": "a2", "名称": '说"好"\n换行'}]
CELLS = [["a1", "示范一村，𠮷"], ["a2", '说"好"\n换行']]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_csv_is_read_in_the_encodings_of_offices(tmp_path, encoding, delimiter) -> None:
    sheet = read(write_csv(tmp_path / "a.csv", ROWS, encoding, delimiter))
    assert sheet.header == ["编号", "名称"]
    assert [cells for _, cells in sheet.rows] == CELLS


def test_an_xlsx_is_read_with_its_types(tmp_path) -> None:
    sheet = read(write_xlsx(tmp_path / "a.XLSX".lower(), [{"id": 370304001901, "name": "示范一村"}]))
    assert sheet.header == ["id", "name"]
    assert sheet.rows == [(2, [370304001901.0, "示范一村"])]


def test_row_numbers_are_those_that_the_clerk_sees(tmp_path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('\nid,name\n1,"two\nlines"\n\n ,\n3,c\n', "utf-8")
    assert [number for number, _ in read(path).rows] == [3, 7]


def test_an_xlsx_that_begins_lower_keeps_its_row_numbers(tmp_path) -> None:
    book = openpyxl.Workbook()
    book.active["A4"], book.active["A5"] = "id", "x"
    book.save(tmp_path / "a.xlsx")
    assert read(tmp_path / "a.xlsx").rows == [(5, ["x"])]


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b"\n\n,,\n", "is empty"),
        ("a.csv", b"id\n\0\n", "NUL"),
        ("a.csv", b"id\n\xff\xff\xff\n", "neither UTF-8 nor GB18030"),
        ("a.csv", b'id,name\n1,"never closed\n', "line 2: not valid CSV"),
        ("a.csv", b"id\n" + b"x" * 2_000_000, "not valid CSV"),
        ("a.xlsx", b"no zip at all", "cannot be opened"),
        ("a.xlsx", b"PK\x03\x04broken", "cannot be opened"),
        ("a.xls", b"", "only .csv and .xlsx"),
        ("a.csv", ",".join(f"c{n}" for n in range(300)).encode(), "too large"),
    ],
)
def test_what_is_no_table_is_refused_with_the_reason(tmp_path, name, content, why) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileRefused, match=why):
        read(tmp_path / name)


def test_a_file_that_is_not_there_is_refused(tmp_path) -> None:
    with pytest.raises(FileRefused, match="no file"):
        read(tmp_path / "absent.csv")


def test_a_zip_that_holds_no_workbook_is_refused(tmp_path) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(FileRefused, match="cannot be opened"):
        read(tmp_path / "a.xlsx")


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("server.register.sheets.UNPACKED_MAX_BYTES", 1_000_000)
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"0" * 2_000_000)
    with pytest.raises(FileRefused, match="unpacks to more"):
        read(tmp_path / "a.xlsx")
