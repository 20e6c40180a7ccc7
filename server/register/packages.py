"""A workbook as the zip that it is: what it unpacks to, which sheets it has, and what a sheet's values do not
tell: hidden rows and columns, merged cells, formulas without a stored value, cells that hold an error.

Whatever comes from outside is measured before a reader unpacks it: a zip's own words about its sizes are
only claims. No file is read whose XML declares entities.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any
from xml.etree import ElementTree
from xml.parsers import expat

from server.register.refusals import FileRefused

COMPOUND_FILE = bytes.fromhex("D0CF11E0A1B11AE1")  # what .xls is, and a workbook with a password
ZIP_FILE = b"PK\x03\x04"  # what .xlsx is
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
LOCAL_HEADER_BYTES = 30
CHUNK_BYTES = 1 << 20
MEMBERS_MAX = 10_000
NAMED_MAX = 8
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
RELATIONS = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
CELL = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")

Place = tuple[int, int]  # row from 1, column from 0
Merged = tuple[int, int, int, int]  # first row, first column, last row, last column


@dataclass(frozen=True, slots=True)
class Part:
    """One sheet: its name, the file in the zip, whether Excel shows it."""

    name: str
    member: str
    hidden: bool


@dataclass(slots=True)
class Facts:
    """What is to be known of a sheet besides its values. A CSV has none of it."""

    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[int] = field(default_factory=list)
    merged: list[Merged] = field(default_factory=list)
    valueless: set[Place] = field(default_factory=set)  # formulas that were never calculated
    errors: set[Place] = field(default_factory=set)  # #N/A, #REF!, …
    formula_columns: set[int] = field(default_factory=set)
    rows: int = 0  # down to the last one with content
    columns: int = 0


def place(reference: str) -> Place:
    """`C5` → (5, 2). Raises ValueError."""
    found = CELL.fullmatch(reference)
    if found is None:
        raise ValueError(reference)
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - 64
    return int(found[2]), column - 1


def letters(column: int) -> str:
    """2 → `C`."""
    name, left = "", column + 1
    while left:
        left, rest = divmod(left - 1, 26)
        name = chr(65 + rest) + name
    return name


def named(places: Iterable[str]) -> str:
    """The first of them, and how many there are."""
    all_of_them = list(places)
    more = f" … ({len(all_of_them)})" if len(all_of_them) > NAMED_MAX else ""
    return ", ".join(all_of_them[:NAMED_MAX]) + more


def range_name(merged: Merged) -> str:
    first_row, first, last_row, last = merged
    return f"{letters(first)}{first_row}:{letters(last)}{last_row}"


def spans(rows: Iterable[int]) -> str:
    """`3, 5-9`."""
    found: list[list[int]] = []
    for row in sorted(rows):
        if found and row == found[-1][1] + 1:
            found[-1][1] = row
        else:
            found.append([row, row])
    return named(str(first) if first == last else f"{first}-{last}" for first, last in found)


# Is it a workbook at all, and what does it unpack to?


def check(path: Path, unpacked_bytes_max: int) -> None:
    """Raises FileRefused for an old .xls, a password, a broken zip, one that unpacks to more than that, and
    XML that declares entities."""
    with path.open("rb") as file:
        begin = file.read(len(COMPOUND_FILE))
        if begin == COMPOUND_FILE:
            raise _compound(path.name, begin + file.read(4 << 20))
    with opened(path) as archive, path.open("rb") as file:
        members = archive.infolist()
        if len(members) > MEMBERS_MAX:
            raise unopenable(path.name)
        left = unpacked_bytes_max
        for member in members:
            left -= _unpacked_bytes(file, member, left, path.name)


def _compound(name: str, content: bytes) -> FileRefused:
    if ENCRYPTED in content:
        return FileRefused(
            f"{name} 有打开密码：请在 Excel 中“文件—信息—保护工作簿—用密码进行加密”里清空密码，保存后再导入",
            f"{name} has a password: remove it in Excel (File, Info, Protect Workbook, Encrypt with "
            "Password), save it and import it again",
        )
    return old_workbook(name)


def old_workbook(name: str) -> FileRefused:
    return FileRefused(
        f"{name} 是旧的 .xls 工作簿，只能导入 .csv 或 .xlsx 文件：请在 Excel 中另存为“Excel 工作簿（.xlsx）”",
        f"{name} is an old .xls workbook, and only .csv and .xlsx can be imported: "
        "save it in Excel as an Excel Workbook (.xlsx)",
    )


def unopenable(name: str) -> FileRefused:
    return FileRefused(
        f"{name} 打不开：它不是 .xlsx 文件，或已损坏；请在 Excel 中打开后另存为 .xlsx",
        f"{name} cannot be opened: it is no .xlsx file, or it is damaged; "
        "open it in Excel and save it as .xlsx",
    )


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, expat.ExpatError, ElementTree.ParseError, OSError, EOFError,
            KeyError, ValueError, NotImplementedError, RuntimeError, UnicodeDecodeError):  # fmt: skip
        raise unopenable(path.name) from None


def _unpacked_bytes(file: IO[bytes], member: zipfile.ZipInfo, bytes_max: int, name: str) -> int:
    """How long a member really is, whatever the zip says; it is never unpacked beyond `bytes_max`."""
    if member.file_size > bytes_max:
        raise _too_much(name)
    file.seek(member.header_offset)
    header = file.read(LOCAL_HEADER_BYTES)
    file.seek(int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little"), 1)
    if member.compress_type == zipfile.ZIP_STORED:
        return member.compress_size
    if member.compress_type != zipfile.ZIP_DEFLATED:
        raise zipfile.BadZipFile("another compression")
    inflate, unpacked, left, begin = zlib.decompressobj(-zlib.MAX_WBITS), 0, member.compress_size, b""
    while not inflate.eof and (data := inflate.unconsumed_tail or file.read(min(left, CHUNK_BYTES))):
        left -= 0 if inflate.unconsumed_tail else len(data)
        out = inflate.decompress(data, CHUNK_BYTES)
        begin = begin or out[:4096]
        unpacked += len(out)
        if unpacked > bytes_max:
            raise _too_much(name)
    if b"<!DOCTYPE" in begin or b"<!ENTITY" in begin:
        raise unopenable(name)
    return unpacked


def _too_much(name: str) -> FileRefused:
    return FileRefused(
        f"{name} 解压后过大，不像是一张表：请只保留要导入的工作表，另存后再导入",
        f"{name} unpacks to more than a table would: keep only the sheet to import, save it and try again",
    )


# What is in it


def sheets(path: Path) -> list[Part]:
    """The sheets of a workbook, in order."""
    with opened(path) as archive:
        book = _tree(archive, "xl/workbook.xml")
        targets = {
            each.get("Id"): _target(each.get("Target", ""))
            for each in _tree(archive, "xl/_rels/workbook.xml.rels")
        }
        listed = book.find(f"{MAIN}sheets")
        return [
            Part(each.get("name", ""), targets[each.get(f"{RELATIONS}id")], each.get("state") is not None
                 and each.get("state") != "visible")
            for each in (listed if listed is not None else ())
            if targets[each.get(f"{RELATIONS}id")] in archive.namelist()
        ]  # fmt: skip


def _tree(archive: zipfile.ZipFile, member: str) -> Any:
    return ElementTree.fromstring(archive.read(member))  # noqa: S314  `check` let no entities pass


def _target(target: str) -> str:
    return target.lstrip("/") if target.startswith("/") else str(PurePosixPath("xl") / target)


def facts(path: Path, member: str) -> Facts:
    """What a sheet's file says besides values, read as a stream."""
    with opened(path) as archive, archive.open(member) as file:
        reader = _FactReader()
        reader.parser.ParseFile(file)
        return reader.finished()


