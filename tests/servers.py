"""A real server for tests: gunicorn on a free port with a data folder of its own.

server.url, server.data, server.credentials     where it is, what it keeps, the demo's people and codes
server.flask("import", "areas", path)           a command on its data folder
server.stop(); server.kill(); server.start()    end it in order, or at once; again on the same port
server.counted(record_ids)                      wait until the district's tables have these records
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote

import requests
from werkzeug.serving import make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
START_WITHIN_S = 60
STOP_WITHIN_S = 30
ANSWER_WITHIN_S = 60
HAPPENS_WITHIN_S = 90


def until(what: Callable[[], Any]) -> Any:
    """The first true answer: for what another process does in its own time."""
    end = time.monotonic() + HAPPENS_WITHIN_S
    while not (found := what()):
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.05)
    return found


class Server:
    def __init__(self, data: Path, **environ: str) -> None:
        """`environ` adds settings; nothing of the caller's own GRIDBOOK_ settings leaks in."""
        self.data = data
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        self._extra = environ

    def set(self, name: str, value: str) -> None:
        """A setting for the next start and for commands."""
        self._extra[name] = value

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environ(self) -> dict[str, str]:
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("GRIDBOOK_", "DEMO"))
        }
        return (
            inherited
            | {"GRIDBOOK_DATA": str(self.data), "PORT": str(self.port or 1), "HOST": "127.0.0.1"}
            | self._extra
        )

    @property
    def credentials(self) -> dict[str, Any]:
        """The demo's credentials with this server's addresses: it was written before there was a port."""
        text = (self.data / "demo-credentials.json").read_text("utf-8")
        written_for = json.loads(text)["url"]
        found: dict[str, Any] = json.loads(
            text.replace(f'{written_for}"', f'{self.url}"').replace(f"{written_for}/", f"{self.url}/")
        )
        return found

    def start(self, stderr: IO[str] | None = None) -> Server:
        # We listen before gunicorn does and hand the socket over: no port can be lost in between, and the
        # first request simply waits until a worker answers.
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", self.port))
            listener.listen(128)
            self.port = listener.getsockname()[1]
            self.process = subprocess.Popen(
                [BIN / "gunicorn", "--bind", f"fd://{listener.fileno()}"],
                cwd=ROOT,
                env=self.environ,
                pass_fds=[listener.fileno()],
                start_new_session=True,
                stderr=stderr,
            )
        assert requests.get(f"{self.url}/sync/", timeout=START_WITHIN_S).status_code == 200
        return self

    def stop(self) -> None:
        """As an operator would: SIGTERM, and everything ends in order."""
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(STOP_WITHIN_S)
            finally:
                self.kill()

    def kill(self) -> None:
        """SIGKILL for the master, the workers and the follower at the same moment."""
        if self.process is not None:
            process, self.process = self.process, None
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                return
            finally:
                process.wait()
                _wait_until_gone(process.pid)

    def counted(self, record_ids: Iterable[str]) -> None:
        """A phone hears the verdict of a record a moment before figures and lists have it."""
        for record_id in record_ids:
            until(partial(self._has, record_id))

    def _has(self, record_id: str) -> bool:
        url = f"{self.url}/api/v1/records/{quote(record_id, safe='')}"
        headers = {"Authorization": f"Bearer {self.credentials['api_token']}"}
        answer = requests.get(url, headers=headers, timeout=ANSWER_WITHIN_S)
        assert answer.ok or answer.status_code == 404, answer.text
        return answer.ok

    def flask(
        self, *arguments: str | Path, check: bool = True, within_s: int = 300
    ) -> subprocess.CompletedProcess[str]:
        """Run a `flask` command on this data folder; the server may run or not."""
        command = [BIN / "flask", *arguments]
        result = subprocess.run(
            command, cwd=ROOT, env=self.environ, capture_output=True, text=True, timeout=within_s
        )
        assert not check or result.returncode == 0, result.stdout + result.stderr
        return result


@contextmanager
def served(app: WSGIApplication) -> Iterator[str]:
    """The app of this process at an address of its own; it answers several at once."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join(timeout=10)


def _wait_until_gone(group: int) -> None:
    """Workers die a moment after their master, and hold its port until then."""
    end = time.monotonic() + STOP_WITHIN_S
    while _alive(group):
        assert time.monotonic() < end, f"processes of group {group} do not end"
        time.sleep(0.01)


def _alive(group: int) -> bool:
    """Whether a process of the group runs; a zombie has let go of everything already."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _parent, its_group = stat.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(its_group) == group and state not in "ZX":
            return True
    return False
