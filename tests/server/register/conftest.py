from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.embedded import open_store
from sync.store import Store
from tests.server.register.tables import AREAS, imported


@pytest.fixture
def empty_store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(tmp_path / "store.sqlite3")
    yield store
    store.close()


@pytest.fixture
def store(empty_store: Store, tmp_path: Path) -> Store:
    """With the areas of tables.AREAS."""
    assert not imported(empty_store, tmp_path, "areas", AREAS).refused
    return empty_store
