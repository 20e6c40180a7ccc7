"""Shared by the server's tests. Their day does not end, and passwords cost little.

`app`, `client`  the app in this process, over a small data folder; no demo, no gunicorn
`new_world`      `new_world()` gives a copy of tests/server/api/world.py's district with its records,
                 `new_world(records=False)` of that with registers alone, `new_world("postgresql")` of one
                 whose read model and people live there; settings are keyword arguments
`world`          one such district for a module, which reads it, or pushes what is its own; on PostgreSQL when
                 the fixture's parameter says so; with the `world_settings` of the folder
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient

from server.app import create_app
from server.people import staff
from server.settings import Settings
from tests.server.api import world as worlds

SYNC_ADMIN = "root:a long password"
DATABASES = ("GRIDBOOK_DATABASE", "GRIDBOOK_PEOPLE_DATABASE")


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    environ = {"GRIDBOOK_DATA": str(tmp_path / "var"), "GRIDBOOK_SYNC_ADMIN": SYNC_ADMIN}
    app = create_app(Settings.from_environ(environ))
    yield app
    app.extensions["gridbook"].store.close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="session", autouse=True)
def held_day() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patches:
        worlds.hold_the_day(patches)
        yield


@pytest.fixture(scope="session", autouse=True)
def product_hasher() -> Iterator[PasswordHasher]:
    """What hashes passwords outside of these tests."""
    product = staff._hasher
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(staff, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield product


@pytest.fixture(scope="session")
def new_world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., worlds.World]:
    originals: dict[tuple[str, bool], worlds.World] = {}

    def original(kind: str, *, records: bool) -> worlds.World:
        """Made once, and closed, so that its files and databases can be copied."""
        if (kind, records) not in originals:
            databases = {}
            if kind == "postgresql":
                postgres = request.getfixturevalue("postgres")
                databases = {name: postgres.new_database() for name in DATABASES}
            make = worlds.filled if records else worlds.followed
            originals[kind, records] = made = make(tmp_path_factory.mktemp("original"), **databases)
            worlds.close(made)
        return originals[kind, records]

    def copy(
        kind: str = "sqlite", *, records: bool = True, folder: Path | None = None, **environ: str
    ) -> worlds.World:
        made = original(kind, records=records)
        if kind == "postgresql":
            postgres, known = request.getfixturevalue("postgres"), made.gridbook.settings
            urls = (known.database_url, known.people_url)
            environ |= {name: postgres.copy_of(url) for name, url in zip(DATABASES, urls, strict=True)}
        return worlds.copied(made, folder or tmp_path_factory.mktemp("district"), **environ)

    return copy


@pytest.fixture(scope="module")
def world_settings() -> dict[str, str]:
    return {}


@pytest.fixture(scope="module")
def world(
    request: pytest.FixtureRequest, new_world: Callable[..., worlds.World], world_settings: dict[str, str]
) -> worlds.World:
    return new_world(getattr(request, "param", "sqlite"), **world_settings)
