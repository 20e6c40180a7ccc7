"""Rows of exceptions: one for each problem of a record that waits for a correction, and for each flag on the
records of the day."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Row as SqlRow
from sqlalchemy import Select, select

from server.readmodel import codec
from server.readmodel.tables import flags, records
from server.workbooks.asked import Asked
from server.workbooks.template import Template

WAITING = ("quarantined", "returned")

Row = dict[str, Any]


class ExceptionRows:
    def __init__(self, asked: Asked, template: Template) -> None:
        self._asked = asked

    def choices(self, value: str) -> str | None:
        return None

    def __iter__(self) -> Iterator[Row]:
        with self._asked.readmodel.engine.connect() as connection:
            for found in connection.execution_options(stream_results=True).execute(self._waiting()):
                problems = codec.decode(found.problems) or [{}]
                yield from (_row(found, problem) for problem in problems)
            for found in connection.execute(self._flagged()):
                yield _row(found, codec.decode(found.problem))

    def _waiting(self) -> Select[Any]:
        query = select(records).where(records.c.status.in_(WAITING), records.c.closed.is_(False))
        return self._within(query).order_by(records.c.received_at, records.c.record_id)

    def _flagged(self) -> Select[Any]:
        query = select(records, flags.c.problem).join(flags, flags.c.record_id == records.c.record_id)
        query = query.where(records.c.effective, records.c.work_date == self._asked.day)
        return self._within(query).order_by(flags.c.rule, records.c.received_at, records.c.record_id)

    def _within(self, query: Select[Any]) -> Select[Any]:
        level, code = self._asked.area["level"], self._asked.area["code"]
        if level == "district":
            return query
        return query.where((records.c.town_code if level == "town" else records.c.village_code) == code)

    def value(self, row: Row, name: str) -> Any:
        head, _, rest = name.partition(".")
        if head == "problem":
            found = row["problem"].get(rest)
            return self._asked.pick(found) if rest == "message" else found
        return row["record"].get(rest)


def _row(found: SqlRow[Any], problem: Row) -> Row:
    record = {name: value for name, value in found._mapping.items() if name not in ("doc", "facts", "search")}
    return {"record": record, "problem": problem, "village": found.village_code}
