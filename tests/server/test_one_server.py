"""One server has the data folder for itself; commands may work beside it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servers import BIN, ROOT, Server

WITHIN_S = 30


def start_another(data: Path) -> subprocess.CompletedProcess[str]:
    """A second server on `data`, on a port of its own; it is expected to end by itself."""
    return subprocess.run(
        [BIN / "gunicorn", "--bind", "127.0.0.1:0"],
        cwd=ROOT,
        env=Server(data).environ,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
    )


@pytest.fixture(scope="module")
def first(new_server: Callable[..., Server]) -> Server:
    return new_server(demo=False)


def test_the_second_server_on_a_data_folder_does_not_start_and_says_why(first: Server) -> None:
    second = start_another(first.data)
    assert second.returncode != 0
    assert f"The data folder {first.data} is in use by a server, process {first.process.pid}" in second.stderr
    assert "GRIDBOOK_DATA" in second.stderr
    assert "Traceback" not in second.stderr


@pytest.mark.parametrize("command", ["store check", "intake recheck", "readmodel rebuild", "forms publish"])
def test_commands_work_beside_a_server(first: Server, command: str) -> None:
    first.flask(*command.split())


def test_after_a_reload_the_folder_is_still_taken(first: Server) -> None:
    first.process.send_signal(signal.SIGHUP)
    assert start_another(first.data).returncode != 0


def test_a_server_that_was_killed_lets_the_next_one_start_at_once(first: Server) -> None:
    os.kill(first.process.pid, signal.SIGKILL)  # only the master: its workers and the follower see it and end
    first.process.wait(WITHIN_S)
    first.port = 0  # the old one is free a moment later
    first.start()
    assert start_another(first.data).returncode != 0


def test_a_file_that_is_no_store_is_refused_in_words(tmp_path: Path) -> None:
    server = Server(tmp_path / "var")
    server.data.mkdir()
    (server.data / "store.sqlite3").write_bytes(b"no database" * 1000)
    refused = start_another(server.data)
    command = server.flask("store", "check", check=False)
    for stderr in (refused.stderr, command.stderr):
        assert "store.sqlite3 cannot be opened as a store: file is not a database" in stderr
        assert "Traceback" not in stderr
    assert refused.returncode and command.returncode
