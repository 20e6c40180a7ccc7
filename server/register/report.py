"""What an import did: counts, and every refused or doubtful row with its reason, also as a CSV."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path

from server.register.kinds import Document, Row
from server.register.refusals import Refusal


@dataclass(slots=True)
class Entry:
    """A row on its way: its number in the file, its values, the document it becomes."""

    number: int
    row: Row
    document: Document


@dataclass(frozen=True, slots=True)
class Remark:
    """`row` is the number that the clerk sees in the file; no `column` means the row as a whole."""

    row: int
    key: str
    column: str
    reason: Refusal


@dataclass(slots=True)
class Report:
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: list[Remark] = field(default_factory=list)
    warned: list[Remark] = field(default_factory=list)

    @property
    def refused_rows(self) -> int:
        """A row with two wrong cells is listed twice and counted once."""
        return len({refused.row for refused in self.refused})

    def count(self, outcomes: dict[str, str]) -> None:
        for outcome in outcomes.values():
            setattr(self, outcome, getattr(self, outcome) + 1)


def write_csv(report: Report, path: Path) -> None:
    """One line a refused or doubtful cell. With BOM, so that Excel shows the Chinese."""
    with open(path, "w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["行/row", "编号/key", "列/column", "处理/outcome", "原因", "reason"])
        for outcome, remarks in (("拒绝/refused", report.refused), ("提醒/warning", report.warned)):
            for remark in remarks:
                reason = remark.reason
                cells = [remark.row, remark.key, remark.column, outcome, reason.zh, reason.en]
                writer.writerow([_inert(str(cell)) for cell in cells])


def _inert(cell: str) -> str:
    """A cell that Excel would run as a formula is made text."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
