"""A disk of 24 MB that fills: phones are told to try again, nothing is half kept, it recovers by itself."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from bench.faults.district import District, fill, mount_small, unmount
from sync.embedded import UnusableStore, check, open_store
from sync.store import InsufficientStorage
from tests.servers import BIN, ROOT

WITHIN_S = 60
LARGE = "发热" * 50_000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if not mount_small(tmp_path, 24):
        pytest.skip("Not tested: a full disk (this user may not mount a small file system)")
    yield tmp_path
    unmount(tmp_path)


@pytest.fixture
def district(small_disk: Path) -> Iterator[District]:
    made = District(small_disk / "var", 1, can_fill=True)
    made.server.start()
    yield made
    made.server.stop()


def pusher(district: District) -> Callable[..., requests.Response]:
    village, token = district.tokens[0]

    def push(*ids: str, **members: Any) -> requests.Response:
        docs = [{"_id": doc_id, "_rev": "1-a", **members} for doc_id in ids]
        return requests.post(
            f"{district.server.url}/sync/inbox-{village}/_bulk_docs",
            json={"docs": docs, "new_edits": False},
            headers={"Authorization": f"Bearer {token}"},
            timeout=WITHIN_S,
        )

    return push


def test_a_push_into_a_full_disk_is_a_507_and_succeeds_when_there_is_room(district: District) -> None:
    push = pusher(district)
    assert push("before").status_code == 201
    district.fill_disk()
    refused = push("kept", "too", text=LARGE)
    assert (refused.status_code, refused.json()["error"]) == (507, "insufficient_storage")
    assert requests.get(f"{district.server.url}/sync/", timeout=WITHIN_S).status_code == 200
    district.free_disk()
    assert push("kept", "too", text=LARGE).status_code == 201
    district.server.stop()
    assert check(district.server.data / "store.sqlite3").rows["documents"] >= 3


def test_a_worker_that_dies_while_the_disk_is_full_is_replaced(district: District) -> None:
    push = pusher(district)
    while not {"intake follow", "jobs work"} <= {name for _, name in district.children()}:
        assert district.server.process.poll() is None  # they are started last
    first, second = (pid for pid, name in district.children() if name == "gunicorn")
    district.fill_disk()
    os.kill(first, signal.SIGKILL)
    assert push("kept", text=LARGE).status_code == 507
    while first in (now := [pid for pid, _ in district.children()]):
        assert now
    os.kill(second, signal.SIGKILL)  # now only the new one can answer
    assert push("kept", text=LARGE).status_code == 507
    district.free_disk()
    assert push("kept", text=LARGE).status_code == 201
    assert district.server.process.poll() is None


@pytest.mark.parametrize("free_pages", range(12))
def test_wherever_in_a_write_the_disk_ends_the_store_stays_whole(small_disk: Path, free_pages: int) -> None:
    path = small_disk / "store.sqlite3"
    store = open_store(path)
    database = store.create("inbox-a")
    left = os.statvfs(small_disk)
    with (small_disk / "ballast").open("wb") as ballast:
        os.posix_fallocate(ballast.fileno(), 0, (left.f_bavail - 3 * free_pages) * left.f_frsize)
    kept = 0
    with pytest.raises(InsufficientStorage):
        while True:
            database.put({"_id": f"r{kept}", "text": "x" * 3000}, writer="w")
            kept += 1
    assert len(database.changes().rows) == kept
    (small_disk / "ballast").unlink()
    database.put({"_id": "after"}, writer="w")
    assert database.info()["doc_count"] == kept + 1
    store.close()
    assert check(path).problems == []


def test_a_server_that_starts_on_a_full_disk_says_so(small_disk: Path) -> None:
    path = small_disk / "store.sqlite3"
    open_store(path).close()
    fill(small_disk / "ballast")
    with pytest.raises(UnusableStore, match="the disk is full"):
        open_store(path)


@pytest.mark.parametrize("ask", [lambda store: store.names(), lambda store: store.open("inbox-a")])
def test_a_process_that_opens_the_store_first_while_the_disk_is_full_is_told_so(
    small_disk: Path, ask: Callable[[Any], object]
) -> None:
    path = small_disk / "store.sqlite3"
    made = open_store(path)
    made.create("inbox-a")
    made.close()
    fill(small_disk / "ballast")
    store = open_store(path, is_made=True)
    with pytest.raises(InsufficientStorage):
        ask(store)
    (small_disk / "ballast").unlink()
    ask(store)
    store.close()


def test_a_server_that_was_killed_on_a_full_disk_names_the_disk_and_starts_when_there_is_room(
    district: District,
) -> None:
    assert pusher(district)("before").status_code == 201
    district.server.kill()
    district.fill_disk()
    refused = subprocess.run(
        [BIN / "gunicorn"],
        cwd=ROOT,
        env=district.server.environ,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
    )
    assert refused.returncode != 0
    assert "The disk is full: make room." in refused.stderr
    assert "Traceback" not in refused.stderr
    district.free_disk()
    district.server.start()
    assert pusher(district)("after").status_code == 201
