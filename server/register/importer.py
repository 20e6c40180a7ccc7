"""The import of one table: check the header, read each row, refuse what cannot be, write the rest.

1. The file must have the right columns, or nothing is imported.
2. Each row becomes a document or a refusal; a second row with the same key is refused.
3. What a row refers to must exist: village, grid, household, campaign.
4. Accepted documents are written in batches, a database at a time, and only where they differ.
5. What follows from them is brought up to date: village documents, campaigns' copies.

A row's document is one write, so no row is half written. Step 5 runs for unchanged rows as well: importing
the same file again repairs an import that was broken off.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from server.register import follow_up, references
from server.register.cells import identifier, maybe_rounded, seen
from server.register.kinds import Column, Document, Kind, Row
from server.register.packages import Facts
from server.register.refusals import Doubt, FileRefused, Refusal
from server.register.report import Entry, Remark, Report
from server.register.sheets import Sheet, read, unread
from server.register.upsert import upsert
from sync.store import Store

HEADS_WITHIN = 10  # rows
HIDDEN_ROW = Doubt(
    "此行在 Excel 里被隐藏（或被筛掉），也已导入：如不该导入，请删除后重新核对",
    "Excel hides this row (or filters it out), and it was imported too: look whether it should be",
)


def import_file(store: Store, kind: Kind, path: Path, *, today: str, dry_run: bool = False) -> Report:
    """Import `path`; `today` (YYYY-MM-DD) stands in for missing first days. Raises FileRefused."""
    return import_sheet(store, kind, read(path), today=today, dry_run=dry_run)


def import_sheet(store: Store, kind: Kind, sheet: Sheet, *, today: str, dry_run: bool = False) -> Report:
    report = Report()
    columns = _columns(kind, sheet)
    entries = _documents(kind, columns, sheet, report)
    entries = references.checked(store, kind, entries, report.refused)
    hidden = set(sheet.facts.hidden_rows)
    report.warned = [warning for entry in entries for warning in _doubts(kind, entry, hidden)]
    _write(store, kind, entries, report, today, dry_run)
    if entries and not dry_run:
        follow_up.run(store, kind, [entry.document for entry in entries])
    report.refused.sort(key=lambda refused: refused.row)
    return report


def _columns(kind: Kind, sheet: Sheet) -> list[Column]:
    """The columns in the file's order. Raises FileRefused naming what is missing, unknown or there twice."""
    known, header = _by_heading(kind), sheet.header
    found = [known.get(name.lower()) for name in header]
    unknown = [name or "（空）" for name, column in zip(header, found, strict=True) if column is None]
    named = [column for column in found if column]
    missing = [column for column in kind.columns if column.required and column not in named]
    twice = sorted({column.name for column in named if named.count(column) > 1})
    if unknown or missing or twice:
        raise _wrong_columns(kind, missing, unknown, twice, _elsewhere(kind, sheet))
    return named


def _by_heading(kind: Kind) -> dict[str, Column]:
    return {name.lower(): column for column in kind.columns for name in (column.name, *column.zh)}


def _elsewhere(kind: Kind, sheet: Sheet) -> Refusal | None:
    """Where the heads seem to be instead: further down, or on another sheet."""
    known, required = _by_heading(kind), {column.name for column in kind.columns if column.required}
    for number, cells in sheet.rows[:HEADS_WITHIN]:
        found = {known[name].name for cell in cells if (name := seen(str(cell)).lower()) in known}
        if found >= required:
            return Refusal(
                f"表头好像在第 {number} 行：请删掉它上面的行，只留一行表头。",
                f"The heads seem to be in row {number}: delete the rows above and keep one row of heads.",
            )
    if sheet.others:
        others = "、".join(sheet.others)
        return Refusal(
            f"读的是第一张工作表“{sheet.name}”，另外还有：{others}。请把要导入的表移到最前面。",
            f"This is the first sheet, {sheet.name}; there are also {others}. Move the right one up front.",
        )
    return None


