"""Workbooks of every wrong kind, each a real one made on the spot."""

from __future__ import annotations

import datetime
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msoffcrypto.format.ooxml
import openpyxl
import xlwt
from openpyxl.utils.datetime import CALENDAR_MAC_1904

Rows = Sequence[Sequence[Any]]


def book(rows: Rows) -> openpyxl.Workbook:
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(list(row))
    return made


def saved(path: Path, made: openpyxl.Workbook) -> Path:
    made.save(path)
    return path


def since_1904(path: Path, rows: Rows) -> Path:
    """Dates counted from 1904, as Excel for the Mac did."""
    made = openpyxl.Workbook()
    made.epoch = CALENDAR_MAC_1904
    for row in rows:
        made.active.append(list(row))
    return saved(path, made)


def calculated(path: Path, rows: Rows, cell: str, formula: str, value: str) -> Path:
    """A formula with the value that Excel stored beside it."""
    made = book(rows)
    made.active[cell] = formula
    saved(path, made)
    stored = f"<f>{formula[1:]}</f><v></v>", f"<f>{formula[1:]}</f><v>{value}</v>"
    return rewritten(path, "xl/worksheets/sheet1.xml", *stored)


def rewritten(path: Path, member: str, old: str, new: str) -> Path:
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    text = contents[member].decode().replace("<v />", "<v></v>").replace("<v/>", "<v></v>")
    assert old in text, text
    contents[member] = text.replace(old, new).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return path


def with_password(path: Path, rows: Rows) -> Path:
    plain = io.BytesIO()
    book(rows).save(plain)
    plain.seek(0)
    with path.open("wb") as target:
        msoffcrypto.format.ooxml.OOXMLFile(plain).encrypt("1234", target)
    return path


def old(path: Path, rows: Rows) -> Path:
    """Excel 97's .xls."""
    made = xlwt.Workbook()
    sheet = made.add_sheet("Sheet1")
    for at, row in enumerate(rows):
        for column, value in enumerate(row):
            sheet.write(at, column, value)
    made.save(str(path))
    return path


def bomb(path: Path, megabytes: int, *, lies: bool) -> Path:
    """A sheet of zeros. With `lies`, the zip says that it is 100 bytes long."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (megabytes << 20))
    if lies:
        content = bytearray(path.read_bytes())
        size = (megabytes << 20).to_bytes(4, "little")
        at = content.rfind(size)
        while at >= 0:
            content[at : at + 4] = (100).to_bytes(4, "little")
            at = content.rfind(size)
        path.write_bytes(content)
    return path


def day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)
