from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.server.api import world as worlds


@pytest.fixture(scope="module", autouse=True)
def held_day() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patches:
        worlds.hold_the_day(patches)
        yield


@pytest.fixture(scope="module")
def world(
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
    new_database: Callable[[str], str],
) -> worlds.World:
    """The district with records of today and yesterday, followed. Shared by a module: tests only read, or
    push their own. Read model and people live in SQLite, unless the fixture's parameter says postgresql."""
    kind = getattr(request, "param", "sqlite")
    return worlds.filled(
        Path(tmp_path_factory.mktemp("district")),
        GRIDBOOK_DATABASE=new_database(kind),
        GRIDBOOK_PEOPLE_DATABASE=new_database(kind),
    )
