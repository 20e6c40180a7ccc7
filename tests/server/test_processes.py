"""gunicorn as `make run` starts it: workers, the follower beside them, and that nothing is left behind."""

import contextlib
import os
import re
import select
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import pytest
import requests

from tests.servers import BIN, ROOT, Server

WITHIN_S = 30
ALL = ["gunicorn", "gunicorn", "intake follow", "jobs work"]


@pytest.fixture(scope="module")
def running(new_server) -> Server:
    return new_server(demo=False)


def children_of(parent: int) -> dict[int, str]:
    """{pid: name} of those that run; one that was killed stays there until the parent has heard of it."""
    found = {}
    for entry in Path("/proc").iterdir():
        try:
            if not entry.name.isdigit():
                continue
            state, its_parent = (entry / "stat").read_text("utf-8").rpartition(")")[2].split()[:2]
            if int(its_parent) == parent and state != "Z":
                found[int(entry.name)] = (entry / "comm").read_text("utf-8").strip()
        except OSError:  # it ended while we looked
            continue
    return found


def all_of(master: int) -> dict[int, str]:
    """{pid: name} once every process is there; the first worker answers before the last is forked."""
    end = time.monotonic() + WITHIN_S
    while sorted((found := children_of(master)).values()) != ALL:
        assert time.monotonic() < end, found
        time.sleep(0.01)
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
    assert sorted(all_of(running.process.pid).values()) == ALL


@pytest.mark.parametrize("document_id", ["x" * 4096, "中" * 1365, "😀" * 1024])
def test_an_id_of_the_greatest_length_fits_into_an_address(running, document_id: str) -> None:
    answer = requests.get(f"{running.url}/sync/register-370304001901/{quote(document_id)}", timeout=WITHIN_S)
    assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized")


def test_a_request_line_beyond_measure_is_refused(running) -> None:
    assert requests.get(f"{running.url}/api/v1/{'x' * 16_000}", timeout=WITHIN_S).status_code == 404
    assert requests.get(f"{running.url}/api/v1/{'x' * 17_000}", timeout=WITHIN_S).status_code in (400, 414)


def open_files(pid: int) -> set[str]:
    found = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            found.add(os.readlink(entry))
    return found


def listening_sockets(pid: int) -> set[str]:
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    listening = {f"socket:[{line.split()[9]}]" for line in lines if line.split()[3] == "0A"}
    return listening & open_files(pid)


def test_the_master_has_no_database_open_so_that_its_children_inherit_none(running) -> None:
    all_of(running.process.pid)
    assert not {name for name in open_files(running.process.pid) if ".sqlite3" in name}


def test_only_those_that_answer_requests_listen(running) -> None:
    pids = {name: pid for pid, name in all_of(running.process.pid).items()}
    assert listening_sockets(pids["gunicorn"])
    assert not listening_sockets(pids["intake follow"]) and not listening_sockets(pids["jobs work"])


def test_the_children_share_the_app_that_the_master_has_imported(running) -> None:
    for pid in all_of(running.process.pid):
        told = dict(re.findall(r"^(Rss|Private_Dirty):\s+(\d+)", rollup(pid), re.MULTILINE))
        assert int(told["Private_Dirty"]) < int(told["Rss"]) / 2


def rollup(pid: int) -> str:
    return Path(f"/proc/{pid}/smaps_rollup").read_text()


@pytest.mark.parametrize("name", ["gunicorn", "intake follow", "jobs work"])
def test_whoever_is_killed_is_replaced_by_one_of_its_kind(running, name: str) -> None:
    before = all_of(running.process.pid)
    killed = next(pid for pid, its_name in before.items() if its_name == name)
    os.kill(killed, signal.SIGKILL)
    assert gone([killed])
    after = all_of(running.process.pid)
    assert before.keys() - after.keys() == {killed}


def test_a_reload_replaces_all_and_one_follows(running) -> None:
    before = all_of(running.process.pid)
    running.process.send_signal(signal.SIGHUP)
    assert gone(list(before))
    after = all_of(running.process.pid)
    assert not before.keys() & after.keys()
    assert requests.get(f"{running.url}/sync/", timeout=WITHIN_S).status_code == 200


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_however_the_master_ends_nothing_is_left(running, how) -> None:
    if running.process is None:
        running.start()
    master = running.process
    children = list(all_of(master.pid))
    master.send_signal(how)
    master.wait(WITHIN_S)
    assert gone(children)
    running.process = None


def test_ctrl_c_ends_it_all_without_a_word(tmp_path: Path) -> None:
    server = Server(tmp_path / "var")
    with (tmp_path / "said").open("w+") as said:
        master = server.start(stderr=said).process
        assert master is not None
        children = list(all_of(master.pid))
        os.killpg(master.pid, signal.SIGINT)  # as a terminal does: everybody hears it
        master.wait(WITHIN_S)
        assert gone(children)
        server.process = None
    assert (tmp_path / "said").read_text() == ""


def test_the_number_of_workers_is_a_setting_of_ours(tmp_path: Path) -> None:
    command = [BIN / "gunicorn", "--workers", "1"]
    environ = Server(tmp_path / "var").environ
    result = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=WITHIN_S, check=False
    )
    assert result.returncode != 0
    assert "GRIDBOOK_WORKERS" in result.stderr
    assert "Traceback" not in result.stderr


def test_it_does_not_listen_to_others_without_https(tmp_path: Path) -> None:
    environ = Server(tmp_path / "var").environ | {"HOST": "0.0.0.0"}  # noqa: S104
    result = subprocess.run(
        [BIN / "gunicorn"], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=WITHIN_S
    )
    assert result.returncode != 0
    assert "GRIDBOOK_PUBLIC_URL is not https" in result.stderr
    assert "Traceback" not in result.stderr
