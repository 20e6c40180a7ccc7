"""The worker as gunicorn keeps it: beside the web workers, started again when it is killed."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from server.jobs.queue import OPEN, Queue
from tests.server.api import world as worlds
from tests.server.api.world import World
from tests.servers import Server, until


def ended(api: requests.Session, address: str) -> dict[str, Any] | None:
    """The job, once it is done."""
    told: dict[str, Any] = api.get(address).json()
    return told if told["state"] == "done" else None


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

        def exported() -> dict[str, Any]:
            order = {"form": "household_visit", "format": "xlsx"}
            ordered = api.post(f"{server.url}/api/v1/jobs/exports", json=order)
            assert ordered.status_code == 202, ordered.text
            done: dict[str, Any] = until(lambda: ended(api, f"{server.url}{ordered.headers['Location']}"))
            return done

        exported()
        first = worker_of(server.data)
        assert first is not None  # it waits for another order
        os.kill(first, signal.SIGKILL)
        done = exported()
        assert worker_of(server.data) not in (first, None)
        assert api.get(f"{server.url}{done['file']['href']}").content.startswith(b"PK")
    finally:
        server.stop()
    assert worker_of(server.data) is None


def test_what_was_ordered_before_the_server_was_killed_is_done_after_its_start(
    filled: World, tmp_path: Path
) -> None:
    server = Server(tmp_path).start()
    try:
        until(lambda: worker_of(server.data) is None)  # nothing waits, so that no worker is there
        server.kill()
        queue = Queue(tmp_path, timedelta(hours=1))
        job = queue.order("export", "s-dong", {"form": "household_visit", "format": "csv"})
        (tmp_path / "jobs.waiting").unlink()  # nor does it depend on the mark
        server.start()
        until(lambda: queue.job(job.job_id).state not in OPEN)
    finally:
        server.stop()