class _FactReader:
    """expat's events; a cell's formula is without value when its `v` is absent or empty."""

    def __init__(self) -> None:
        self.found = Facts()
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self._cell: Place = (0, -1)
        self._waits = False  # for the value of this cell's formula
        self._text = False
        self._row = 0

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        tag = name.rpartition(":")[2]
        if tag == "c":
            self._settle()
            self._next_cell(attributes)
        elif tag in ("v", "is"):
            self._reaches()
            if self._waits and self._text:  # a formula that gives an empty text has a value
                self._value("")
            elif self._waits:
                self.parser.CharacterDataHandler = self._value
        elif tag == "f":
            self._waits = True
            self.found.formula_columns.add(self._cell[1])
        elif tag == "row":
            self._settle()
            self._row = int(attributes.get("r", self._row + 1))
            self._cell = (self._row, -1)
            if attributes.get("hidden") in ("1", "true"):
                self.found.hidden_rows.append(self._row)
        elif tag == "col" and attributes.get("hidden") in ("1", "true"):
            first, last = int(attributes["min"]), min(int(attributes["max"]), 400)
            self.found.hidden_columns += range(first - 1, last)
        elif tag == "mergeCell":
            first_cell, _, last_cell = attributes["ref"].partition(":")
            self.found.merged.append((*place(first_cell), *place(last_cell or first_cell)))

    def _next_cell(self, attributes: dict[str, str]) -> None:
        reference = attributes.get("r")
        self._cell = place(reference) if reference else (self._row, self._cell[1] + 1)
        self._text = attributes.get("t") == "str"
        if attributes.get("t") == "e":
            self.found.errors.add(self._cell)

    def _reaches(self) -> None:
        row, column = self._cell
        self.found.rows = max(self.found.rows, row)
        self.found.columns = max(self.found.columns, column + 1)

    def _value(self, _content: str) -> None:
        self._waits = False
        self.parser.CharacterDataHandler = None

    def _settle(self) -> None:
        if self._waits:
            self.found.valueless.add(self._cell)
        self._waits = False
        self.parser.CharacterDataHandler = None

    def finished(self) -> Facts:
        self._settle()
        return self.found
