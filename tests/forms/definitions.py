"""The form definitions as they lie in the folder, row by row."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FORMS = HERE.parent.parent / "forms"
FORM_IDS = ["household_visit", "disinfection_log", "supply_delivery", "stock_movement"]

Row = dict[str, Any]


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def definition(name: str) -> dict[str, Any]:
    found: dict[str, Any] = read(FORMS / f"{name}.json")
    return found


def rows(survey: list[Row], parent: str = "") -> Iterator[tuple[str, Row]]:
    """Each row with the name of the group or repeat around it, in the order of the screen."""
    for row in survey:
        yield parent, row
        yield from rows(row.get("children", []), row["name"])


def questions(name: str) -> list[tuple[str, Row]]:
    return [
        (parent, row)
        for parent, row in rows(definition(name)["survey"])
        if not row["type"].startswith("begin_")
    ]
