"""A question that reads too much is broken off, on both databases, and the connection goes on to serve."""

from collections.abc import Callable

import pytest
from sqlalchemy import func, literal, select, text

from server.database import open_engine
from server.readmodel import time_limit
from server.readmodel.time_limit import TooWide, limited

COUNTING = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_what_takes_too_long_is_broken_off(
    new_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    engine = open_engine(new_database(kind))
    monkeypatch.setattr(time_limit, "PAGE_S", 0.1)
    with pytest.raises(TooWide), limited(engine) as connection:
        connection.execute(text(COUNTING) if kind == "sqlite" else select(func.pg_sleep(60)))
    monkeypatch.setattr(time_limit, "PAGE_S", 60)
    with limited(engine) as connection:
        assert connection.execute(select(literal(7))).scalar() == 7
    with engine.connect() as connection:
        assert connection.execute(select(literal(7))).scalar() == 7
    engine.dispose()


def test_another_failure_stays_what_it_is(new_database: Callable[[str], str]) -> None:
    engine = open_engine(new_database("sqlite"))
    with pytest.raises(Exception, match="no such table"), limited(engine) as connection:
        connection.execute(text("SELECT * FROM absent"))
    engine.dispose()
