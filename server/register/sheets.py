"""Tables as offices keep them: CSV in UTF-8 (with or without BOM), GB18030 or UTF-16; a sheet of an XLSX.

Cells come out as they are: text; from XLSX also numbers, booleans and dates. `cells.py` gives them meaning,
`packages.py` tells what a sheet has besides values.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import python_calamine

from server.register import packages
from server.register.cells import seen
from server.register.packages import Facts, range_name
from server.register.refusals import CellRefused, FileRefused

FILE_MAX_BYTES = 200 * 1024 * 1024
UNPACKED_MAX_BYTES = 2 * 1024 * 1024 * 1024  # an XLSX is a zip; a small one may unpack to anything
ROWS_MAX = 1_000_000
COLUMNS_MAX = 200
CELLS_MAX = 20_000_000  # of the rectangle that holds all that a sheet has
csv.field_size_limit(1024 * 1024)


Rows = list[tuple[int, list[Any]]]


@dataclass(frozen=True, slots=True)
class Sheet:
    """`rows` are (row number as the clerk sees it, cells); rows without any content are left out."""

    header: list[str]
    rows: Rows
    facts: Facts = field(default_factory=Facts)
    name: str = ""
    others: tuple[str, ...] = ()  # the workbook's further sheets


@dataclass(frozen=True, slots=True)
class Csv:
    """How a CSV is written, so that one can be written back the same way."""

    rows: Rows
    encoding: str
    delimiter: str


def read(path: Path) -> Sheet:
    """The first sheet, headed by its first row with content. Raises FileRefused when the file is missing,
    too large or no table."""
    measure(path)
    if path.suffix.lower() == ".csv":
        return _sheet(path, csv_table(path).rows)
    parts = packages.sheets(path)
    if not parts:
        raise packages.unopenable(path.name)
    facts = packages.facts(path, parts[0].member)
    found = _sheet(path, sheet_rows(path, parts[0].name, facts), facts)
    _refuse_merged(path, found)
    return Sheet(found.header, found.rows, facts, parts[0].name, tuple(each.name for each in parts[1:]))


def measure(path: Path, bytes_max: int | None = None, unpacked_max: int | None = None) -> None:
    """Raises FileRefused for what is no CSV or XLSX, or larger than that."""
    if path.suffix.lower() == ".xls":
        raise packages.old_workbook(path.name)
    if path.suffix.lower() not in (".csv", ".xlsx"):
        raise FileRefused(
            f"{path.name}：只能导入 .csv 或 .xlsx 文件", f"{path.name}: only .csv and .xlsx can be imported"
        )
    try:
        size = path.stat().st_size
    except OSError:
        raise FileRefused(f"找不到文件 {path}", f"There is no file {path}") from None
    bytes_max = bytes_max or FILE_MAX_BYTES
    if size > bytes_max:
        mb = bytes_max >> 20
        raise FileRefused(
            f"{path.name} 超过 {mb} MB，请分成几个文件", f"{path.name} is larger than {mb} MB: split it"
        )
    if path.suffix.lower() == ".xlsx":
        packages.check(path, unpacked_max or UNPACKED_MAX_BYTES)


def _refuse_merged(path: Path, sheet: Sheet) -> None:
    """Of merged cells only the first has a value; the others would count as empty."""
    first = sheet.rows[0][0] if sheet.rows else 0
    if merged := [range_name(each) for each in sheet.facts.merged if each[2] >= first]:
        places = packages.named(merged)
        raise FileRefused(
            f"{path.name} 有合并单元格：{places}。请取消合并，每行都填写后再导入",
            f"{path.name} has merged cells: {places}. Unmerge them, fill in every row and import it again",
        )


def _sheet(path: Path, numbered: Iterable[tuple[int, list[Any]]], facts: Facts | None = None) -> Sheet:
    filled = [(number, cells) for number, cells in numbered if any(str(cell).strip() for cell in cells)]
    if not filled:
        raise FileRefused(f"{path.name} 是空的", f"{path.name} is empty")
    header = [seen(str(cell)) for cell in filled[0][1]]
    while header and not header[-1]:
        header.pop()
    if len(header) > COLUMNS_MAX or len(filled) > ROWS_MAX:
        raise FileRefused(
            f"{path.name} 过大：最多 {ROWS_MAX} 行、{COLUMNS_MAX} 列",
            f"{path.name} is too large: at most {ROWS_MAX} rows and {COLUMNS_MAX} columns",
        )
    return Sheet(header, filled[1:], facts or Facts())


def csv_table(path: Path) -> Csv:
    """Raises FileRefused for what is no CSV."""
    data = path.read_bytes()
    if data.startswith((packages.ZIP_FILE, packages.COMPOUND_FILE)):
        raise FileRefused(
            f"{path.name} 其实是 Excel 工作簿，不是 CSV：请把扩展名改回 .xlsx（旧的 .xls 另存为 .xlsx）",
            f"{path.name} is an Excel workbook under the name of a CSV: give it its ending .xlsx again "
            "(an old .xls has to be saved as .xlsx) and import it",
        )
    text, encoding = _decoded(path.name, data)
    if "\0" in text:
        raise FileRefused(
            f"{path.name} 含有空字符，不是 CSV 文件", f"{path.name} holds NUL characters: it is not CSV"
        )
    first_line = text.partition("\n")[0]
    delimiter = max(",\t;", key=first_line.count)
    return Csv(list(_csv_rows(path.name, text, delimiter)), encoding, delimiter)


def _csv_rows(name: str, text: str, delimiter: str) -> Iterator[tuple[int, list[Any]]]:
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for row in rows:
            yield line, list(row)
            line = rows.line_num + 1
    except csv.Error as error:
        raise FileRefused(
            f"{name} 第 {line} 行不是有效的 CSV（引号不成对，或一格过长）：请在 Excel 中核对，另存为 .xlsx",
            f"{name}, line {line}: not valid CSV ({error}): look at it in Excel and save it as .xlsx",
        ) from None


def _decoded(name: str, data: bytes) -> tuple[str, str]:
    """The text and its encoding."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            return data.decode(encoding), _told(encoding, data)
        except UnicodeDecodeError:
            continue
    raise FileRefused(
        f"{name} 的编码无法识别：请在 Excel 中另存为“CSV UTF-8”",
        f"{name} is neither UTF-8 nor GB18030: save it in Excel as “CSV UTF-8”",
    )


