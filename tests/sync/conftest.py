"""A real server for the tests that need one: gunicorn with gevent workers, on a free port."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


class LiveServer:
    """The listening socket is ours and outlives the server: a client that comes while it restarts waits."""

    def __init__(self, folder: Path, *, workers: int = 1, places: int = 1000) -> None:
        self.store_path = folder / "store.sqlite3"
        self._data = folder / "data"  # of its own: a server that runs on the default one is not disturbed
        self._workers, self._places = workers, places
        self._folder = folder  # where gunicorn finds no settings of the whole server
        self._log = (folder / "gunicorn.log").open("ab")
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/sync"
        self.admin_url = f"http://admin:secret@127.0.0.1:{self.port}/sync"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        descriptor = self._socket.fileno()
        command = [
            *(sys.executable, "-m", "gunicorn", "--pythonpath", f"{ROOT},{HERE}", "--no-control-socket"),
            *("-k", "server.worker.Worker", "-w", str(self._workers), "-b", f"fd://{descriptor}"),
            *("--graceful-timeout", "1", "--keep-alive", "100"),
            *("--worker-connections", str(self._places), "standalone:app"),
        ]
        environ = os.environ | {"STANDALONE_STORE": str(self.store_path), "GRIDBOOK_DATA": str(self._data)}
        self._process = subprocess.Popen(
            command,
            pass_fds=[descriptor],
            env=environ,
            stdout=self._log,
            stderr=self._log,
            cwd=self._folder,
            start_new_session=True,
        )
        assert requests.get(self.url + "/", timeout=30).json()["couchdb"] == "Welcome"

    def kill(self) -> None:
        """SIGKILL to the server and all its workers at once."""
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(timeout=30)

    def close(self) -> None:
        self.kill()
        self._socket.close()
        self._log.close()


def started(server: LiveServer) -> Iterator[LiveServer]:
    server.start()
    yield server
    server.close()


@pytest.fixture
def live_server(tmp_path: Path) -> Iterator[LiveServer]:
    yield from started(LiveServer(tmp_path))


@pytest.fixture
def few_places(tmp_path: Path) -> Iterator[LiveServer]:
    """One worker with twenty places."""
    yield from started(LiveServer(tmp_path, places=20))


@pytest.fixture
def two_workers(tmp_path: Path) -> Iterator[LiveServer]:
    yield from started(LiveServer(tmp_path, workers=2))
