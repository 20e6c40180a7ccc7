import os
import sys
from pathlib import Path

from server import supervisor
from server.supervisor import Supervisor


def line_of(fifo: Path) -> str:
    """Blocks until the helper writes: it is running by then."""
    return fifo.read_text("ascii")


def helper(fifo: Path, then: str) -> list[str]:
    return [
        sys.executable,
        "-c",
        f"import os, time; open({str(fifo)!r}, 'w').write(str(os.getpid())); {then}",
    ]


def test_a_helper_that_dies_is_started_again(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(supervisor, "RESTART_AFTER_S", (0,))
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    watched = Supervisor(helper(fifo, "os._exit(1)"))
    watched.start()
    pids = {line_of(fifo) for _ in range(3)}
    watched._stopping.set()
    drain = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)  # lets a last helper write and end
    watched.stop()
    os.close(drain)
    assert len(pids) == 3


def test_stopping_ends_the_helper(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    watched = Supervisor(helper(fifo, "time.sleep(600)"))
    watched.start()
    pid = line_of(fifo)
    watched.stop()
    assert not Path(f"/proc/{pid}").exists()
