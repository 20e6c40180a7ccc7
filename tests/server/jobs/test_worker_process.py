"""The worker as gunicorn keeps it: beside the web workers, started again when it is killed."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.server.api import world as worlds
from tests.server.api.world import World
from tests.servers import Server

WITHIN_S = 90


def until(what: Callable[[], Any]) -> Any:
    end = time.monotonic() + WITHIN_S
    while not (found := what()):
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.05)
    return found


def worker_of(data: Path) -> int | None:
    """The process that does the jobs, as it wrote into its lock."""
    found = re.fullmatch(
        r"process (\d+)", (data / "jobs.lock").read_text() if (data / "jobs.lock").exists() else ""
    )
    return int(found[1]) if found and Path(f"/proc/{found[1]}").exists() else None


@pytest.fixture
def filled(new_world: Callable[..., World], tmp_path: Path) -> World:
    made = new_world(folder=tmp_path)
    worlds.close(made)
    return made


def test_a_killed_worker_is_started_again_and_its_job_is_done(filled: World, tmp_path: Path) -> None:
    server = Server(tmp_path).start()
    try:
        api = requests.Session()
        api.headers.update(filled.headers("dong"))
        first = until(lambda: worker_of(server.data))
        os.kill(first, signal.SIGKILL)
        order = {"form": "household_visit", "format": "xlsx"}
        ordered = api.post(f"{server.url}/api/v1/jobs/exports", json=order)
        assert ordered.status_code == 202, ordered.text
        address = f"{server.url}{ordered.headers['Location']}"
        done = until(lambda: (told := api.get(address).json())["state"] == "done" and told)
        second = worker_of(server.data)
        assert second != first
        assert api.get(f"{server.url}{done['file']['href']}").content.startswith(b"PK")
    finally:
        server.stop()
    assert worker_of(server.data) is None
