from pathlib import Path

import pytest

from tests.server.api import world as worlds


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> worlds.World:
    """The district with records of today and yesterday, followed."""
    made = worlds.build(Path(tmp_path_factory.mktemp("district")))
    made.ids = worlds.fill_records(made)
    made.follow()
    return made
