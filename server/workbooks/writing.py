"""One workbook on disk, row by row, so that memory stays flat however long a sheet is.

Every sheet: a merged title, who fills in and in what units, the column heads (repeated on every printed
page), 序号 from 1, the rows, a row of totals; A4 landscape, one page wide. What is text is a text cell: ids,
phones and 12-digit codes keep every digit, and what begins like a formula is marked as text, so that it stays
text when a cell is edited.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

ROWS_MAX = 1_000_000
TEXT_LENGTH_MAX = 32_000
SHEET_NAME_LENGTH_MAX = 31
A4 = 9
FORMULA_LIKE = re.compile(r"^[\s\x00-\x20]*[=+\-@＝＋－＠]|^[\t\r\n]")
NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
NUMBER_WIDTH = 6


class TooLong(Exception):
    """More rows than a sheet can hold."""


@dataclass(frozen=True, slots=True)
class Head:
    """The lines above the column heads: the title, then lines of text, each with an end at the right."""

    title: str
    lines: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class SheetColumn:
    title: str
    width: int
    percent: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """`rows` are lists of cells without 序号. `totals_first` is known before the rows; `totals_last` is asked
    for after them."""

    name: str
    head: Head
    number_title: str
    columns: Sequence[SheetColumn]
    rows: Iterable[Sequence[Any]]
    totals_first: Sequence[Any] | None = None
    totals_last: Any = None


class Workbook:
    """`with Workbook(path) as book: book.add(sheet)`."""

    def __init__(self, path: Path) -> None:
        import xlsxwriter  # here because few processes ever make a workbook

        options = {"constant_memory": True, "tmpdir": str(path.parent)}
        self._book = xlsxwriter.Workbook(str(path), options)
        self._names: set[str] = set()
        border = {"border": 1, "valign": "vcenter"}
        wrapped = {**border, "text_wrap": True}
        self._formats = {
            "title": self._format(bold=True, font_size=16, align="center", valign="vcenter"),
            "line": self._format(valign="vcenter"),
            "end": self._format(valign="vcenter", align="right"),
            "head": self._format(**wrapped, bold=True, align="center", bg_color="#EDEDED"),
            "text": self._format(**wrapped, num_format="@"),
            "marked": self._format(**wrapped, num_format="@", quote_prefix=True),
            "number": self._format(**border, num_format="#,##0.##"),
            "whole": self._format(**border, num_format="#,##0"),
            "percent": self._format(**border, num_format='0.00"%"'),
            "empty": self._format(**border),
        }

    def _format(self, **properties: Any) -> Format:
        return self._book.add_format(properties)

    def __enter__(self) -> Workbook:
        return self

    def __exit__(self, *_: Any) -> None:
        self._book.close()

    def add(self, sheet: Sheet) -> int:
        """Returns how many rows there were. Raises TooLong."""
        page = self._book.add_worksheet(self._name(sheet.name))
        width = len(sheet.columns)
        self._set_up(page, sheet)
        at = self._write_head(page, sheet.head, width)
        self._write_heads(page, at, sheet)
        at += 1
        if sheet.totals_first is not None:
            self._write_row(page, at, "", sheet.totals_first, sheet.columns)
            at += 1
        count = 0
        for count, row in enumerate(sheet.rows, start=1):
            if count > ROWS_MAX:
                raise TooLong(sheet.name)
            self._write_row(page, at, count, row, sheet.columns)
            at += 1
        if sheet.totals_last is not None:
            self._write_row(page, at, "", sheet.totals_last(), sheet.columns)
        return count

    def _name(self, wanted: str) -> str:
        """A sheet's name holds none of []:*?/\\, is at most 31 long and unique."""
        base = re.sub(r"[\[\]:*?/\\']", "", wanted)[:SHEET_NAME_LENGTH_MAX] or "Sheet"
        name, count = base, 1
        while name.lower() in self._names:
            count += 1
            name = f"{base[: SHEET_NAME_LENGTH_MAX - 4]} {count}"
        self._names.add(name.lower())
        return name

    def _set_up(self, page: Worksheet, sheet: Sheet) -> None:
        page.set_landscape()
        page.set_paper(A4)
        page.fit_to_pages(1, 0)
        page.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        page.set_footer("&C&P / &N")
        page.set_column(0, 0, NUMBER_WIDTH)
        for place, column in enumerate(sheet.columns, start=1):
            page.set_column(place, place, column.width)
        heads_at = 1 + len(sheet.head.lines)
        page.repeat_rows(heads_at)
        page.freeze_panes(heads_at + 1, 0)

    def _write_head(self, page: Worksheet, head: Head, width: int) -> int:
        page.set_row(0, 28)
        page.merge_range(0, 0, 0, width, _text(head.title), self._formats["title"])
        for at, (left, right) in enumerate(head.lines, start=1):
            page.set_row(at, 18)
            page.write_string(at, 0, _text(left), self._formats["line"])
            if right:
                page.write_string(at, width, _text(right), self._formats["end"])
        return 1 + len(head.lines)

    def _write_heads(self, page: Worksheet, at: int, sheet: Sheet) -> None:
        page.set_row(at, 46)
        for place, title in enumerate([sheet.number_title, *(column.title for column in sheet.columns)]):
            page.write_string(at, place, _text(title), self._formats["head"])

    def _write_row(
        self, page: Worksheet, at: int, number: int | str, row: Sequence[Any], columns: Sequence[SheetColumn]
    ) -> None:
        self._write_cell(page, at, 0, number, percent=False)
        for place, (value, column) in enumerate(zip(row, columns, strict=True), start=1):
            self._write_cell(page, at, place, value, percent=column.percent)

    def _write_cell(self, page: Worksheet, at: int, place: int, value: Any, *, percent: bool) -> None:
        if value is None or value == "":
            page.write_blank(at, place, None, self._formats["empty"])
        elif isinstance(value, int | float):
            kind = "percent" if percent else "whole" if float(value).is_integer() else "number"
            page.write_number(at, place, value, self._formats[kind])
        else:
            text = _text(value)
            page.write_string(
                at, place, text, self._formats["marked" if FORMULA_LIKE.match(text) else "text"]
            )


def _text(value: Any) -> str:
    return NOT_IN_XML.sub("", str(value))[:TEXT_LENGTH_MAX]
