"""The one place that speaks a dialect: insert, or update what is there.

A batch writes hundreds of thousands of values. SQLite takes them row by row through one prepared statement;
PostgreSQL takes them as one array a column in one statement, which spares it a round trip for every row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Column, Connection, Table, Text, bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeEngine

ROWS_MAX = 5000  # one statement's worth

Row = Mapping[str, Any]


def upsert(connection: Connection, table: Table, rows: Sequence[Row], *, add: str | None = None) -> None:
    """Write rows by primary key, of which the last of a kind holds. With `add`, that column grows by the
    rows' values instead of being replaced; then no key may come twice. Rows name every column."""
    names = [column.name for column in table.columns]
    if connection.dialect.name == "postgresql":
        statement = _of_arrays(table, add)
        for some in _portions(_last_of_each_key(table, rows)):
            connection.execute(statement, {f"{name}s": [row[name] for row in some] for name in names})
        return
    text = _of_rows(table, add)
    for some in _portions(rows):
        connection.exec_driver_sql(text, [tuple([row[name] for name in names]) for row in some])


def _portions(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    for start in range(0, len(rows), ROWS_MAX):
        yield rows[start : start + ROWS_MAX]


def _last_of_each_key(table: Table, rows: Sequence[Row]) -> Sequence[Row]:
    """PostgreSQL refuses to touch a row twice in one statement."""
    keys = [column.name for column in table.primary_key]
    found = {tuple([row[key] for key in keys]): row for row in rows}
    return rows if len(found) == len(rows) else list(found.values())


@cache
def _of_rows(table: Table, add: str | None) -> str:
    """With a question mark for each column, in the table's order."""
    return str(_updating(sqlite.insert(table), table, add).compile(dialect=sqlite.dialect()))


@cache
def _of_arrays(table: Table, add: str | None) -> Any:
    """With a parameter for each column: its name and an s."""
    arrays = [
        bindparam(f"{column.name}s", type_=postgresql.ARRAY(_plain(column))) for column in table.columns
    ]
    names = [column.name for column in table.columns]
    rows = select(func.unnest(*arrays).table_valued(*names).render_derived())
    return _updating(postgresql.insert(table).from_select(names, rows), table, add)


def _plain(column: Column[Any]) -> TypeEngine[Any]:
    """The column's type without its collation, which an array's elements cannot name."""
    return Text() if isinstance(column.type, Text) else column.type


def _updating(insert: Any, table: Table, add: str | None) -> Any:
    keys = [column.name for column in table.primary_key]
    new = insert.excluded
    changed = (
        {add: table.c[add] + new[add]}
        if add
        else {c.name: new[c.name] for c in table.c if c.name not in keys}
    )
    return insert.on_conflict_do_update(index_elements=keys, set_=changed)
