"""The answers that a compiled form can give, in its own order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

LEVELLESS = ("begin_group", "group")


def answer_names(compiled: Mapping[str, Any]) -> list[str]:
    """Top-level names: a group's questions stand for themselves, a repeat is one answer."""
    return list(dict.fromkeys(_names(compiled.get("survey", []))))


def _names(rows: Any) -> Iterator[str]:
    for row in rows if isinstance(rows, list) else ():
        if row.get("type") in LEVELLESS:
            yield from _names(row.get("children", []))
        elif row.get("type") != "note" and isinstance(row.get("name"), str):
            yield row["name"]
