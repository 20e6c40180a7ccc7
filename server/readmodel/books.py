"""What a unit's movements leave on its books: a line for each part of each `balance` component."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from server.readmodel.contributions import Entry, Unit
from server.readmodel.declaration import Component, Declaration
from server.readmodel.figures import number

Line = dict[str, Any]


def lines(unit: Unit, history: Sequence[Entry], declaration: Declaration) -> list[Line]:
    """[{component, name (the part), qty, since: {sum: amount since the last count}, counted?: {qty, before?,
    difference?, work_date, record_id}}] by component and name. `before` is what the books said when it was
    counted, absent when nothing had been recorded."""
    found: list[Line] = []
    for component in declaration.of_unit(unit.kind):
        if component.kind == "balance":
            found += _of(component, history)
    return found


def _of(component: Component, history: Sequence[Entry]) -> list[Line]:
    books: dict[str, Line] = {}
    for entry in history:
        for part, amount, counts in entry.facts.get(component.said, ()):
            before = books[part]["qty"] if part in books else None
            if counts:
                books[part] = {"qty": amount, "since": {}, "counted": _count(entry, amount, before)}
            else:
                line = books.setdefault(part, {"qty": 0, "since": {}})
                line["qty"] += amount
        for name in component.since_count:
            for part, amount in entry.facts.get(name, {}).items():
                since = books.setdefault(part, {"qty": 0, "since": {}})["since"]
                since[name] = since.get(name, 0) + amount
    return [_told(component, name, line) for name, line in sorted(books.items())]


def _count(entry: Entry, amount: int, before: int | None) -> Line:
    compared = {} if before is None else {"before": number(before), "difference": number(amount - before)}
    found = {"qty": number(amount), "work_date": entry.work_date, "record_id": entry.record_id}
    return found | compared


def _told(component: Component, name: str, line: Line) -> Line:
    since = {each: number(amount) for each, amount in line["since"].items()}
    return {"component": component.name, "name": name} | line | {"qty": number(line["qty"]), "since": since}


def tallies(line: Line) -> bool:
    """Whether the line raises no question: nothing below zero, and the last count as the books had it."""
    return bool(line["qty"] >= 0 and not line.get("counted", {}).get("difference"))
