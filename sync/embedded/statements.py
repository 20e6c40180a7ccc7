"""What SQLite asks of long statements: a bounded number of values each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

MANY = 500

T = TypeVar("T")


def batched(values: Iterable[T], size: int = MANY) -> Iterator[list[T]]:
    rest = iter(values)
    while some := list(islice(rest, size)):
        yield some
