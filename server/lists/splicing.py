"""Cells written into a workbook that stays what it was: only the sheet's own file changes, and in it only the
bytes of these cells. Pictures, macros, conditional formats, widths and whatever else a superior's workbook
has go back as they came.

A sheet's file is read as events with their byte positions; the pieces are then cut in from the end to the
beginning. A cell takes the style of the one that it replaces, else of its left neighbour.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from xml.parsers import expat
from xml.sax.saxutils import escape

from server.register.packages import letters, opened, place, unopenable

NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
TEXT_LENGTH_MAX = 32_000
DIMENSION = re.compile(rb'(<(?:\w+:)?dimension[^>]*\bref=")([A-Z]+[0-9]+)(?::([A-Z]+[0-9]+))?(")')
SPANS = re.compile(rb'\s+spans="[^"]*"')

Cells = Mapping[tuple[int, int], str]  # (row from 1, column from 0): text


@dataclass(slots=True)
class _Cell:
    column: int
    style: str
    begin: int
    end: int = 0


@dataclass(slots=True)
class _Row:
    """`head_end` is where the start tag ends, `close` where the end tag begins; equal to it in an empty row
    written as `<row/>`."""

    begin: int
    head_end: int
    close: int = 0
    empty: bool = False
    cells: list[_Cell] = field(default_factory=list)


def written(source: Path, member: str, cells: Cells, target: IO[bytes]) -> None:
    """Copy the workbook with these text cells. Raises FileRefused for a sheet that cannot be read again."""
    with opened(source) as archive, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as copy:
        for info in archive.infolist():
            data = archive.read(info)
            copy.writestr(info, spliced(data, cells, source.name) if info.filename == member else data)


def spliced(data: bytes, cells: Cells, name: str = "") -> bytes:
    """A sheet's XML with the cells in it; rows that it lacks are passed over."""
    if not data.lstrip(b"\xef\xbb\xbf").startswith(b"<") or re.search(
        rb'encoding="(?!utf-?8)', data[:200], re.I
    ):
        raise unopenable(name)
    rows, prefix = _Reader(data).rows, _prefix(data)
    by_row: dict[int, dict[int, str]] = {}
    for (row, column), text in cells.items():
        by_row.setdefault(row, {})[column] = text
    pieces: list[tuple[int, int, bytes]] = []
    for number, wanted in by_row.items():
        if number in rows:
            pieces += _pieces(data, number, rows[number], wanted, prefix)
    out = bytearray(data)
    for begin, end, piece in sorted(pieces, key=lambda each: each[:2], reverse=True):
        out[begin:end] = piece
    return _widened(bytes(out), max((column for _, column in cells), default=0))


def _prefix(data: bytes) -> str:
    found = re.search(rb"<(\w+:)?sheetData", data)
    return (found[1] or b"").decode() if found else ""


def _pieces(
    data: bytes, number: int, row: _Row, wanted: Mapping[int, str], prefix: str
) -> list[tuple[int, int, bytes]]:
    """(from, to, what comes there instead), in the order of columns where several come to one place."""
    found: list[tuple[int, int, bytes]] = []
    inserted: dict[int, bytes] = {}
    standing = {cell.column: cell for cell in row.cells}
    for column in sorted(wanted):
        old = standing.get(column)
        left = standing.get(column - 1) or next(
            (cell for cell in reversed(row.cells) if cell.column < column), None
        )
        model = old or left
        style = model.style if model else ""
        piece = _cell(prefix, f"{letters(column)}{number}", style, wanted[column])
        if old:
            found.append((old.begin, old.end, piece))
        else:
            at = next((cell.begin for cell in row.cells if cell.column > column), row.close)
            inserted[at] = inserted.get(at, b"") + piece
    if row.empty and inserted:
        opening = data[row.begin : row.head_end].rstrip(b"/> ") + b">"
        whole = opening + b"".join(inserted.values()) + f"</{prefix}row>".encode()
        return [(row.begin, row.head_end, SPANS.sub(b"", whole, count=1))]
    found += [(at, at, piece) for at, piece in inserted.items()]
    found.append((row.begin, row.head_end, SPANS.sub(b"", data[row.begin : row.head_end], count=1)))
    return found


def _cell(prefix: str, reference: str, style: str, text: str) -> bytes:
    """An inline text: never a number, never a formula, whatever it begins with."""
    shown = escape(NOT_IN_XML.sub("", text)[:TEXT_LENGTH_MAX])
    styled = f' s="{style}"' if style else ""
    p = prefix
    content = f'<{p}is><{p}t xml:space="preserve">{shown}</{p}t></{p}is>'
    return f'<{p}c r="{reference}"{styled} t="inlineStr">{content}</{p}c>'.encode()


def _widened(data: bytes, column: int) -> bytes:
    """The sheet's stated extent reaches to that column."""

    def wider(found: re.Match[bytes]) -> bytes:
        row, last = place((found[3] or found[2]).decode())
        end = f"{letters(max(last, column))}{row}".encode()
        return found[1] + found[2] + b":" + end + found[4]

    return DIMENSION.sub(wider, data, count=1)


class _Reader:
    """Where each row and cell begins and ends, in bytes."""

    def __init__(self, data: bytes) -> None:
        self.rows: dict[int, _Row] = {}
        self._data = data
        self._number = 0
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._finish
        self._parser.Parse(data, True)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        tag, at = name.rpartition(":")[2], self._parser.CurrentByteIndex
        if tag == "row":
            self._number = int(attributes.get("r", self._number + 1))
            self.rows[self._number] = _Row(at, self._tag_end(at))
        elif tag == "c" and self._number in self.rows:
            cells = self.rows[self._number].cells
            column = (
                place(attributes["r"])[1] if "r" in attributes else (cells[-1].column + 1 if cells else 0)
            )
            cells.append(_Cell(column, attributes.get("s", ""), at))

    def _finish(self, name: str) -> None:
        tag, at = name.rpartition(":")[2], self._parser.CurrentByteIndex
        if tag not in ("row", "c"):
            return
        closing = self._data.startswith(f"</{name}".encode(), at)
        row = self.rows[self._number]
        if tag == "c" and row.cells:
            row.cells[-1].end = self._tag_end(at) if closing else self._tag_end(row.cells[-1].begin)
        elif tag == "row":
            row.close, row.empty = (at, False) if closing else (row.head_end, True)

    def _tag_end(self, at: int) -> int:
        """Past the `>` of the tag at `at`; in an attribute's value it may stand bare."""
        quote = 0
        for index in range(at, len(self._data)):
            byte = self._data[index]
            if quote:
                quote = 0 if byte == quote else quote
            elif byte in b"\"'":
                quote = byte
            elif byte == ord(">"):
                return index + 1
        return len(self._data)
