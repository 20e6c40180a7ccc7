"""A PostgreSQL of the tests' own: Debian's programs, a folder that ends with the run, a socket and no port.

Databases sort as the English do: whatever of ours leans on the order of bytes has to ask for it.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from server.supervisor import die_with_parent

PROGRAMS = Path("/usr/lib/postgresql")
ABSENT = "PostgreSQL is not installed (apt install postgresql): the read model was tested on SQLite alone"
START_WITHIN_S = 60
ENCODING = ("--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US")
QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "40"}


def programs() -> Path | None:
    """The newest installed version's folder of programs."""
    found = sorted(PROGRAMS.glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


class Postgres:
    """Raises RuntimeError when there is none to start. Ends with `stop`."""

    def __init__(self, *, quick: bool = True) -> None:
        found = programs()
        if found is None:
            raise RuntimeError(ABSENT)
        self._bin, self._made = found, 0
        self.folder = Path(tempfile.mkdtemp(prefix="gridbook-postgres-"))
        self._as: dict[str, int] = {}
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")  # PostgreSQL refuses to run as root
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
            self._as = {"user": owner.pw_uid, "group": owner.pw_gid}
        self._run(
            "initdb", "-D", self.folder / "data", "-U", "gridbook", "--auth=trust", "--no-sync", *ENCODING
        )
        self._process = self._start(QUICK if quick else {})

    def _run(self, program: str, *arguments: str | Path) -> None:
        command = [self._bin / program, *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd=self.folder, **self._as)

    def _start(self, settings: dict[str, str]) -> subprocess.Popen[bytes]:
        given = {"listen_addresses": "", "unix_socket_directories": str(self.folder), **settings}
        options = [part for name, value in given.items() for part in ("-c", f"{name}={value}")]
        parent = os.getpid()
        process = subprocess.Popen(
            [self._bin / "postgres", "-D", self.folder / "data", *options],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=(self.folder / "log").open("wb"),
            preexec_fn=lambda: die_with_parent(signal.SIGINT, parent),  # also of a run that is killed
            **self._as,
        )
        end = time.monotonic() + START_WITHIN_S
        while True:
            try:
                psycopg.connect(self._address("postgres")).close()
                return process
            except psycopg.OperationalError:
                assert process.poll() is None and time.monotonic() < end, (self.folder / "log").read_text()
                time.sleep(0.05)

    def _address(self, name: str) -> str:
        return f"host={self.folder} user=gridbook dbname={name}"

    def new_database(self) -> str:
        """The URL of an empty database."""
        return self._create("template1")

    def copy_of(self, url: str) -> str:
        """The URL of a database that is like this one, to which nobody is connected."""
        return self._create(str(make_url(url).database))

    def _create(self, template: str) -> str:
        self._made += 1
        name = f"test_{self._made}"
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return f"postgresql+psycopg://gridbook@/{name}?host={self.folder}"

    def stop(self) -> None:
        """At once: nothing of it is kept."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait()
        shutil.rmtree(self.folder)
