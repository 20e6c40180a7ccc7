"""A small district to import into, and tables written the way offices write them."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import openpyxl

from server.register.importer import import_file
from server.register.kinds import KINDS
from server.register.report import Report
from sync.store import Store

TODAY = "2020-02-21"
VILLAGE, OTHER_VILLAGE = "370304001901", "370304001902"
AREAS = [
    {"code": "370304", "name": "博山区"},
    {"code": "370304001", "name": "城东街道"},
    {"code": VILLAGE, "name": "示范一村"},
    {"code": OTHER_VILLAGE, "name": "示范二村"},
    {"code": f"{VILLAGE}01", "name": "第一网格"},
]
HOUSEHOLD = {
    "household_id": "H1",
    "village_code": VILLAGE,
    "grid_code": f"{VILLAGE}01",
    "door_no": "1号",
    "address": "示范一村1号",
    "head_name": "单晓明",
}
CAMPAIGN = {
    "campaign_id": "C1",
    "name_zh": "送爱心",
    "starts_on": "2020-01-26",
    "items": "VEG_BOX:1:box; RICE_BAG:1:袋",
}
ENTRY = {
    "campaign_id": "C1",
    "entry_no": "00001",
    "household_id": "H1",
    "head_name": "单晓明",
    "category": "低保",
    "village_code": VILLAGE,
}


def write_csv(path: Path, rows: list[dict[str, Any]], encoding: str = "utf-8", delimiter: str = ",") -> Path:
    with open(path, "w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(
            file, list(dict.fromkeys(name for row in rows for name in row)), delimiter=delimiter
        )
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_xlsx(path: Path, rows: list[dict[str, Any]]) -> Path:
    book = openpyxl.Workbook()
    header = list(dict.fromkeys(name for row in rows for name in row))
    for cells in [header, *([row.get(name) for name in header] for row in rows)]:
        book.active.append(cells)
    book.save(path)
    return path


def imported(store: Store, folder: Path, kind: str, rows: list[dict[str, Any]], **options: Any) -> Report:
    path = write_csv(folder / f"{kind}.csv", rows)
    return import_file(store, KINDS[kind], path, today=options.pop("today", TODAY), **options)


def counts(report: Report) -> tuple[int, int, int, int]:
    """added, changed, unchanged, refused"""
    return report.added, report.changed, report.unchanged, report.refused_rows