def _wrong_columns(
    kind: Kind, missing: list[Column], unknown: list[str], twice: list[str], hint: Refusal | None
) -> FileRefused:
    zh, en = ["列不符，未导入任何数据。"], ["Wrong columns; nothing was imported."]
    if missing:
        zh.append(f"缺少：{'、'.join(f'{column.zh[0]}（{column.name}）' for column in missing)}。")
        en.append(f"Missing: {', '.join(column.name for column in missing)}.")
    if unknown:
        zh.append(f"不认识：{'、'.join(unknown)}。")
        en.append(f"Unknown: {', '.join(unknown)}.")
    if twice:
        zh.append(f"重复：{'、'.join(twice)}。")
        en.append(f"Twice: {', '.join(twice)}.")
    zh.append(f"可用的列：{'、'.join(column.zh[0] for column in kind.columns)}。")
    en.append(f"Known: {', '.join(column.name for column in kind.columns)}.")
    if hint:
        zh.append(hint.zh)
        en.append(hint.en)
    return FileRefused("".join(zh), " ".join(en))


def _documents(kind: Kind, columns: Sequence[Column], sheet: Sheet, report: Report) -> list[Entry]:
    entries: list[Entry] = []
    first_row: dict[str, int] = {}
    for number, cells in sheet.rows:
        row, refused = _values(kind, columns, sheet.facts, number, cells)
        document = None if refused else _document(kind, number, row, refused)
        if document is not None and (first := first_row.setdefault(document["_id"], number)) != number:
            reason = Refusal(f"与第 {first} 行编号重复", f"the same key as row {first}")
            refused.append(Remark(number, _key(kind, row), kind.key[-1], reason))
        if document is None or refused:
            report.refused += refused
        else:
            entries.append(Entry(number, row, document))
    return entries


def _values(
    kind: Kind, columns: Sequence[Column], facts: Facts, number: int, cells: Sequence[Any]
) -> tuple[Row, list[Remark]]:
    row: Row = {}
    wrong: list[tuple[str, Refusal]] = []
    if any(str(cell).strip() for cell in cells[len(columns) :]):
        wrong.append(
            (
                "",
                Refusal(
                    "单元格比表头多：逗号或引号放错了？", "more cells than the header has: a stray comma?"
                ),
            )
        )
    for place, (column, cell) in enumerate(zip(columns, cells, strict=False)):
        if reason := unread(facts, number, place):
            wrong.append((column.name, reason))
            continue
        if isinstance(cell, str) and not cell.strip():
            continue
        try:
            row[column.name] = column.read(cell)
        except Refusal as refusal:
            wrong.append((column.name, refusal))
    refused_columns = {name for name, _ in wrong}
    for column in kind.columns:
        if column.required and column.name not in row and column.name not in refused_columns:
            wrong.append((column.name, Refusal(f"缺少{column.zh[0]}", f"{column.name} is empty")))
    return row, [Remark(number, _key(kind, row), name, reason) for name, reason in wrong]


def _document(kind: Kind, number: int, row: Row, refused: list[Remark]) -> Document | None:
    try:
        return kind.document(row)
    except Refusal as refusal:
        refused.append(Remark(number, _key(kind, row), "", refusal))
        return None


def _doubts(kind: Kind, entry: Entry, hidden: set[int]) -> list[Remark]:
    """What somebody should look at in an accepted row: ids that may have been rounded, a row that Excel
    hides."""
    doubtful = [
        (column.name, value)
        for column in kind.columns
        if column.read is identifier and maybe_rounded(value := entry.row.get(column.name, ""))
    ]
    key = _key(kind, entry.row)
    found = [Remark(entry.number, key, name, _may_be_rounded(value)) for name, value in doubtful]
    return found + ([Remark(entry.number, key, "", HIDDEN_ROW)] if entry.number in hidden else [])


def _may_be_rounded(value: str) -> Doubt:
    return Doubt(
        f"编号“{value}”已导入，但第 17 位以后都是 0，可能被表格软件取整：请与原件核对；"
        "不符时将该列设为“文本”重新填写",
        f"the id {value} was imported but may have been rounded, as it has only zeros after the 17th digit: "
        "compare it with the original; if it differs, format the column as text and enter it again",
    )


def _key(kind: Kind, row: Row) -> str:
    return ":".join(row.get(name, "?") for name in kind.key)


def _write(store: Store, kind: Kind, entries: list[Entry], report: Report, today: str, dry_run: bool) -> None:
    by_database: dict[str, list[Document]] = defaultdict(list)
    for entry in entries:
        by_database[kind.database(entry.row)].append(entry.document)
    first_only = {column.name: today for column in kind.columns if column.since_import}
    for database, documents in by_database.items():
        report.count(upsert(store, database, documents, first_only=first_only, dry_run=dry_run))
