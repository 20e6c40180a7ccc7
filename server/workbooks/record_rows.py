"""Rows of records: one for each that counts, or for each instance of a repeat in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from schemas.expressions import Environment, TooMuch, to_boolean
from server.api.catalogue import questions, survey
from server.api.masking import mask_kind, mask_register_entry, mask_value
from server.exports.columns import answer_masks, repeat_groups
from server.readmodel import queries
from server.readmodel.declaration import UnitKind
from server.readmodel.expressions import compile_text, frame
from server.readmodel.person_queries import last_instances
from server.readmodel.register_rows import load_entries
from server.workbooks.asked import Asked
from server.workbooks.template import Template

ROWS_AT_ONCE = 500
LEVELS = {"town": "town_code", "village": "village_code"}

Row = dict[str, Any]


class RecordRows:
    """Looks up `record.…`, `answer.…`, `row.…`, `entry.…` and `filler.…` of one record or instance."""

    def __init__(self, asked: Asked, template: Template) -> None:
        self._asked, self._template = asked, template
        versions = asked.forms[template.form or ""]
        groups = repeat_groups(versions)
        instance = groups.get(template.repeat or "", [])
        self._answer_masks = answer_masks(versions)
        self._row_masks = {str(each["name"]): mask_kind(each) for each in instance}
        outside = [each for compiled in versions for each in questions(survey(compiled))]
        self._lists = {
            **{f"answer.{each['name']}": each.get("list") for each in outside if "select" in each["type"]},
            **{f"row.{each['name']}": each.get("list") for each in instance if "select" in each["type"]},
        }
        self._where = compile_text(template.where) if template.where else None
        self._unit = self._asked.readmodel.declaration.unit_of_form(template.form)

    def choices(self, value: str) -> str | None:
        return self._lists.get(value)

    def __iter__(self) -> Iterator[Row]:
        if self._template.last_of:
            yield from self._last_rows()
            return
        found = iter(queries.export_rows(self._asked.readmodel, self._template.form or "", self._filters()))
        while batch := list(islice(found, ROWS_AT_ONCE)):
            entries = self._entries(batch)
            for record in batch:
                yield from self._instances(record, entries)

    def _last_rows(self) -> Iterator[Row]:
        """Of each person the last instance up to the day, in whatever village it was made; the area's."""
        asked, form = self._asked, self._template.form or ""
        kinds = self._asked.readmodel.declaration.mentioned.values()
        kind = next(each.name for each in kinds if (each.form, each.each) == (form, self._template.repeat))
        found = iter(
            last_instances(asked.readmodel, kind, self._template.last_of, asked.day, str(asked.area["code"]))
        )
        while wanted := list(islice(found, ROWS_AT_ONCE)):
            keys = [(db, record_id) for db, record_id, _ in wanted]
            records = queries.export_of(asked.readmodel, form, keys)
            entries = self._entries(list(records.values()))
            for db, record_id, place in wanted:
                if (db, record_id) in records:
                    yield from self._instances(records[db, record_id], entries, place)

    def _filters(self) -> queries.RecordFilters:
        level = LEVELS.get(str(self._asked.area["level"]))
        within: dict[str, Any] = {level: str(self._asked.area["code"])} if level else {}
        first = self._asked.day if self._template.period == "day" else None
        return queries.RecordFilters(
            effective=True, from_work_date=first, to_work_date=self._asked.day, **within
        )

    def _instances(
        self, record: Row, entries: Mapping[tuple[str, str, str], Row], only: int | None = None
    ) -> Iterator[Row]:
        known = {
            "": record,
            "entry": entries.get(self._unit_key(record), {}),
            "filler": entries.get(_filler_key(record), {}),
        }
        if not self._asked.in_full:
            known = {name: mask_register_entry(each) if name else each for name, each in known.items()}
        for place, instance in enumerate(self._repeated(record)):
            if only in (None, place) and self._holds(record, instance):
                yield {**known, "row": instance, "village": record.get("village_code") or ""}

    def _repeated(self, record: Row) -> Iterable[Row]:
        if not self._template.repeat:
            return ({},)
        rows = record.get(self._template.repeat)
        return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else ()

    def _holds(self, record: Row, instance: Row) -> bool:
        if self._where is None:
            return True
        answers = {
            name.removeprefix("answers."): value for name, value in record.items() if value is not None
        }
        try:
            return to_boolean(self._where(Environment(frame({**answers, **instance}))))
        except TooMuch:
            return False

    def _entries(self, batch: list[Row]) -> dict[tuple[str, str, str], Row]:
        keys = {self._unit_key(row) for row in batch} | {_filler_key(row) for row in batch}
        with self._asked.readmodel.engine.connect() as connection:
            return load_entries(connection, sorted(key for key in keys if all(key)))

    def _unit_key(self, record: Row) -> tuple[str, str, str]:
        return _unit_key(self._unit, self._template.form or "", record)

    def value(self, row: Row, name: str) -> Any:
        head, _, rest = name.partition(".")
        if head in ("entry", "filler"):
            return row[head].get(rest)
        if head == "row":
            return self._masked(self._row_masks.get(rest), row["row"].get(rest))
        record = row[""]
        if head == "answer":
            found = record.get(f"answers.{rest}", record.get(rest))
            return self._masked(self._answer_masks.get(rest), found)
        return self._masked("text" if rest == "remark" else None, record.get(rest))

    def _masked(self, kind: str | None, value: Any) -> Any:
        return value if self._asked.in_full else mask_value(kind, value)


def _unit_key(unit: UnitKind | None, form: str, record: Row) -> tuple[str, str, str]:
    named = record.get(unit.forms[form]) if unit else None
    return (unit.register if unit else "", str(named or ""), str(record.get("village_code") or ""))


def _filler_key(record: Row) -> tuple[str, str, str]:
    return ("filler", str(record.get("filler_id") or ""), str(record.get("village_code") or ""))
