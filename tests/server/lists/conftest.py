from collections.abc import Callable

import pytest

from tests.server.api.world import World


@pytest.fixture
def own_world(new_world: Callable[..., World]) -> World:
    """A district for one test that brings records too; otherwise each test brings its own list."""
    return new_world()
