"""What a server costs the machine: its processes' CPU time and memory, from /proc."""

from __future__ import annotations

import os
import re
import threading
from collections import defaultdict
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
LISTENING = "0A"
LOOK_EVERY_S = 0.5


def server_pid(port: int) -> int:
    """The oldest process that listens on `port`; its children are the rest of the server."""
    sockets = {f"socket:[{inode}]" for inode in _listening(port)}
    holders = [pid for pid in _pids() if sockets & _open_files(pid)]
    if not holders:
        raise SystemExit(f"nobody listens on port {port} of this machine")
    return min(holders, key=_started)  # not the lowest number: they begin anew


def _started(pid: int) -> int:
    """In ticks since the machine started."""
    return int(_stat(pid)[19])


def _listening(port: int) -> set[str]:
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            cells = line.split()
            if cells[3] == LISTENING and int(cells[1].rsplit(":", 1)[1], 16) == port:
                found.add(cells[9])
    return found


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _open_files(pid: int) -> set[str]:
    try:
        return {os.readlink(entry) for entry in os.scandir(f"/proc/{pid}/fd")}
    except OSError:
        return set()


def _family(pid: int) -> list[int]:
    children = defaultdict(list)
    for other in _pids():
        if stat := _stat(other):
            children[int(stat[1])].append(other)
    family = [pid]
    for member in family:
        family += children[member]
    return family


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat from the state on."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return []


def cpu_s(pid: int) -> float:
    stats = [stat for member in _family(pid) if (stat := _stat(member))]
    return sum(sum(map(int, stat[11:15])) for stat in stats) / TICKS


def memory_mb(pid: int) -> float:
    """Memory that is shared between processes counts once (PSS)."""
    total = 0
    for member in _family(pid):
        try:
            told = Path(f"/proc/{member}/smaps_rollup").read_text()
        except OSError:
            continue
        total += sum(map(int, re.findall(r"^Pss:\s+(\d+)", told, re.MULTILINE)))
    return total / 1024


class Watch:
    """CPU seconds and peak memory of a server while the block runs."""

    def __init__(self, port: int) -> None:
        self._pid = server_pid(port)
        self._over = threading.Event()
        self.cpu_s = self.memory_mb = 0.0

    def __enter__(self) -> Watch:
        self._before = cpu_s(self._pid)
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self.cpu_s = cpu_s(self._pid) - self._before

    def _look(self) -> None:
        while True:
            self.memory_mb = max(self.memory_mb, memory_mb(self._pid))
            if self._over.wait(LOOK_EVERY_S):
                return
