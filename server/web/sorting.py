"""The heads of a table's columns, and what each sorts by. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from server.web.language import translate as t


def heads(
    columns: Iterable[tuple[str, str]],
    sorts: Collection[str],
    now: str,
    parameter: str,
    *,
    named: bool = False,
) -> list[dict[str, Any]]:
    """[{words, parameter, sort, sorted, next}] of (sort, name) pairs: `sort` is what the column sorts by, if
    anything, `next` what a click asks for. A name is a key of `field.…`, or the words themselves when
    `named`."""
    return [
        _head(sort, name if named else t(f"field.{name}"), sorts, now, parameter) for sort, name in columns
    ]


def _head(sort: str, words: str, sorts: Collection[str], now: str, parameter: str) -> dict[str, Any]:
    directions = {sort: "ascending", f"-{sort}": "descending"}
    return {
        "words": words,
        "parameter": parameter,
        "sort": sort if sort in sorts else "",
        "sorted": directions.get(now) if sort else None,
        "next": f"-{sort}" if now == sort else sort,
    }
