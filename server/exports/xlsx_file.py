"""XLSX in a stream: a sheet for each table, its first row frozen.

XlsxWriter takes six times as long for the same rows (bench/README.md). Every text is an inline string in
a cell of the format Text: ids, phones and 12-digit codes keep all digits, and what begins like a formula is
text and stays text when the cell is edited. Cells bear no reference, which the format leaves optional.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from server.exports.asked import Table
from server.exports.columns import Column
from server.exports.lines import Lines, Write
from server.exports.sink import PIECE_BYTES, Sink

ROWS_MAX = 1_048_575  # and the heads
TEXT_LENGTH_MAX = 32_767
SHEET_NAME_LENGTH_MAX = 31
EXACT_INTEGER_MAX = 10**15  # beyond, Excel forgets digits
_NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_READ_AS_CODE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")

_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
# Cell formats: 0 general, 1 text, 2 heads.
_STYLES = (
    f'{_XML}<styleSheet xmlns="{_MAIN}"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"/>'
    '</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
    "</styleSheet>"
)


class _Cells:
    between = ""

    def cell(self, column: Column) -> Write:
        return cell

    def empty(self, column: Column) -> str:
        return "<c/>"

    def untouched(self, column: Column, raw: Sequence[Any]) -> bool:
        return False


def cell(value: Any) -> str:
    """A cell of the sheet's XML; several choices are joined by blanks, as XLSForm does."""
    if value is None:
        return "<c/>"
    if isinstance(value, bool):
        return f'<c t="b"><v>{int(value)}</v></c>'
    if isinstance(value, float) or (isinstance(value, int) and abs(value) < EXACT_INTEGER_MAX):
        return f"<c><v>{value!r}</v></c>"
    if isinstance(value, list):
        value = " ".join(map(str, value))
    return text_cell(str(value), 1)


def text_cell(text: str, style: int) -> str:
    text = _READ_AS_CODE.sub("_x005F_", _NOT_IN_XML.sub("", text))[:TEXT_LENGTH_MAX]
    kept = ' xml:space="preserve"' if text != text.strip() or "\n" in text else ""
    return f'<c s="{style}" t="inlineStr"><is><t{kept}>{escape(text)}</t></is></c>'


def write(tables: Sequence[Table]) -> Iterator[bytes]:
    sink = Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as book:
        for name, content in _around([table.name for table in tables]).items():
            book.writestr(name, content)
        yield sink.take()
        for number, table in enumerate(tables, start=1):
            with book.open(f"xl/worksheets/sheet{number}.xml", "w", force_zip64=False) as sheet:
                sheet.write(_begin(table.columns, first=number == 1).encode())
                lines = Lines(table.columns, table.names, _Cells()).lines
                for page in table.pages():
                    if rows := lines(page):
                        sheet.write(("<row>" + "</row><row>".join(rows) + "</row>").encode())
                    if sink.waiting_bytes >= PIECE_BYTES:
                        yield sink.take()
                sheet.write(b"</sheetData></worksheet>")
    yield sink.take()


def _begin(columns: Sequence[Column], *, first: bool) -> str:
    selected = ' tabSelected="1"' if first else ""
    heads = "".join(text_cell(column.name, 2) for column in columns)
    return (
        f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0"{selected}>'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
        f'<cols><col min="1" max="{len(columns)}" width="16" customWidth="1"/></cols>'
        f"<sheetData><row>{heads}</row>"
    )


def _around(names: Sequence[str]) -> dict[str, str]:
    """The parts of the package besides its sheets."""
    numbers = range(1, len(names) + 1)
    sheets = "".join(
        f'<sheet name={quoteattr(name[:SHEET_NAME_LENGTH_MAX])} sheetId="{n}" r:id="rId{n}"/>'
        for n, name in zip(numbers, names, strict=True)
    )
    parts = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_TYPE}.worksheet+xml"/>'
        for n in numbers
    )
    related = "".join(_relation(n, "worksheet", f"worksheets/sheet{n}.xml") for n in numbers)
    return {
        "[Content_Types].xml": f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
        f'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>{parts}</Types>',
        "_rels/.rels": _relations(_relation(1, "officeDocument", "xl/workbook.xml")),
        "xl/_rels/workbook.xml.rels": _relations(related + _relation(len(names) + 1, "styles", "styles.xml")),
        "xl/workbook.xml": f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{sheets}</sheets>'
        "</workbook>",
        "xl/styles.xml": _STYLES,
    }


def _relation(number: int, kind: str, target: str) -> str:
    return f'<Relationship Id="rId{number}" Type="{_OFFICE}/{kind}" Target="{target}"/>'


def _relations(inside: str) -> str:
    return f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{inside}</Relationships>'
