"""The cast of `standalone.py`, talking to the endpoint without a network."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from sync.embedded import open_store
from sync.store import Store

Ask = Callable[..., TestResponse]

PHONE_A = {"Authorization": "Bearer alice"}
PHONE_B = {"Authorization": "Bearer bob"}
ADMIN = {"Authorization": "Basic YWRtaW46c2VjcmV0"}


def _standalone() -> ModuleType:
    path = Path(__file__).parents[1] / "standalone.py"
    spec = importlib.util.spec_from_file_location("standalone_for_endpoint", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def standalone() -> ModuleType:
    return _standalone()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = open_store(tmp_path / "store.sqlite3")
    for name in ("catalogue", "register-a", "register-b", "inbox-a", "inbox-b", "open"):
        made.create(name)
    yield made
    made.close()


@pytest.fixture
def client(standalone: ModuleType, store: Store) -> FlaskClient:
    made: FlaskClient = standalone.create_app(store).test_client()
    return made


def asking(client: FlaskClient, headers: dict[str, str]) -> Ask:
    def ask(method: str, path: str, json: Any = None, **options: Any) -> TestResponse:
        if json is not None:
            options["json"] = json
        elif method == "POST":
            options.setdefault("content_type", "application/json")
        sent = headers | options.pop("headers", {})
        return client.open("/sync" + path, method=method, headers=sent, **options)

    return ask


@pytest.fixture
def admin(client: FlaskClient) -> Ask:
    return asking(client, ADMIN)


@pytest.fixture
def alice(client: FlaskClient) -> Ask:
    return asking(client, PHONE_A)


@pytest.fixture
def bob(client: FlaskClient) -> Ask:
    return asking(client, PHONE_B)


@pytest.fixture
def charlie(client: FlaskClient) -> Ask:
    return asking(client, {})
