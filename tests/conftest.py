"""Shared by all tests: real servers (see tests/servers.py).

`server`      one running demo server for the whole session; leave it as you find it, or take your own
`new_server`  `new_server()` gives a running demo server on a fresh copy of the demo data,
              `new_server(demo=False)` an empty one, `new_server(own_store=True)` one whose documents are in
              its data folder also when GRIDBOOK_TEST_STORE names a CouchDB; settings are keyword arguments:
              `new_server(GRIDBOOK_SYNC_ADMIN="root:a long password")`
`playwright`  the one Playwright of the session: a second beside it refuses to start
`new_database`  `new_database("sqlite" | "postgresql")` gives the SQLAlchemy URL of an empty database
`couch_server` a CouchDB, or what stands in for one (see tests/couchdbs.py)
`couch_address` a store's address there, for one test
`demo_data`   the demo's data folder as `make run` leaves it; copy it, never write to it. The workers of
              pytest-xdist share it
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from playwright.sync_api import Playwright, sync_playwright

from tests import chromium, couchdbs
from tests.postgres import ABSENT, Postgres, programs
from tests.searching import LONG, LONG_EXAMPLES
from tests.servers import ROOT, Server

# However busy the machine is, an example has no deadline.
settings.register_profile(
    "unhurried", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(LONG, settings.get_profile("unhurried"), max_examples=LONG_EXAMPLES)
settings.load_profile("unhurried")

LEFT_OUT = pytest.StashKey[list[str]]()  # what each test is marked with that was left out


@pytest.fixture(scope="session")
def demo_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    own = tmp_path_factory.getbasetemp()
    folder = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    data, made = folder / "demo" / "var", folder / "demo.made"
    with (folder / "demo.lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if not made.exists():
            maker = Server(data)
            maker.flask("forms", "publish")
            maker.flask("demo")
            maker.flask("intake", "once")
            made.touch()
    return data


@pytest.fixture(scope="session")
def new_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Server]]:
    running: list[Server] = []
    moved: list[str] = []

    def start(*, demo: bool = True, own_store: bool = False, **environ: str) -> Server:
        data = tmp_path_factory.mktemp("server") / "var"
        if demo:
            shutil.copytree(request.getfixturevalue("demo_data"), data, ignore=shutil.ignore_patterns("run"))
        server = Server(data, **environ)
        if demo and not own_store and couchdbs.STORE_VARIABLE in os.environ:
            moved.append(couchdbs.store_address())
            couchdbs.move(server, moved[-1])
        running.append(server)
        return server.start()

    yield start
    for server in running:
        server.stop()
    for address in moved:
        couchdbs.forget(address)


@pytest.fixture(scope="session")
def server(new_server: Callable[..., Server]) -> Server:
    return new_server()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    if programs() is None:
        pytest.skip(ABSENT)
    started = Postgres()
    yield started
    started.stop()


@pytest.fixture(scope="session")
def new_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], str]:
    def make(kind: str) -> str:
        if kind == "postgresql":
            url: str = request.getfixturevalue("postgres").new_database()
            return url
        return f"sqlite:///{tmp_path_factory.mktemp('database') / 'made.sqlite3'}"

    return make


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    assert Path(chromium.EXECUTABLE).exists(), "These tests need Chromium: apt install chromium"
    assert (ROOT / "phone" / "dist" / "index.html").exists(), "The phone app is not built: make build"
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def couch_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[couchdbs.CouchServer]:
    started = couchdbs.start(tmp_path_factory.mktemp("couchdb"))
    yield started
    started.stop()


@pytest.fixture
def couch_address(couch_server: couchdbs.CouchServer) -> Iterator[str]:
    address = couch_server.address()
    yield address
    couchdbs.forget(address)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "beyond_stand_in(what): on the CouchDB store, needs a real CouchDB")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what the stand-in cannot do; the end of the run says so. A worker of pytest-xdist begins with
    what waits for a browser, for it takes longest."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: not _in_browser(item))
    if os.environ.get(couchdbs.VARIABLE):
        return
    left_out = [item for item in items if _is_beyond_stand_in(item)]
    config.stash[LEFT_OUT] = [item.get_closest_marker("beyond_stand_in").args[0] for item in left_out]  # type: ignore[union-attr]
    items[:] = [item for item in items if item not in left_out]


def _in_browser(item: pytest.Item) -> bool:
    return "playwright" in item.fixturenames  # type: ignore[attr-defined]


def _is_beyond_stand_in(item: pytest.Item) -> bool:
    callspec = getattr(item, "callspec", None)
    on_couchdb = callspec is None or callspec.params.get("store") == "couchdb"
    return on_couchdb and item.get_closest_marker("beyond_stand_in") is not None


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = session.config.stash.get(LEFT_OUT, [])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Every worker collects the same."""
    node.config.stash[LEFT_OUT] = getattr(node, "workeroutput", {}).get("left_out", [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    left_out = config.stash.get(LEFT_OUT, [])
    if not left_out:
        return
    terminalreporter.section(
        f"not tested without {couchdbs.VARIABLE}: {len(left_out)} tests of the CouchDB store"
    )
    for what in sorted(set(left_out)):
        terminalreporter.line(f"pouchdb-server stands in for CouchDB, and {couchdbs.STAND_IN_CANNOT[what]}")
