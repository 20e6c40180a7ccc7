"""What an export is about, read and allowed: everything that can be refused is refused here, before the first
byte or at the ordering of a job."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from server.app import Gridbook
from server.exports.columns import (
    OF_INSTANCE,
    OF_RECORD,
    Column,
    instances,
    record_columns,
    repeat_columns,
    repeat_groups,
)
from server.readmodel import codec
from server.readmodel.export_queries import Place, Span, export_one, export_pages, place_of
from server.readmodel.record_filters import RecordFilters
from server.readmodel.record_queries import void_values
from sync.store import Doc

Row = tuple[Any, ...]  # (fixed, doc, answers), as server/exports/columns.py says


@dataclass(frozen=True, slots=True)
class Asked:
    """One export, in a form that can be kept as JSON. `table` is a repeat group, or None for the records."""

    form_id: str
    table: str | None
    format: str
    filters: RecordFilters
    span: Span
    in_full: bool

    def up_to(self, place: Place | None) -> Asked:
        """Without what arrives after `place`; None ends it nowhere."""
        return replace(self, span=replace(self.span, until=place))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Asked:
        span = {name: tuple(place) if place else None for name, place in kept["span"].items()}
        filters = RecordFilters(**kept["filters"])
        return cls(**{**kept, "filters": filters, "span": Span(**span)})


@dataclass(frozen=True, slots=True)
class Table:
    """Columns and rows of one table; `pages` reads as it is asked for, and a row is decoded when its turn
    comes. `names` name the fixed part of a row."""

    name: str
    columns: list[Column]
    names: tuple[str, ...]
    in_full: bool
    pages: Callable[[], Iterator[Iterable[Row]]]


def tables(shared: Gridbook, versions: list[Doc], asked: Asked, read: Callable[[int], None]) -> list[Table]:
    """The table that is asked for; and when that is the records, those of its repeats after it. `read` is
    told how many records each page had (of the first table only)."""
    groups = repeat_groups(versions)
    if asked.table is not None:
        return [_repeat(shared, asked, asked.table, groups[asked.table], read)]
    columns = record_columns(versions, in_full=asked.in_full)

    def pages() -> Iterator[Iterable[Row]]:
        for page in export_pages(shared.readmodel, asked.filters, asked.span):
            yield map(_record, page)
            read(len(page))

    first = Table(asked.form_id, columns, OF_RECORD, asked.in_full, pages)
    return [first, *(_repeat(shared, asked, name, group, _nobody) for name, group in groups.items())]


def _repeat(
    shared: Gridbook, asked: Asked, name: str, group: list[Any], read: Callable[[int], None]
) -> Table:
    def pages() -> Iterator[Iterable[Row]]:
        for page in export_pages(shared.readmodel, asked.filters, asked.span, f'"{name}"'):
            yield (
                instance
                for fixed, doc, answers in map(_record, page)
                for instance in instances(fixed, doc, answers.get(name))
            )
            read(len(page))

    return Table(name, repeat_columns(group, in_full=asked.in_full), OF_INSTANCE, asked.in_full, pages)


def _record(row: Any) -> Row:
    doc = codec.decode(row[-1])
    answers = doc.get("answers")
    *kept, voided, void, _, _ = row
    return (
        (*kept, True if voided else None, *void_values(void)),
        doc,
        answers if type(answers) is dict else {},
    )


def records_with_rows(shared: Gridbook, asked: Asked) -> Iterator[tuple[Place, list[Row]]]:
    """Each record's place, with its row, or its rows in the repeat that is asked for."""
    holding = f'"{asked.table}"' if asked.table else None
    for page in export_pages(shared.readmodel, asked.filters, asked.span, holding):
        for kept in page:
            yield place_of(kept), _rows(kept, asked.table)


def one_with_rows(shared: Gridbook, asked: Asked, record_id: str) -> list[Row]:
    """That record's row, or its rows in the repeat that is asked for; none when there is no such record."""
    kept = export_one(shared.readmodel, asked.filters, record_id)
    return [] if kept is None else _rows(kept, asked.table)


def count_rows(shared: Gridbook, asked: Asked) -> int:
    """Of the repeat that is asked for, by reading every record that has any; others get their turn between
    two pages."""
    found = 0
    for page in export_pages(shared.readmodel, asked.filters, asked.span, f'"{asked.table}"'):
        found += sum(len(_rows(kept, asked.table)) for kept in page)
        time.sleep(0)
    return found


def _rows(kept: Any, table: str | None) -> list[Row]:
    fixed, doc, answers = _record(kept)
    return list(instances(fixed, doc, answers.get(table))) if table else [(fixed, doc, answers)]


def _nobody(_count: int) -> None:
    pass
