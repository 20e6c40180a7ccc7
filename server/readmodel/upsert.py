"""The one place that speaks a dialect: insert, or update what is there.

A batch writes hundreds of thousands of values. SQLite takes them row by row through one prepared statement;
PostgreSQL takes them as one JSON text in one statement, which spares it a round trip for every row and us the
writing of each value in PostgreSQL's own way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any

from sqlalchemy import JSON, Column, Connection, Table, Text, bindparam, cast, func, select
from sqlalchemy import column as sql_column
from sqlalchemy.dialects import sqlite
from sqlalchemy.types import TypeEngine

from server.readmodel import codec

ROWS_MAX = 5000  # one statement's worth

Row = Mapping[str, Any]


def upsert(connection: Connection, table: Table, rows: Sequence[Row], *, add: str | None = None) -> None:
    """Write rows by primary key, of which the last of a kind holds. With `add`, that column grows by the
    rows' values instead of being replaced; then no key may come twice. Rows name every column."""
    names = [column.name for column in table.columns]
    if connection.dialect.name == "postgresql":
        statement = _of_json(table, add)
        for some in _portions(_last_of_each_key(table, rows)):
            connection.execute(statement, {"rows": codec.encode([_named(row, names) for row in some])})
        return
    text, values = _of_rows(table, add), itemgetter(*names)
    for some in _portions(rows):
        connection.exec_driver_sql(text, [values(row) for row in some])


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
def _of_json(table: Table, add: str | None) -> Any:
    """With a parameter `rows`, a JSON list of objects."""
    from sqlalchemy.dialects import postgresql  # 2 MB, which only who uses it shall load

    names = [column.name for column in table.columns]
    typed = [sql_column(column.name, _plain(column)) for column in table.columns]
    rows = func.json_to_recordset(cast(bindparam("rows", type_=Text()), JSON)).table_valued(*typed)
    return _updating(
        postgresql.insert(table).from_select(names, select(rows.render_derived(with_types=True))), table, add
    )


def _named(row: Row, names: Sequence[str]) -> dict[str, Any]:
    return {name: row[name] for name in names}


def _plain(column: Column[Any]) -> TypeEngine[Any]:
    """The column's type without its collation, which the columns of a function cannot name."""
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
