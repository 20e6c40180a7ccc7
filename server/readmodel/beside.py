"""A second read model beside the one that is read, and how it takes its place.

    SQLite      readmodel.sqlite3 is a link that is turned from one file to the next; whoever asks the pool
                for a connection gets one to the file of that moment (`server/database.py`)
    PostgreSQL  a schema of its own; its tables move into the other's place in one transaction

What is being read is never touched before the other is complete and on disk. An unfinished one that a killed
process left behind is thrown away by the next.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from sqlalchemy import Index, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.schema import CreateSchema, DropSchema

from server.database import open_engine
from server.readmodel.area_marks import mark_every
from server.readmodel.model import ReadModel, raise_version, read_version
from server.readmodel.tables import counters, mentions, metadata, records, units
from server.readmodel.upsert import upsert

SCHEMA = "gridbook_rebuilding"
# What grows with the records is filled first, and then given its indexes, each in one go.
FILLED = (records, mentions, units)
# What intake itself looks records up by.
NEEDED = {"records_unit", "records_root", "records_id", "mentions_record"}


class Beside(Protocol):
    readmodel: ReadModel

    def put_in_place(self) -> None: ...

    def discard(self) -> None: ...


def beside(readmodel: ReadModel) -> Beside:
    """An empty read model beside this one."""
    sqlite = readmodel.engine.dialect.name == "sqlite"
    made: Beside = BesideSqlite(readmodel) if sqlite else BesidePostgresql(readmodel)
    made.readmodel.create()
    with made.readmodel.engine.begin() as connection:
        for table in FILLED:
            for each in table.indexes:
                each.drop(connection)
    return made


def index(readmodel: ReadModel, between: Callable[[], None], *, needed_only: bool = False) -> None:
    """Make the indexes that are missing, or those without which intake cannot handle a batch; `between` is
    called after each."""
    for each in _missing(readmodel):
        if each.name in NEEDED or not needed_only:
            with readmodel.engine.begin() as connection:
                each.create(connection)
            between()


def _missing(readmodel: ReadModel) -> list[Index]:
    with readmodel.engine.connect() as connection:
        seen = inspect(connection)
        there = {each["name"] for table in FILLED for each in seen.get_indexes(table.name)}
    every = [each for table in FILLED for each in table.indexes if each.name not in there]
    return sorted(every, key=lambda each: str(each.name))


def _complete(made: ReadModel, version: int) -> None:
    with made.engine.begin() as connection:
        upsert(connection, counters, [{"name": "version", "value": version}])
        mark_every(connection, version)


def _version(readmodel: ReadModel) -> int:
    with readmodel.engine.connect() as connection:
        return read_version(connection)


class BesideSqlite:
    def __init__(self, current: ReadModel) -> None:
        self._current = current
        self._link = Path(str(current.engine.url.database)).absolute()
        self._sweep()
        self._file = self._link.with_name(f"{self._link.stem}-{secrets.token_hex(4)}{self._link.suffix}")
        os.close(os.open(self._file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        self.readmodel = ReadModel(open_engine(f"sqlite:///{self._file}", lasting=False), current.forms)

    def _sweep(self) -> None:
        """Throw away what earlier rebuilds left, and the files that they replaced."""
        in_use = Path(os.path.realpath(self._link))
        for path in self._link.parent.glob(f"{self._link.stem}-*{self._link.suffix}*"):
            if not path.name.startswith(in_use.name):
                path.unlink()
        if in_use != self._link:
            for ending in ("-wal", "-shm"):
                Path(f"{self._link}{ending}").unlink(missing_ok=True)

    def put_in_place(self) -> None:
        _complete(self.readmodel, _version(self._current) + 1)
        with self.readmodel.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        # Without a connection of ours: closing a file that SQLite has open would drop SQLite's locks on it.
        self.readmodel.engine.dispose()
        _sync(self._file)
        turned = self._link.with_name(f"{self._link.name}.{secrets.token_hex(4)}")
        turned.symlink_to(self._file.name)
        os.replace(turned, self._link)
        _sync(self._link.parent)

    def discard(self) -> None:
        self.readmodel.engine.dispose()
        for ending in ("", "-wal", "-shm"):
            Path(f"{self._file}{ending}").unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class BesidePostgresql:
    def __init__(self, current: ReadModel) -> None:
        self._current = current
        with current.engine.begin() as connection:
            connection.execute(DropSchema(SCHEMA, if_exists=True, cascade=True))
            connection.execute(CreateSchema(SCHEMA))
        url = make_url(current.engine.url).update_query_dict({"options": f"-csearch_path={SCHEMA}"})
        engine = open_engine(url.render_as_string(hide_password=False), lasting=False)
        self.readmodel = ReadModel(engine, current.forms)

    def put_in_place(self) -> None:
        _complete(self.readmodel, 0)
        with self.readmodel.engine.begin() as connection:
            connection.execute(text("ANALYZE"))
        self.readmodel.engine.dispose()
        with self._current.engine.begin() as connection:
            place = connection.execute(text("SELECT current_schema()")).scalar_one()
            quote = connection.dialect.identifier_preparer.quote_identifier
            for table in metadata.sorted_tables:
                if table is not counters:
                    table.drop(connection)
                    connection.execute(
                        text(f"ALTER TABLE {SCHEMA}.{quote(table.name)} SET SCHEMA {quote(place)}")
                    )
            connection.execute(DropSchema(SCHEMA, cascade=True))
            raise_version(connection)
            mark_every(connection, read_version(connection))

    def discard(self) -> None:
        self.readmodel.engine.dispose()
        with self._current.engine.begin() as connection:
            connection.execute(DropSchema(SCHEMA, if_exists=True, cascade=True))
