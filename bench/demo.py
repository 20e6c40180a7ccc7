"""A demo district of its own on a free port, for as long as a measurement lasts."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers import Server


@contextmanager
def demo_server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder) / "var")
        for arguments in (("forms", "publish"), ("demo",), ("intake", "once")):
            server.flask(*arguments)
        server.start()
        try:
            yield server
        finally:
            server.stop()
