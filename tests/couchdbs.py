"""A CouchDB for tests: the one that GRIDBOOK_TEST_COUCHDB names, else pouchdb-server from npm.

GRIDBOOK_TEST_COUCHDB=http://user:password@host:port   databases `test…` are made there and deleted
GRIDBOOK_TEST_STORE=couchdb+http://user:password@…    demo servers, of journeys too, keep their documents
                                                      there, below a prefix of their own, for the run
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import time
from pathlib import Path

import requests

from tests.servers import Server

VARIABLE = "GRIDBOOK_TEST_COUCHDB"
STORE_VARIABLE = "GRIDBOOK_TEST_STORE"
STAND_IN = Path(__file__).parent / "sync" / "pouchdb-server" / "node_modules" / "pouchdb-server"
START_WITHIN_S = 60
COPIED_WITHIN_S = 1800  # a CouchDB makes 1,156 databases for the demo

# What the stand-in cannot do, and what therefore only a real CouchDB tests.
STAND_IN_CANNOT = {
    "names": "it drops slashes from the names of databases",
    "updates": "it has no _db_updates",
    "locals": "it refuses a local document with a stale revision",
    "details": "its revisions, reasons, counts, orders and deleted leaves are not CouchDB's in every detail",
    "compaction": "compacting, it keeps what old revisions hold",
}


class CouchServer:
    """`url` has the admin's name and password in it."""

    def __init__(self, url: str, *, is_real: bool) -> None:
        self.url = url
        self.is_real = is_real

    def address(self) -> str:
        return _with_prefix(f"couchdb+{self.url}")

    def stop(self) -> None: ...


class StandIn(CouchServer):
    """pouchdb-server in memory. It dies on some requests unless told to warn of what it leaves unhandled."""

    def __init__(self, folder: Path) -> None:
        (folder / "config.json").write_text(json.dumps({"admins": {"admin": "secret"}}))
        port = _free_port()
        super().__init__(f"http://admin:secret@127.0.0.1:{port}", is_real=False)
        command = ["node", "--unhandled-rejections=warn", STAND_IN / "bin" / "pouchdb-server", "--in-memory"]
        command += ["--host", "127.0.0.1", "--port", str(port), "--config", "config.json", "--no-stdout-logs"]
        with (folder / "out.log").open("wb") as log:
            self._process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        _wait_for(f"http://127.0.0.1:{port}/", self._process)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


def start(folder: Path) -> CouchServer:
    named = os.environ.get(VARIABLE)
    return CouchServer(named.rstrip("/"), is_real=True) if named else StandIn(folder)


def store_address() -> str:
    """Where another demo server's documents can be, on the CouchDB of GRIDBOOK_TEST_STORE."""
    return _with_prefix(os.environ[STORE_VARIABLE].rstrip("/"))


def move(server: Server, address: str) -> None:
    """Bring a stopped server's documents there, and make its read model of them; phones wait for that."""
    server.set("TARGET", address)
    server.flask("store", "copy", "embedded", "env:TARGET", within_s=COPIED_WITHIN_S)
    server.set("GRIDBOOK_STORE", address)
    server.flask("intake", "once", within_s=COPIED_WITHIN_S)


def forget(address: str) -> None:
    """Delete the databases below the address's prefix."""
    url, _, prefix = address.removeprefix("couchdb+").rpartition("/")
    for name in requests.get(f"{url}/_all_dbs", timeout=60).json():
        if name.startswith(f"{prefix}$"):
            requests.delete(f"{url}/{requests.utils.quote(name, safe='')}", timeout=60)


def _with_prefix(address: str) -> str:
    """A store's address there, with a prefix of its own."""
    return f"{address}/test{secrets.token_hex(6)}"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_WITHIN_S
    while time.monotonic() < end:
        assert process.poll() is None, (
            "pouchdb-server ended at once: npm --prefix tests/sync/pouchdb-server ci"
        )
        try:
            requests.get(url, timeout=START_WITHIN_S)
            return
        except requests.ConnectionError:
            time.sleep(0.05)
    raise AssertionError("pouchdb-server does not answer")
