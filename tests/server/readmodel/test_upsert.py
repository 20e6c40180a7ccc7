"""Rows written in one go are the same on both databases, and as if they had come one after the other."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from server.database import open_engine
from server.readmodel import ReadModel, codec
from server.readmodel.tables import cells, checkpoints
from server.readmodel.upsert import upsert

KEYS = ("a", "B", "张", "ä", "~", "1")
TEXTS = st.text(max_size=20).map(codec.plain)


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def readmodel(request: pytest.FixtureRequest, new_database: Callable[[str], str]) -> Iterator[ReadModel]:
    made = ReadModel(open_engine(new_database(request.param)))
    made.create()
    yield made
    made.engine.dispose()


def checkpoint(db: str, since: str, heard: str | None) -> dict[str, Any]:
    return {"db": db, "since": since, "last_received_at": heard}


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.lists(st.builds(checkpoint, st.sampled_from(KEYS), TEXTS, st.none() | TEXTS), max_size=8),
        max_size=4,
    )
)
def test_the_last_row_of_a_key_holds(readmodel: ReadModel, batches: list[list[dict[str, Any]]]) -> None:
    expected = {row["db"]: row for batch in batches for row in batch}
    with readmodel.engine.connect() as connection:
        connection.execute(delete(checkpoints))
        for batch in batches:
            upsert(connection, checkpoints, batch)
        found = [
            dict(row._mapping) for row in connection.execute(select(checkpoints).order_by(checkpoints.c.db))
        ]
        connection.rollback()
    assert found == [expected[db] for db in sorted(expected)]


def test_a_value_grows_by_what_is_added(readmodel: ReadModel) -> None:
    row = {"area_code": "1", "component": "visits", "part": "", "day": "2020-02-10", "value": 3}
    with readmodel.engine.begin() as connection:
        for _ in range(2):
            upsert(connection, cells, [row, {**row, "day": "2020-02-11", "value": -(2**40)}], add="value")
        found = dict(connection.execute(select(cells.c.day, cells.c.value)).all())
    assert found == {"2020-02-10": 6, "2020-02-11": -(2**41)}
