"""A few stock movements of the demo district, as two village offices would have recorded them: the only
records that it begins with, so that the page of stock has something to show. Neither village has a phone of
the demo."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

from sync.store import Store

FORM = "stock_movement"
BEIJING = timezone(timedelta(hours=8))
# Village, days ago, kind, item, unit, amount; what else is answered.
MOVEMENTS: tuple[tuple[str, int, str, str, str, float, dict[str, str]], ...] = (
    ("370304002901", 2, "donation", "MASK", "piece", 500, {"donor_name": "示范企业"}),
    ("370304002901", 2, "purchase", "SANITIZER", "l", 50, {"doc_no": "CG-001"}),
    ("370304002901", 1, "issue", "MASK", "piece", 60, {"receiver": "消毒一组"}),
    ("370304002901", 1, "use", "SANITIZER", "l", 4.5, {}),
    ("370304002901", 0, "stocktake", "MASK", "piece", 431, {}),
    ("370304004901", 2, "allocate_in", "FLOUR", "bag", 100, {"other_warehouse": "示范物资库"}),
    ("370304004901", 1, "issue", "FLOUR", "bag", 30, {"receiver": "配送一队"}),
    ("370304004901", 1, "damage", "FLOUR", "bag", 2, {}),
    ("370304004901", 0, "stocktake", "FLOUR", "bag", 60, {}),
)


def load(store: Store, now: datetime) -> int:
    """Put them into the inboxes, unless an inbox has some; how many were put."""
    made: dict[str, list[dict[str, Any]]] = {}
    for village, record in records(now):
        made.setdefault(village, []).append(record)
    count = 0
    for village, documents in made.items():
        inbox = store.ensure(f"inbox-{village}")
        if not any(inbox.documents(f"record:{FORM}:")):
            inbox.bulk_docs(documents, writer="server")
            count += len(documents)
    return count


def records(now: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
    """(village, record), a minute apart on each day and none later than `now`."""
    for number, (village, ago, move, item, unit, amount, more) in enumerate(MOVEMENTS):
        at = now.astimezone(BEIJING) - timedelta(days=ago, minutes=len(MOVEMENTS) - number)
        moment, day = at.isoformat(timespec="seconds"), at.date().isoformat()
        counted = "counted_qty" if move == "stocktake" else "qty"
        yield (
            village,
            {
                "_id": f"record:{FORM}:{day.replace('-', '')}:{uuid.uuid4()}",
                "type": "record",
                "form_id": FORM,
                "form_version": "1",
                "work_date": day,
                "captured_at": moment,
                "started_at": moment,
                "ended_at": moment,
                "entry_mode": "on_spot",
                "device_id": "demo",
                "filler_id": f"{village}-F3",
                "filler_role": "village_cadre",
                "town_code": village[:9],
                "village_code": village,
                "confirmed": [],
                "answers": {
                    "move_type": move,
                    "warehouse_id": f"{village}-S1",
                    "item_code": item,
                    "unit": unit,
                    counted: amount,
                    **more,
                },
            },
        )
