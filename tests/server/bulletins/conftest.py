from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.intake.district import District


@pytest.fixture
def district(tmp_path: Path) -> Iterator[District]:
    district = District(tmp_path)
    yield district
    district.close()
