"""CSV that opens right in Excel with a double click: UTF-8 with a mark, RFC 4180, no cell that runs or
loses digits.

Two dangers of a double click, and the answer to each (`docs/api.md` tells the reader):

* A text that begins like a formula (`=`, `+`, `-`, `@`, also full-width, also behind blanks) gets an
apostrophe in front: it is shown, not run.
* A text that Excel would read as a number or a date (ID numbers, phones, 12-digit codes, door number 3-2)
gets a tab in front:
  it stays text and keeps every digit. Whoever reads the file with a program strips the tab.

Numbers that are numbers, and dates and times, stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

BYTE_ORDER_MARK = "\ufeff"
_FORMULA = re.compile(r"^[\s\x00-\x20]*[=+\-@＝＋－＠]|^[\t\r\n]")
_NUMBER_OR_DATE = re.compile(r"^\s*\d[\d\s.,:/%\-年月日时分秒]*([eE][+\-]?\d+)?\s*$")
_ISO_DATE_OR_TIME = re.compile(r"^\d{4}-\d\d-\d\d(T[\d:.]+([+\-]\d\d:\d\d|Z))?$")
_NEEDS_QUOTES = re.compile(r'[",\r\n\t ]')


def text_cell(text: str) -> str:
    """`text` as Excel may safely meet it."""
    if (
        text.isidentifier()
    ):  # most cells are codes or names: a letter first, nothing that Excel reads otherwise
        return text
    text = text.replace("\x00", "")
    if _FORMULA.match(text):
        return "'" + text
    if _NUMBER_OR_DATE.match(text) and not _ISO_DATE_OR_TIME.match(text):
        return "\t" + text
    return text


def cell(value: object) -> str:
    """One value as text: yes/no as true/false, lists joined by a blank as XLSForm writes them, None empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, (list, tuple)):
        return text_cell(" ".join(str(item) for item in value))
    return text_cell(str(value))


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if _NEEDS_QUOTES.search(text) else text


def line(values: Iterable[object]) -> str:
    return ",".join(quoted(cell(value)) for value in values) + "\r\n"


def stream(
    header: Sequence[str], rows: Iterable[Sequence[object]], lines_per_piece: int = 500
) -> Iterator[bytes]:
    """The file in pieces of some hundred lines; the first piece leaves before the first row is read."""
    yield (BYTE_ORDER_MARK + line(header)).encode()
    piece: list[str] = []
    for row in rows:
        piece.append(line(row))
        if len(piece) >= lines_per_piece:
            yield "".join(piece).encode()
            piece.clear()
    if piece:
        yield "".join(piece).encode()
