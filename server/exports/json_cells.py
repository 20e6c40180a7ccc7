"""Cells of JSON: `"name":value`, null where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from server.exports.columns import Column
from server.exports.lines import Write
from server.readmodel import codec


class JsonCells:
    between = ","

    def cell(self, column: Column) -> Write:
        name = self.name(column)
        return lambda value: name + codec.encode(value)

    def empty(self, column: Column) -> str:
        return self.name(column) + "null"

    def untouched(self, column: Column, raw: Sequence[Any]) -> bool:
        return False

    def name(self, column: Column) -> str:
        return codec.encode(column.name) + ":"
