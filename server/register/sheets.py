"""Tables as offices keep them: CSV in UTF-8 (with or without BOM), GB18030 or UTF-16; an XLSX's first sheet.

Cells come out as they are: text; from XLSX also numbers, booleans and dates. `cells.py` gives them meaning.
"""

from __future__ import annotations

import codecs
import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import python_calamine

from server.register.refusals import FileRefused

FILE_MAX_BYTES = 200 * 1024 * 1024
UNPACKED_MAX_BYTES = 2 * 1024 * 1024 * 1024  # an XLSX is a zip; a small one may unpack to anything
ROWS_MAX = 1_000_000
COLUMNS_MAX = 200
csv.field_size_limit(1024 * 1024)


@dataclass(frozen=True, slots=True)
class Sheet:
    """`rows` are (row number as the clerk sees it, cells); rows without any content are left out."""

    header: list[str]
    rows: list[tuple[int, list[Any]]]


def read(path: Path) -> Sheet:
    """Raises FileRefused when the file is missing, too large or no table."""
    readers = {".csv": _csv_rows, ".xlsx": _xlsx_rows}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise FileRefused(
            f"{path.name}：只能导入 .csv 或 .xlsx 文件", f"{path.name}: only .csv and .xlsx can be imported"
        )
    try:
        size = path.stat().st_size
    except OSError:
        raise FileRefused(f"找不到文件 {path}", f"There is no file {path}") from None
    if size > FILE_MAX_BYTES:
        raise FileRefused(
            f"{path.name} 超过 200 MB，请分成几个文件", f"{path.name} is larger than 200 MB: split it"
        )
    return _sheet(path, reader(path))


def _sheet(path: Path, numbered: Iterable[tuple[int, list[Any]]]) -> Sheet:
    filled = [(number, cells) for number, cells in numbered if any(str(cell).strip() for cell in cells)]
    if not filled:
        raise FileRefused(f"{path.name} 是空的", f"{path.name} is empty")
    header = [str(cell).strip() for cell in filled[0][1]]
    while header and not header[-1]:
        header.pop()
    if len(header) > COLUMNS_MAX or len(filled) > ROWS_MAX:
        raise FileRefused(
            f"{path.name} 过大：最多 {ROWS_MAX} 行、{COLUMNS_MAX} 列",
            f"{path.name} is too large: at most {ROWS_MAX} rows and {COLUMNS_MAX} columns",
        )
    return Sheet(header, filled[1:])


def _csv_rows(path: Path) -> Iterator[tuple[int, list[Any]]]:
    text = _decoded(path.name, path.read_bytes())
    if "\0" in text:
        raise FileRefused(
            f"{path.name} 含有空字符，不是 CSV 文件", f"{path.name} holds NUL characters: it is not CSV"
        )
    first_line = text.partition("\n")[0]
    delimiter = max(",\t;", key=first_line.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for row in rows:
            yield line, list(row)
            line = rows.line_num + 1
    except csv.Error as error:
        raise FileRefused(
            f"{path.name} 第 {line} 行不是有效的 CSV（{error}）",
            f"{path.name}, line {line}: not valid CSV ({error})",
        ) from None


def _decoded(name: str, data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise FileRefused(
        f"{name} 的编码无法识别：请在 Excel 中另存为“CSV UTF-8”",
        f"{name} is neither UTF-8 nor GB18030: save it in Excel as “CSV UTF-8”",
    )


def _xlsx_rows(path: Path) -> Iterator[tuple[int, list[Any]]]:
    try:
        _check_unpacked_size(path)
        sheet = python_calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0)
        yield from enumerate(sheet.to_python(skip_empty_area=False), start=1)
    except (python_calamine.CalamineError, zipfile.BadZipFile, OSError, ValueError):
        raise FileRefused(
            f"{path.name} 打不开：它不是 .xlsx 文件，或有密码保护",
            f"{path.name} cannot be opened: it is no .xlsx file, or it has a password",
        ) from None


def _check_unpacked_size(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        if sum(member.file_size for member in archive.infolist()) > UNPACKED_MAX_BYTES:
            raise FileRefused(f"{path.name} 解压后过大", f"{path.name} unpacks to more than 2 GB")
