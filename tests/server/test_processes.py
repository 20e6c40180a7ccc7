"""gunicorn as `make run` starts it: workers, the follower beside them, and that nothing is left behind."""

import os
import select
import signal
import subprocess
from pathlib import Path
from urllib.parse import quote

import pytest
import requests

from tests.servers import BIN, ROOT, Server

WITHIN_S = 30


@pytest.fixture(scope="module")
def running(new_server) -> Server:
    return new_server(demo=False)


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[1])


def children_of(parent: int) -> dict[int, str]:
    """{pid: command line}"""
    found = {}
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and parent_of(int(entry.name)) == parent:
                found[int(entry.name)] = (entry / "cmdline").read_text("utf-8").replace("\0", " ")
        except OSError:  # it ended while we looked
            continue
    return found


def gone(pids: list[int]) -> bool:
    """Whether every process ends in time; the kernel tells, nobody polls."""
    for pid in pids:
        try:
            watch = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            if not select.select([watch], [], [], WITHIN_S)[0]:
                return False
        finally:
            os.close(watch)
    return True


def test_two_workers_one_follower_and_one_worker_for_jobs_run(running) -> None:
    commands = list(children_of(running.process.pid).values())
    assert sum("gunicorn" in command for command in commands) == 2
    assert sum("intake follow" in command for command in commands) == 1
    assert sum("jobs work" in command for command in commands) == 1


@pytest.mark.parametrize("document_id", ["x" * 4096, "中" * 1365, "😀" * 1024])
def test_an_id_of_the_greatest_length_fits_into_an_address(running, document_id: str) -> None:
    answer = requests.get(f"{running.url}/sync/register-370304001901/{quote(document_id)}", timeout=WITHIN_S)
    assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized")


def test_a_request_line_beyond_measure_is_refused(running) -> None:
    assert requests.get(f"{running.url}/api/v1/{'x' * 16_000}", timeout=WITHIN_S).status_code == 404
    assert requests.get(f"{running.url}/api/v1/{'x' * 17_000}", timeout=WITHIN_S).status_code in (400, 414)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_however_the_master_ends_nothing_is_left(running, how) -> None:
    if running.process is None:
        running.start()
    master = running.process
    children = list(children_of(master.pid))
    assert len(children) == 4
    master.send_signal(how)
    master.wait(WITHIN_S)
    assert gone(children)
    running.process = None


def test_ctrl_c_ends_it_all_without_a_word(tmp_path: Path) -> None:
    server = Server(tmp_path / "var")
    with (tmp_path / "said").open("w+") as said:
        master = server.start(stderr=said).process
        assert master is not None
        children = list(children_of(master.pid))
        os.killpg(master.pid, signal.SIGINT)  # as a terminal does: everybody hears it
        master.wait(WITHIN_S)
        assert gone(children)
        server.process = None
    assert (tmp_path / "said").read_text() == ""


def test_it_does_not_listen_to_others_without_https(tmp_path: Path) -> None:
    environ = Server(tmp_path / "var").environ | {"HOST": "0.0.0.0"}  # noqa: S104
    result = subprocess.run(
        [BIN / "gunicorn"], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=WITHIN_S
    )
    assert result.returncode != 0
    assert "GRIDBOOK_PUBLIC_URL is not https" in result.stderr
    assert "Traceback" not in result.stderr
