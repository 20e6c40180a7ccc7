"""The server that is made to suffer: a data folder, small enough to fill, with enrolled phones."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from server.app import open_gridbook
from server.people import devices
from server.settings import Settings
from tests.servers import Server

ADMIN = ("auditor", "a password of this run")
FOLDER_MB = 2048  # a hundred faults leave some 250 MB of records, their verdicts and figures


class District:
    """`phones` phones in two villages; `can_fill` tells whether the data folder has a disk of its own."""

    def __init__(self, data: Path, phones: int, *, can_fill: bool) -> None:
        self.server = Server(data, GRIDBOOK_SYNC_ADMIN=":".join(ADMIN))
        self.can_fill = can_fill
        self._ballast = data / "ballast"
        self.tokens = self._enrol(phones)

    def _enrol(self, phones: int) -> list[tuple[str, str]]:
        """[(village, token)]"""
        shared = open_gridbook(Settings.from_environ({"GRIDBOOK_DATA": str(self.server.data)}))
        tokens = []
        villages = ("370304001901", "370304103901")
        for village in villages:
            for kind in ("inbox", "register"):
                shared.store.ensure(f"{kind}-{village}")
        with shared.people.engine.begin() as connection:
            for number in range(phones):
                village = villages[number % 2]
                _, token = devices.add(
                    shared.people, connection, label=str(number), villages=[village], filler_ids=[]
                )
                tokens.append((village, token))
        shared.store.close()
        shared.people.engine.dispose()
        shared.readmodel.engine.dispose()
        return tokens

    # Faults

    def kill_everything(self) -> None:
        self.server.kill()
        self.server.start()

    def kill_master(self) -> None:
        """Its workers die with it."""
        assert self.server.process is not None
        os.kill(self.server.process.pid, signal.SIGKILL)
        self.server.process.wait()
        self.server.kill()
        self.server.start()

    def kill_child(self, pick: int, follower: bool) -> bool:
        """A worker, or the follower; False when none is there at the moment."""
        wanted = "intake follow" if follower else "gunicorn"
        found = [pid for pid, name in self.children() if name == wanted]
        if not found:
            return False
        try:
            os.kill(found[pick % len(found)], signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    def children(self) -> Iterator[tuple[int, str]]:
        assert self.server.process is not None
        master = self.server.process.pid
        told = Path(f"/proc/{master}/task")
        for task in told.iterdir():
            for pid in (task / "children").read_text().split():
                try:
                    name = Path(f"/proc/{pid}/comm").read_text().strip()
                except OSError:
                    continue
                yield int(pid), name

    def fill_disk(self) -> None:
        fill(self._ballast)

    def free_disk(self) -> None:
        self._ballast.unlink(missing_ok=True)


def fill(ballast: Path) -> None:
    """Write `ballast` until the disk has no byte left."""
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise


@contextmanager
def district(phones: int) -> Iterator[District]:
    """On a small file system of its own if we may mount one."""
    folder = Path(tempfile.mkdtemp(prefix="gridbook-faults-"))
    mounted = mount_small(folder, FOLDER_MB)
    made = District(folder / "var", phones, can_fill=mounted)
    made.server.start()
    try:
        yield made
    finally:
        made.free_disk()
        made.server.kill()
        if mounted:
            unmount(folder)
        shutil.rmtree(folder)


def mount_small(folder: Path, megabytes: int) -> bool:
    """Whether a file system of that size could be mounted on `folder`."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "gridbook-faults", folder]
    return os.geteuid() == 0 and subprocess.run(command, capture_output=True, check=False).returncode == 0


def unmount(folder: Path) -> None:
    subprocess.run(["umount", folder], check=True)
