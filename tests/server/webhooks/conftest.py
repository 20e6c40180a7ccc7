from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from server.webhooks import subscriptions
from server.webhooks.watching import Watcher
from tests.server.api import world as worlds
from tests.server.webhooks.receiver import Receiver, receiving


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
    """The district with its records, which may call a receiver on loopback; on PostgreSQL when the fixture's
    parameter says so. Each test brings its own subscriptions and records."""
    kind = getattr(request, "param", "sqlite")
    return worlds.filled(
        Path(tmp_path_factory.mktemp("district")),
        GRIDBOOK_WEBHOOK_HOSTS="127.0.0.1",
        GRIDBOOK_DATABASE=new_database(kind),
        GRIDBOOK_PEOPLE_DATABASE=new_database(kind),
    )


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
