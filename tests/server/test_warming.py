"""What the master does before it forks: it reads, leaves nothing open, and changes nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from flask import Flask

from server.settings import Settings
from server.warming import warm


def open_databases() -> set[str]:
    found = set()
    for entry in os.scandir("/proc/self/fd"):
        try:
            found.add(os.readlink(entry.path))
        except FileNotFoundError:  # the folder's own
            continue
    return {path for path in found if ".sqlite3" in path}


def contents(folder: Path) -> dict[str, bytes]:
    """Of every file but SQLite's logs and locks."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {
        path.name: path.read_bytes() for path in files if not path.name.endswith(("-wal", "-shm", ".lock"))
    }


def test_no_file_stays_open_that_a_child_would_inherit(app: Flask) -> None:
    shared = app.extensions["gridbook"]
    shared.store.close()
    shared.people.engine.dispose()
    shared.readmodel.engine.dispose()
    before = open_databases()
    warm(app, shared)
    assert open_databases() == before


def test_nothing_is_written_and_nobody_is_told(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    shared = app.extensions["gridbook"]
    shared.store.ensure("catalogue").put({"_id": "form:a:1"}, writer="server")
    warm(app, shared)
    before, token = contents(shared.settings.data), shared.store.updates()
    shared.store.close()
    warm(app, shared)
    assert contents(shared.settings.data) == before
    assert shared.store.updates() == token
    assert not caplog.records


def test_an_empty_server_is_warmed_too(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    warm(app, app.extensions["gridbook"])
    assert not caplog.records
    assert app.test_client().get("/ready").status_code == 200


def test_a_store_elsewhere_is_not_asked(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = app.extensions["gridbook"]
    monkeypatch.setattr(Settings, "store_is_embedded", property(lambda _: False))
    monkeypatch.setattr(type(shared.store), "open", lambda *_: pytest.fail("it was asked"))
    warm(app, shared)
