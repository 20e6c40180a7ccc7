"""Rows as lines of text, at the speed of a form's habits.

Most records of a form answer the same questions with the same few codes. So what follows from *which* names a
record has (the order of its cells, the text between them) is worked out once for each such shape, and how a
value is masked and written once for each value of a column. Both memories are bounded: records are written by
anybody. Rows of one shape are then written a column at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import repeat
from operator import itemgetter
from typing import Any, Protocol

from server.exports.columns import ANSWERS, DOC, FIXED, Column

SHAPES_MAX = 2_000
VALUES_MAX = 20_000

Write = Callable[[Any], str]
WriteAll = Callable[[Sequence[Any]], Iterable[str]]
_Piece = str | WriteAll  # cells that no row has a value for, or a column


class Dialect(Protocol):
    """How a format writes a line: its cells with `between` between them."""

    between: str

    def cell(self, column: Column) -> Write:
        """How a value (masked, perhaps None) becomes a cell."""

    def empty(self, column: Column) -> str:
        """The cell without a value."""

    def untouched(self, column: Column, raw: Sequence[Any]) -> bool:
        """Whether every one of these values is a text that is written as it is."""


class Lines:
    """Writes rows; `names` name the values of a row's fixed part."""

    def __init__(self, columns: Sequence[Column], names: Sequence[str], dialect: Dialect) -> None:
        self._columns, self._names, self._dialect = columns, tuple(names), dialect
        self._writers = [_write_all(column, dialect) for column in columns]
        self._shapes: dict[tuple[Any, ...], _Shape] = {}

    def lines(self, rows: Iterable[tuple[Any, ...]]) -> list[str]:
        """A line for each row (fixed, doc, answers)."""
        shapes: dict[tuple[Any, ...], tuple[_Shape, list[int], list[Any]]] = {}
        at = -1
        for at, (fixed, doc, answers) in enumerate(rows):
            key = (*doc, None, *answers)
            found = shapes.get(key)
            if found is None:
                found = shapes[key] = (self._shape(key, doc, answers), [], [])
            shape, places, values = found
            places.append(at)
            values.append(shape.pick((*fixed, *doc.values(), *answers.values())))
        lines = [""] * (at + 1)
        for shape, places, values in shapes.values():
            for place, line in zip(places, shape.write(values), strict=True):
                lines[place] = line
        return lines

    def _shape(self, key: tuple[Any, ...], doc: Mapping[str, Any], answers: Mapping[str, Any]) -> _Shape:
        shape = self._shapes.get(key)
        if shape is None:
            if len(self._shapes) >= SHAPES_MAX:
                self._shapes.clear()
            shape = self._shapes[key] = self._made(doc, answers)
        return shape

    def _made(self, doc: Mapping[str, Any], answers: Mapping[str, Any]) -> _Shape:
        after = len(self._names)
        places = {
            FIXED: {name: at for at, name in enumerate(self._names)},
            DOC: {name: at for at, name in enumerate(doc, start=after)},
            ANSWERS: {name: at for at, name in enumerate(answers, start=after + len(doc))},
        }
        chosen, pieces = [], list[_Piece]()
        for column, writer in zip(self._columns, self._writers, strict=True):
            place = None if column.hidden else places[column.part].get(column.key)
            if place is not None:
                chosen.append(place)
                pieces.append(writer)
            elif pieces and isinstance(pieces[-1], str):
                pieces[-1] += self._dialect.between + self._dialect.empty(column)
            else:
                pieces.append(self._dialect.empty(column))
        return _Shape(self._dialect.between, _picker(chosen), pieces)


class _Shape:
    """How rows with the same names are written: which values, each how, and the text around them."""

    __slots__ = ("_between", "_pieces", "pick")

    def __init__(
        self, between: str, pick: Callable[[Sequence[Any]], tuple[Any, ...]], pieces: list[_Piece]
    ) -> None:
        self._between, self.pick, self._pieces = between, pick, pieces

    def write(self, values: list[tuple[Any, ...]]) -> Iterable[str]:
        columns = zip(*values, strict=True)
        written = [
            repeat(piece, len(values)) if isinstance(piece, str) else piece(next(columns))
            for piece in self._pieces
        ]
        return map(self._between.join, zip(*written, strict=True))


def _picker(places: list[int]) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    if len(places) > 1:
        return itemgetter(*places)
    return lambda values: tuple(values[place] for place in places)


def _write_all(column: Column, dialect: Dialect) -> WriteAll:
    """How the values of a column are written, those of many rows at once."""
    value, cell = column.value, dialect.cell(column)

    def make(raw: Any) -> str:
        return cell(value(raw))

    if column.kind == "unique" and column.mask is None:
        return lambda raw: raw if dialect.untouched(column, raw) else [cell(each) for each in raw]
    if column.kind in ("unique", "number", "count", "degrees", "geometry"):
        return lambda raw: [make(each) for each in raw]
    # A value is its own key, but beside its own type only: 1 and true are equal.
    texts, integers, truths = (_Memory(make).__getitem__ for _ in range(3))
    texts_in = _Memory(lambda chosen: make(list(chosen))).__getitem__

    def write(raw: Sequence[Any]) -> Iterable[str]:
        types = set(map(type, raw))
        if types <= _TEXTS:
            return map(texts, raw)
        if len(types) == 1:
            if int in types:
                return map(integers, raw)
            if bool in types:
                return map(truths, raw)
            if list in types and all(map(_all_texts, raw)):
                return map(texts_in, map(tuple, raw))
        return [texts(each) if type(each) in _TEXTS else make(each) for each in raw]

    return write


_TEXTS = frozenset({str, type(None)})


class _Memory(dict[Any, str]):
    """How each value is written."""

    def __init__(self, make: Write) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, raw: Any) -> str:
        if len(self) >= VALUES_MAX:
            self.clear()
        written = self[raw] = self._make(raw)
        return written


def _all_texts(values: Sequence[Any]) -> bool:
    return all(type(value) is str for value in values)
