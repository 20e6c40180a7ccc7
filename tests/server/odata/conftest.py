from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.api import world as worlds


@pytest.fixture(scope="module", autouse=True)
def held_day() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patches:
        worlds.hold_the_day(patches)
        yield


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> worlds.World:
    """The district with records of today and yesterday, followed."""
    return worlds.filled(Path(tmp_path_factory.mktemp("district")))
