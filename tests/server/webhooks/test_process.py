"""The follower's own process delivers, and a process that is killed in between sends again."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.server.api.world import ROOT, World
from tests.server.webhooks.receiver import Receiver, slow
from tests.server.webhooks.subscribed import API, subscribe

WITHIN_S = 60


@contextmanager
def following(world: World) -> Iterator[subprocess.Popen[bytes]]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GRIDBOOK_")}
    settings = world.gridbook.settings
    environ |= {
        "GRIDBOOK_DATA": str(settings.data),
        "GRIDBOOK_DATABASE": settings.database_url,
        "GRIDBOOK_PEOPLE_DATABASE": settings.people_url,
        "GRIDBOOK_WEBHOOK_HOSTS": "127.0.0.1",
    }
    command = [sys.executable, "-m", "flask", "--app", str(ROOT / "wsgi.py"), "intake", "follow"]
    with subprocess.Popen(command, cwd=ROOT, env=environ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_killed_while_the_receiver_has_it_the_next_process_sends_it_again(
    world: World, receiver: Receiver
) -> None:
    made, until = subscribe(world, receiver), threading.Event()
    receiver.answers = [slow(until)]
    told = world.post("admin", f"{API}/{made['webhook_id']}/test").json["event_id"]
    with following(world) as process:
        assert receiver.arrived.get(timeout=WITHIN_S).id == told
        process.send_signal(signal.SIGKILL)
        process.wait(WITHIN_S)
    until.set()
    with following(world) as process:
        assert receiver.arrived.get(timeout=WITHIN_S).id == told
        process.terminate()
        assert process.wait(WITHIN_S) == 0
