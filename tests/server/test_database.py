"""What every engine of ours promises."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from server.database import open_engine


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_what_a_failing_statement_was_given_is_not_told(
    kind: str, new_database: Callable[[str], str]
) -> None:
    engine = open_engine(new_database(kind))
    with pytest.raises(SQLAlchemyError) as failed, engine.begin() as connection:
        connection.execute(text("INSERT INTO nowhere VALUES (:name)"), {"name": "王丽"})
    assert "nowhere" in str(failed.value) and "王丽" not in str(failed.value)
    engine.dispose()
