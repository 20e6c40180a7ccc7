"""The one place that speaks a dialect: insert, or update what is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

ROWS_MAX = 500  # one statement's worth; keeps the number of bound values small


def upsert(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, add: str | None = None
) -> None:
    """Write rows by primary key. With `add`, that column grows by the row's value instead of being
    replaced."""
    insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)
    keys = [column.name for column in table.primary_key]
    new = insert.excluded
    changed = (
        {add: table.c[add] + new[add]}
        if add
        else {c.name: new[c.name] for c in table.c if c.name not in keys}
    )
    statement = insert.on_conflict_do_update(index_elements=keys, set_=changed)
    for start in range(0, len(rows), ROWS_MAX):
        connection.execute(statement, list(rows[start : start + ROWS_MAX]))
