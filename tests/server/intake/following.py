"""A process that follows a district's store, as the server's does; it ends when it is killed."""

from __future__ import annotations

import multiprocessing
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from tests.server.intake.district import District

READY_WITHIN_S = 60

# Forked from one that has imported everything and opened nothing.
processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload([__name__])


def _follow(folder: Path, ready: Connection) -> None:
    district = District(folder)
    follower = district.new_follower(data=folder, batch_changes_max=3)
    ready.send("ready")
    follower.run_forever()


def following(folder: Path) -> ForkServerProcess:
    hears, ready = processes.Pipe(duplex=False)
    process = processes.Process(target=_follow, args=(folder, ready))
    process.start()
    assert hears.poll(READY_WITHIN_S) and hears.recv() == "ready"
    return process
