"""Rows of units: entries of a register, and the lists of what is still to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from server.api.masking import mask_register_entry
from server.readmodel import queries
from server.workbooks.asked import Asked
from server.workbooks.template import Template

PAGE = 1000
PERSONAL = ("household", "roster_entry", "filler")

Row = dict[str, Any]


class UnitRows:
    def __init__(self, asked: Asked, template: Template) -> None:
        self._asked, self._template = asked, template

    def choices(self, value: str) -> str | None:
        return None

    def __iter__(self) -> Iterator[Row]:
        ask, cursor = self._question(), None
        while True:
            page = ask(cursor)
            yield from (self._row(item) for item in page.items if self._is_active(item))
            cursor = page.next_cursor
            if cursor is None:
                return

    def _question(self) -> Callable[[str | None], queries.Page]:
        asked, rm, code = self._asked, self._asked.readmodel, str(self._asked.area["code"])
        questions: dict[str, Callable[[str | None], queries.Page]] = {
            "register": lambda at: queries.units(rm, self._template.register or "", code, at, PAGE),
            "roster_outstanding": lambda at: queries.roster_outstanding(rm, code, at, PAGE),
            "points_overdue": lambda at: queries.points_overdue(rm, code, asked.now, at, PAGE),
            "not_reached": lambda at: queries.not_reached(rm, code, asked.day, at, PAGE),
        }
        return questions[self._template.rows]

    def _is_active(self, item: Row) -> bool:
        if self._template.rows != "register":
            return True
        return bool(item["active_from"] <= self._asked.day <= item["active_to"])

    def _row(self, item: Row) -> Row:
        entry = item.get("entry") or {}
        found = entry.get("summary")
        summary: Row = found if isinstance(found, dict) else {}
        # What a list says of a unit is as of now; a register's entry carries the same as its summary.
        known = {"state": "open", "attempts": 0} | summary | item
        shown = entry if self._asked.in_full or not self._is_personal() else mask_register_entry(entry)
        return {**known, "entry": shown, "village": item.get("village_code") or ""}

    def _is_personal(self) -> bool:
        register = self._template.register if self._template.rows == "register" else ""
        return self._template.rows in ("roster_outstanding", "not_reached") or register in PERSONAL

    def value(self, row: Row, name: str) -> Any:
        head, _, rest = name.partition(".")
        if head == "entry":
            return row["entry"].get(rest)
        if head in ("delivered", "entitled"):
            items = row.get("delivered") if head == "delivered" else row["entry"].get("entitlement")
            return _quantity(items, rest)
        return row.get(name)


def _quantity(items: Any, code: str) -> Any:
    rows = [each for each in items if isinstance(each, dict)] if isinstance(items, list) else []
    return next((each.get("qty") for each in rows if each.get("item_code") == code), 0)
