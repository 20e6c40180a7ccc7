from collections.abc import Callable

import pytest

from tests.server.api.world import World


@pytest.fixture(scope="module")
def empty_world(new_world: Callable[..., World]) -> World:
    """A district with registers and nobody's records."""
    return new_world(records=False)
