from collections.abc import Callable
from pathlib import Path

import pytest

from tests.server.api import world as worlds


@pytest.fixture(scope="module")
def world(
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
    new_database: Callable[[str], str],
) -> worlds.World:
    """The district with records of today and yesterday, followed. Shared by a module: tests only read, or
    push their own. Read model and people live in SQLite, unless the fixture's parameter says postgresql."""
    kind = getattr(request, "param", "sqlite")
    made = worlds.build(
        Path(tmp_path_factory.mktemp("district")),
        GRIDBOOK_DATABASE=new_database(kind),
        GRIDBOOK_PEOPLE_DATABASE=new_database(kind),
    )
    made.ids = worlds.fill_records(made)
    made.follow()
    return made
