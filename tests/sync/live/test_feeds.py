"""Feeds of the real server: who waits is woken across workers, and costs next to nothing."""

from __future__ import annotations

import http.client
import json
import os
import socket
from pathlib import Path
from typing import Any

import requests

WAITING = 150
JSON = {"Content-Type": "application/json"}


class Longpoll:
    """One open request, read as far as is needed."""

    def __init__(self, server: Any, path: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", server.port), timeout=60)
        self._file = self._socket.makefile("rb")
        request = (
            f"GET /sync{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic YWRtaW46c2VjcmV0\r\n"
            "Connection: close\r\n\r\n"
        )
        self._socket.sendall(request.encode())

    def beats(self) -> None:
        """Returns once a heartbeat came: from then on the server waits."""
        while self._file.readline() != b"\r\n":
            pass
        while self._chunk() != b"\n":
            pass

    def rest(self) -> bytes:
        told = b""
        while chunk := self._chunk():
            told += chunk
        self.close()
        return told

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def _chunk(self) -> bytes:
        size = int(self._file.readline(), 16)
        data = self._file.read(size)
        self._file.readline()
        return data


def open_files(pid: int, name: str) -> int:
    links = Path(f"/proc/{pid}/fd").iterdir()
    return sum(1 for link in links if os.path.basename(os.path.realpath(link)) == name)


def workers_of(server: Any) -> list[int]:
    master = server._process.pid
    children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    return [int(child) for child in children]


def test_one_write_wakes_every_feed_in_every_worker(two_workers: Any) -> None:
    url = f"{two_workers.admin_url}/village"
    requests.put(url, timeout=30)
    path = "/village/_changes?feed=longpoll&since=now&heartbeat=200"
    waiting = [Longpoll(two_workers, path) for _ in range(WAITING)]
    for one in waiting:
        one.beats()
    # SQLite's connections are not held while waiting: one or two a process serve all the greenlets.
    assert len(workers_of(two_workers)) == 2
    assert all(open_files(pid, "store.sqlite3") <= 3 for pid in workers_of(two_workers))
    requests.put(f"{url}/a", json={"n": 1}, timeout=30)
    for one in waiting:
        told = json.loads(b'{"results":[' + one.rest())
        assert [row["id"] for row in told["results"]] == ["a"]


def test_a_client_that_went_away_is_noticed(live_server: Any) -> None:
    url = f"{live_server.admin_url}/village"
    requests.put(url, timeout=30)
    (worker,) = workers_of(live_server)
    before = len(os.listdir(f"/proc/{worker}/fd"))
    path = "/village/_changes?feed=longpoll&since=now&heartbeat=100"
    gone = [Longpoll(live_server, path) for _ in range(20)]
    stays = Longpoll(live_server, path)
    for one in (*gone, stays):
        one.beats()
    assert len(os.listdir(f"/proc/{worker}/fd")) >= before + 20
    for one in gone:
        one.close()
    for _ in range(30):  # three seconds of heartbeats, counted by a client that stayed
        while stays._chunk() != b"\n":
            pass
    assert len(os.listdir(f"/proc/{worker}/fd")) < before + 10
    stays.close()


def test_more_connections_than_places_are_answered_and_who_waits_for_changes_keeps_its_place(
    few_places: Any,
) -> None:
    url = f"{few_places.admin_url}/village"
    requests.put(url, timeout=30)
    waiting = [
        Longpoll(few_places, "/village/_changes?feed=longpoll&since=now&heartbeat=200") for _ in range(15)
    ]
    for one in waiting:
        one.beats()
    clients = [http.client.HTTPConnection("127.0.0.1", few_places.port, timeout=60) for _ in range(60)]
    for client in clients:  # none of them closes its connection
        client.request("GET", "/sync/")
        answer = client.getresponse()
        assert (answer.status, json.loads(answer.read())["couchdb"]) == (200, "Welcome")
    assert len(open_sockets(few_places)) <= 25
    clients[-1].request("GET", "/sync/")  # who asked last is still connected
    assert clients[-1].getresponse().status == 200
    requests.put(f"{url}/a", json={"n": 1}, timeout=30)
    for one in waiting:
        assert b'"id":"a"' in one.rest()
    for client in clients:
        client.close()


def open_sockets(server: Any) -> list[Path]:
    (worker,) = workers_of(server)
    links = Path(f"/proc/{worker}/fd").iterdir()
    return [link for link in links if os.readlink(link).startswith("socket:")]


def test_a_body_above_the_limit_is_answered_and_not_cut_off(live_server: Any) -> None:
    answer = requests.post(
        f"{live_server.admin_url}/village/_bulk_docs", data=bytes(20_000_000), headers=JSON, timeout=60
    )
    assert (answer.status_code, answer.json()["error"]) == (413, "too_large")


def test_a_body_that_is_cut_short_is_not_half_kept(live_server: Any) -> None:
    url = f"{live_server.admin_url}/village"
    requests.put(url, timeout=30)
    with socket.create_connection(("127.0.0.1", live_server.port), timeout=30) as cut:
        cut.sendall(
            b"PUT /sync/village/r/photo HTTP/1.1\r\nHost: x\r\nAuthorization: Basic YWRtaW46c2VjcmV0\r\n"
            b"Content-Type: image/jpeg\r\nContent-Length: 1000\r\n\r\nonly this much"
        )
        cut.shutdown(socket.SHUT_WR)
        told = b"".join(iter(lambda: cut.recv(4096), b""))
    assert b" 400 " in told.splitlines()[0]
    assert b"bad_request" in told
    assert requests.get(url, timeout=30).json()["doc_count"] == 0


def test_ids_with_encoded_slashes_reach_the_real_server_unharmed(live_server: Any) -> None:
    url = f"{live_server.admin_url}/a%2Fb"
    assert requests.put(url, timeout=30).status_code == 201
    assert requests.put(f"{url}/x%2Fy%20%F0%9F%98%80+", json={}, timeout=30).json()["id"] == "x/y 😀+"
    assert requests.get(f"{live_server.admin_url}/_all_dbs", timeout=30).json() == ["a/b"]