def _told(encoding: str, data: bytes) -> str:
    return "utf-8" if encoding == "utf-8-sig" and not data.startswith(codecs.BOM_UTF8) else encoding


def sheet_rows(path: Path, name: str, facts: Facts, cells_max: int = CELLS_MAX) -> Rows:
    """The values of one sheet, empty rows too. Raises FileRefused, also for one cell so far out that the
    rectangle up to it, which the reader lays out in memory, has more than `cells_max` cells."""
    if facts.rows * facts.columns > cells_max:
        corner = f"{packages.letters(facts.columns - 1)}{facts.rows}"
        raise FileRefused(
            f"工作表过大：内容一直到 {corner}（按 Ctrl+End 可到）。请删掉表外的行和列，保存后再导入",
            f"The sheet is too large: its content reaches to {corner} (Ctrl+End in Excel goes there). Delete "
            "the rows and columns beyond the table, save it and import it again",
        )
    try:
        with python_calamine.CalamineWorkbook.from_path(str(path)) as book:
            return list(enumerate(book.get_sheet_by_name(name).to_python(skip_empty_area=False), start=1))
    except (python_calamine.CalamineError, OSError, ValueError):
        raise packages.unopenable(path.name) from None


def unread(facts: Facts, row: int, column: int) -> CellRefused | None:
    """Why the value of a cell is not what its sheet shows."""
    if (row, column) in facts.valueless:
        return CellRefused(
            "是公式，但没有保存计算结果：请在 Excel 中打开，等算完后保存；或选择性粘贴为“值”",
            "a formula without a stored value: open the file in Excel, let it calculate and save it, "
            "or paste the column as values",
        )
    if (row, column) in facts.errors:
        return CellRefused(
            "公式出错（如 #N/A、#REF!）：请改正或填写实际内容",
            "a formula gives an error such as #N/A or #REF!: correct it or write what is meant",
        )
    return None
