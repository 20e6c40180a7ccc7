"""`app` and `client`: the app in this process, over a small data folder; no demo, no gunicorn."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from server.app import create_app
from server.settings import Settings

SYNC_ADMIN = "root:a long password"


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    environ = {"GRIDBOOK_DATA": str(tmp_path / "var"), "GRIDBOOK_SYNC_ADMIN": SYNC_ADMIN}
    app = create_app(Settings.from_environ(environ))
    yield app
    app.extensions["gridbook"].store.close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()
