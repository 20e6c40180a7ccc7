"""Long statements and long results in pieces: so many values, so many bytes at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

MANY = 500
PAGE_BYTES = 1 << 20  # a page of rows with bodies is not much longer
LARGE_PAGE_BYTES = 16 << 20  # for the one process that follows

T = TypeVar("T")
Row = tuple[Any, ...]


def batched(values: Iterable[T], size: int = MANY) -> Iterator[list[T]]:
    rest = iter(values)
    while some := list(islice(rest, size)):
        yield some


def within_page(rows: Iterable[Row], page_bytes: int = PAGE_BYTES) -> tuple[list[Row], bool]:
    """The first rows, as many as a page takes, at least one, and whether these are not all. Their last column
    is a body or None.
    """
    taken: list[Row] = []
    left = page_bytes
    for row in rows:
        if left <= 0:
            return taken, True
        taken.append(row)
        left -= len(row[-1] or b"")
    return taken, False
