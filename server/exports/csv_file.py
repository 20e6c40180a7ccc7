"""CSV: one table, in pieces of a page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from server.api import csv_text
from server.exports.asked import Table
from server.exports.columns import Column
from server.exports.lines import Lines, Write

# Ids and moments that neither need quotes nor are read otherwise by Excel, each in a line.
_PLAIN = re.compile(
    r"(?:[A-Za-z_][A-Za-z0-9_.:\-]*\n"
    r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+\-]\d\d:\d\d)\n)*"
)


class Csv:
    between = ","

    def cell(self, column: Column) -> Write:
        return _text

    def empty(self, column: Column) -> str:
        return ""

    def untouched(self, column: Column, raw: Sequence[Any]) -> bool:
        try:
            return _PLAIN.fullmatch("\n".join(raw) + "\n") is not None
        except TypeError:  # something else than text among them
            return False


def _text(value: object) -> str:
    return csv_text.quoted(csv_text.cell(value))


def write(tables: Sequence[Table]) -> Iterator[bytes]:
    """The first table only; its heads leave before a row is read."""
    table = tables[0]
    yield (csv_text.BYTE_ORDER_MARK + csv_text.line(column.name for column in table.columns)).encode()
    lines = Lines(table.columns, table.names, Csv()).lines
    for page in table.pages():
        # Lone surrogates, which JSON can hold and UTF-8 cannot, become question marks.
        yield "\r\n".join([*lines(page), ""]).encode("utf-8", "replace")
