"""A read model of a whole fortnight's size, for reading only.

    python -m bench.multiply DATA --times 100

DATA is a folder that `bench.district` filled and `flask intake once` took in. Every visit is copied by SQL
under other ids, with its household, the persons in it and its filler's day, within its own village, until
there are `--times` as many: a share of 0.01 becomes the district's 160,000 households a day. The tables have
the size and their indexes the depth of the whole; intake checked and counted none of the copies, and the
store has none of them, so such a folder is good for questions about figures and lists, and for nothing else.
Disinfections, deliveries and stock stay as many as they are. Every record becomes as if received when it was
made: in the field the newest work came last, here all of it came within the minutes that filled DATA.

Figures are raised by what the copied units contribute. That each day's visits are then `--times` what they
were is checked here; `bench.reads` checks figures against a GROUP BY over the records.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Integer,
    MetaData,
    Select,
    Table,
    Text,
    cast,
    func,
    insert,
    literal,
    select,
    true,
    update,
)  # fmt: skip

from bench.district import open_data
from server.database import open_engine
from server.readmodel import codec
from server.readmodel.areas import AreaTree
from server.readmodel.cells import write_cells
from server.readmodel.model import ReadModel, raise_version
from server.readmodel.tables import (
    cells,
    mentioned,
    mentions,
    records,
    register,
    standing_out,
    suspects,
    units,
)

FORM, KIND = "household_visit", "household"
MARK = "~"  # before a copy's number, in ids that have none
TABLES = (records, units, register, mentions, mentioned, standing_out, suspects)
RENAMED = {
    *("record_id", "root_id", "supersedes", "superseded_by", "unit_key", "unit_id", "household_id"),
    *("pair_key", "first_id", "second_id"),
}
OF_SOME = {"device_id": 10, "filler_id": 4}  # so many times as many phones and fillers
NAMED_IN = ("doc", "search")  # texts that name the record or the household


def originals(table: Table) -> Select[Any]:
    """What is to be copied: visits, the households that had one, who is mentioned in one."""
    visited = select(records.c.unit_key).where(records.c.unit_kind == KIND)
    if table is records:
        return select(table).where(table.c.form_id == FORM)
    if table is units:
        return select(table).where(table.c.kind == KIND, table.c.unit_key.in_(visited))
    if table is register:
        keys = table.c.village_code + "/" + table.c.unit_id
        return select(table).where(table.c.kind == KIND, keys.in_(visited))
    if table is suspects:
        return select(table).where(table.c.unit_kind == KIND)
    return select(table)


def copied(source: Table, column: Column[Any], number: Column[int]) -> ColumnElement[Any]:
    """What the copy has in a column."""
    ending = literal(MARK) + cast(number, Text)
    if column.name in RENAMED:
        return column + ending
    if column.name in OF_SOME:
        return column + literal(MARK) + cast(number % OF_SOME[column.name], Text)
    if column.name in NAMED_IN:
        renamed: ColumnElement[Any] = column
        for name in (name for name in ("record_id", "household_id") if name in source.c):
            renamed = func.replace(renamed, source.c[name], source.c[name] + ending)
        return func.coalesce(renamed, column)
    return column


def multiply(rm: ReadModel, times: int) -> int:
    """Returns how many records there are. Broken off, it leaves a folder that is good for nothing."""
    with rm.engine.begin() as connection:
        before = visits_by_day(connection)
        connection.execute(update(records).values(received_at=records.c.happened_at))
        add_to_cells(connection, times - 1)
        dropped = [index for table in TABLES for index in table.indexes]
        for index in dropped:
            index.drop(connection, checkfirst=True)
        numbers = Table("numbers", MetaData(), Column("number", Integer, primary_key=True))
        numbers.create(connection)
        connection.execute(insert(numbers), [{"number": number} for number in range(1, times)])
        for table in TABLES:
            source = set_apart(connection, table)
            # In the order of the key, so that its index grows where it was read last.
            rows = (
                select(*(copied(source, column, numbers.c.number) for column in source.c))
                .select_from(source.join(numbers, true()))
                .order_by(*(source.c[column.name] for column in table.primary_key), numbers.c.number)
            )
            connection.execute(insert(table).from_select([column.name for column in table.c], rows))
            source.drop(connection)
        numbers.drop(connection)
    for index in dropped:
        with rm.engine.begin() as connection:
            index.create(connection)
    with rm.engine.begin() as connection:
        raise_version(connection)
        after = visits_by_day(connection)
        assert after == {key: value * times for key, value in before.items()}
        return int(connection.execute(select(func.count()).select_from(records)).scalar_one())


def set_apart(connection: Connection, table: Table) -> Table:
    """The originals in a table of their own, which stays small and can be read in the order of its key."""
    columns = (Column(c.name, c.type, primary_key=c.primary_key) for c in table.c)
    source = Table(f"original_{table.name}", MetaData(), *columns)
    source.create(connection)
    connection.execute(insert(source).from_select([column.name for column in table.c], originals(table)))
    return source


def visits_by_day(connection: Connection) -> dict[tuple[str, str], int]:
    query = select(cells.c.area_code, cells.c.day, cells.c.value).where(cells.c.component == "visits")
    return {(area, day): value for area, day, value in connection.execute(query).all()}


def add_to_cells(connection: Connection, copies: int) -> None:
    tree, deltas = AreaTree(connection), defaultdict[tuple[str, str, str, str], int](int)

    def add(village: str, found: dict[str, dict[str, int]]) -> None:
        for name, days in found.items():
            component, _, part = name.partition("|")
            for day, value in days.items():
                for area in tree.path(village):
                    deltas[area, component, part, day] += copies * value

    for row in connection.execute(originals(units)).all():
        add(row.village_code, codec.decode(row.contributions))
    for row in connection.execute(originals(mentioned)).all():
        for village, found in codec.decode(row.contributions).items():
            add(village, found)
    write_cells(connection, deltas)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--times", type=int, default=100)
    given = parser.parse_args()
    start = time.perf_counter()
    url = open_data(given.data).settings.database_url
    count = multiply(ReadModel(open_engine(url, lasting=False)), given.times)
    print(f"{count} records, {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
