"""Cursors: where the next page begins, as an opaque text that names the query it belongs to."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

LIMIT_MAX = 1000


class BadCursor(ValueError):
    """The cursor is broken or belongs to another query."""


@dataclass(frozen=True, slots=True)
class Page:
    items: list[dict[str, Any]]
    next_cursor: str | None


def encode_cursor(query: str, place: list[str]) -> str:
    return (
        base64.urlsafe_b64encode(json.dumps([query, *place], separators=(",", ":")).encode())
        .decode()
        .rstrip("=")
    )


def decode_cursor(query: str, cursor: str | None, length: int) -> list[str] | None:
    """The place that `encode_cursor` wrote for the same query. Raises BadCursor."""
    if not cursor:
        return None
    try:
        values = json.loads(
            base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        )
    except (ValueError, binascii.Error, RecursionError) as error:
        raise BadCursor("This cursor cannot be read.") from error
    if not (
        isinstance(values, list) and all(isinstance(value, str) and "\0" not in value for value in values)
    ):
        raise BadCursor("This cursor cannot be read.")
    if len(values) != length + 1 or values[0] != query:
        raise BadCursor("This cursor belongs to another query.")
    return values[1:]


def page_of(query: str, rows: list[dict[str, Any]], limit: int, keys: tuple[str, ...]) -> Page:
    """A page from up to `limit` + 1 rows, which carry the cursor's keys."""
    more = len(rows) > limit
    rows = rows[:limit]
    cursor = encode_cursor(query, [rows[-1][key] for key in keys]) if more else None
    return Page(rows, cursor)


def clamp(limit: int) -> int:
    return max(1, min(limit, LIMIT_MAX))
