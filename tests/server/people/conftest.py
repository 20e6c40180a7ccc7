from pathlib import Path

import pytest

from server.people.people import People
from tests.server.people.cast import Clock, people_in


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def people(tmp_path: Path, clock: Clock) -> People:
    return people_in(tmp_path, clock)
