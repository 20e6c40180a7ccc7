from collections.abc import Iterator

import pytest

from server.webhooks import subscriptions
from server.webhooks.watching import Watcher
from tests.server.api import world as worlds
from tests.server.webhooks.receiver import Receiver, receiving


@pytest.fixture(scope="module")
def world_settings() -> dict[str, str]:
    """It may call a receiver on loopback. Each test brings its own subscriptions and records."""
    return {"GRIDBOOK_WEBHOOK_HOSTS": "127.0.0.1"}


@pytest.fixture(autouse=True)
def nobody_is_subscribed(world: worlds.World) -> Iterator[None]:
    yield
    for each in subscriptions.every(world.gridbook.people):
        subscriptions.remove(world.gridbook.people, each.webhook_id)
    Watcher(world.gridbook).look([])


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found
