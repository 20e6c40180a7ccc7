"""The read model as an object: its engine, its tables, its version."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from sqlalchemy import Connection, Engine, MetaData, Table, inspect, select

from server.readmodel.declaration import SHIPPED, Declaration, read_declaration
from server.readmodel.tables import SCHEMA, counters, declare_for_postgresql, meta, metadata
from server.readmodel.upsert import upsert


class ReadModel:
    """Tables of one database, filled as the folder `forms` declares. Readers use `engine`; only the follower
    writes."""

    def __init__(self, engine: Engine, forms: Path = SHIPPED) -> None:
        self.engine = engine
        self.forms = forms
        if engine.dialect.name == "postgresql":
            declare_for_postgresql()

    @cached_property
    def declaration(self) -> Declaration:
        """Raises DeclarationError."""
        return read_declaration(self.forms)

    def create(self) -> None:
        """Make what is absent. Tables of another schema are made anew, for the follower to fill."""
        if self._schema() not in (None, SCHEMA):
            self.drop()
        metadata.create_all(self.engine)
        self._index()

    def _index(self) -> None:
        """Make the indexes that an earlier version's tables lack, drop those that only they have. Nothing has
        to be counted again for that.
        """
        with self.engine.begin() as connection:
            looking = inspect(connection)
            for table in metadata.sorted_tables:
                there = {index["name"] for index in looking.get_indexes(table.name)}
                for index in sorted(table.indexes, key=lambda index: str(index.name)):
                    if index.name not in there:
                        index.create(connection)
                declared = {index.name for index in table.indexes}
                if there - declared:
                    for index in Table(table.name, MetaData(), autoload_with=connection).indexes:
                        if index.name not in declared:
                            index.drop(connection)

    def drop(self) -> None:
        metadata.drop_all(self.engine)

    def _schema(self) -> str | None:
        """What the tables were made by; None when there are none, or none that were filled."""
        if not inspect(self.engine).has_table(meta.name):
            return None
        with self.engine.connect() as connection:
            return read_meta(connection, "schema")

    def version(self) -> int:
        """Rises with each commit of the follower."""
        with self.engine.connect() as connection:
            return read_version(connection)


def read_version(connection: Connection) -> int:
    return connection.execute(select(counters.c.value).where(counters.c.name == "version")).scalar() or 0


def raise_version(connection: Connection) -> None:
    upsert(connection, counters, [{"name": "version", "value": 1}], add="value")


def read_meta(connection: Connection, key: str) -> str | None:
    return connection.execute(select(meta.c.value).where(meta.c.key == key)).scalar()


def write_meta(connection: Connection, key: str, value: str) -> None:
    upsert(connection, meta, [{"key": key, "value": value}])
