"""Rows of units: entries of a register, and the lists of what is still to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import select

from server.api.masking import mask_register_entry
from server.readmodel import codec, queries
from server.readmodel.tables import units
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
            active = [item for item in page.items if self._is_active(item)]
            states = self._states(active)
            yield from (self._row(item, states) for item in active)
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

    def _states(self, items: list[Row]) -> dict[tuple[str, str], Row]:
        """What the records say of a register's entries; the lists of what is to do carry it along."""
        kind = self._asked.readmodel.declaration.unit_of_register(self._template.register or "")
        if kind is None or not items:
            return {}
        ids = [item["id"] for item in items]
        found = select(units.c.village_code, units.c.unit_id, units.c.state).where(
            units.c.kind == kind.name, units.c.unit_id.in_(ids)
        )
        with self._asked.readmodel.engine.connect() as connection:
            rows = connection.execute(found).all()
        return {(row.village_code, row.unit_id): codec.decode(row.state) for row in rows}

    def _row(self, item: Row, states: dict[tuple[str, str], Row]) -> Row:
        entry = item.get("entry") or {}
        state = states.get((item["village_code"], item.get("id", "")), {})
        attempts = {"attempts": state.get("deliveries", state.get("visits", 0))}
        known = {"state": "open"} | attempts | state | item
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
