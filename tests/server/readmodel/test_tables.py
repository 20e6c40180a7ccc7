"""The tables as a database has them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from server.database import open_engine
from server.readmodel import ReadModel
from server.readmodel.tables import metadata
from tests.servers import ROOT

TOLD = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL",
    "postgresql": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()",
}


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_indexes_of_some_rows_are_so_on_both_databases(kind: str, new_database: Callable[[str], str]) -> None:
    partial = {
        index.name
        for table in metadata.sorted_tables
        for index in table.indexes
        if index.dialect_options["sqlite"]["where"] is not None
    }
    made = ReadModel(open_engine(new_database(kind)))
    made.create()
    with made.engine.connect() as connection:
        found = {name for name, told in connection.execute(text(TOLD[kind])) if " WHERE " in told}
    made.engine.dispose()
    assert "records_voided" in found
    assert found == partial


MADE = "import sys; from server.app import create_app; create_app(); print(*sys.modules)"


def test_a_server_that_needs_no_postgresql_loads_nothing_of_it(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-c", MADE],
        env={"GRIDBOOK_DATA": str(tmp_path)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert not [name for name in told.stdout.split() if "postgresql" in name or "psycopg" in name]
