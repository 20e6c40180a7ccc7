"""Parquet with typed columns. A value that is not of its column's type, as only a refused record has one, is
null; CSV has it. pyarrow takes 165 MB of disk and is only imported when a file is written."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from itertools import chain
from typing import Any

from server.exports.asked import Table
from server.exports.sink import Sink

ROWS_A_GROUP = 5_000
INSTALL = "pip install pyarrow==26.0.1"


def missing() -> str | None:
    """How to install what the format needs; None when it is there."""
    return None if find_spec("pyarrow") else INSTALL


def write(tables: Sequence[Table]) -> Iterator[bytes]:
    """The first table, in groups of rows."""
    import pyarrow
    from pyarrow import parquet

    table, sink = tables[0], Sink()
    types = {"integer": pyarrow.int64(), "count": pyarrow.int64(), "number": pyarrow.float64()}
    types |= {"degrees": pyarrow.float64(), "yes_no": pyarrow.bool_(), "flag": pyarrow.bool_()}
    types |= {"choices": pyarrow.list_(pyarrow.string())}
    schema = pyarrow.schema([(each.name, types.get(each.kind, pyarrow.string())) for each in table.columns])
    with parquet.ParquetWriter(_Told(sink), schema, compression="zstd") as writer:
        for rows in _groups(chain.from_iterable(table.pages())):
            columns = [[column.typed(row, table.names) for row in rows] for column in table.columns]
            arrays = [pyarrow.array(each, field.type) for each, field in zip(columns, schema, strict=True)]
            writer.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))
            yield sink.take()
    yield sink.take()


class _Told(io.RawIOBase):
    """pyarrow asks where it is."""

    def __init__(self, sink: Sink) -> None:
        super().__init__()
        self._sink, self._at = sink, 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def write(self, data: object) -> int:
        count = self._sink.write(data)
        self._at += count
        return count


def _groups(rows: Iterator[Any]) -> Iterator[list[Any]]:
    group: list[Any] = []
    for row in rows:
        group.append(row)
        if len(group) >= ROWS_A_GROUP:
            yield group
            group = []
    yield group
