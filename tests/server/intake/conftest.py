from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.server.intake.district import District


@pytest.fixture(params=["sqlite"])
def district(
    tmp_path: Path, request: pytest.FixtureRequest, new_database: Callable[[str], str]
) -> Iterator[District]:
    """On SQLite; a test that is parametrized with `on_both` runs on PostgreSQL too."""
    url = new_database("postgresql") if request.param == "postgresql" else None
    district = District(tmp_path, url=url)
    yield district
    district.close()
