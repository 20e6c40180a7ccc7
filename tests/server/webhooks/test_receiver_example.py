"""The receiver of docs/examples/, a process of its own, gets the server's deliveries."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests

from server.webhooks.delivering import Deliverer
from server.webhooks.sending import signature
from tests.server.api.world import ROOT, World
from tests.server.webhooks.receiver import receiving
from tests.server.webhooks.subscribed import API, Later, log, subscribe

EXAMPLE = ROOT / "docs" / "examples" / "webhook_receiver.py"


@contextmanager
def running(port: int, secret: str) -> Iterator[subprocess.Popen[str]]:
    environ = os.environ | {"GRIDBOOK_WEBHOOK_SECRET": secret}
    command = [sys.executable, str(EXAMPLE), "--port", str(port)]
    with subprocess.Popen(command, env=environ, stdout=-1, stderr=-1, text=True) as process:
        assert process.stderr is not None and "listening" in process.stderr.readline()
        yield process
        process.terminate()


def test_it_prints_each_event_once_and_refuses_whoever_signs_otherwise(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiving() as before:
        made = subscribe(world, before)
    with running(before.port, made["secret"]) as process:
        told = world.post("admin", f"{API}/{made['webhook_id']}/test").json["event_id"]
        with monkeypatch.context() as patches:
            patches.setattr(Deliverer, "_note_delivered", lambda *_: 1 / 0)  # sent, and not noted
            Later(world).after()
        Later(world).after()
        assert [(each["event_id"], each["state"]) for each in log(world, made)] == [(told, "delivered")]

        def forged(secret: str, at: float, **headers: str) -> int:
            sent: dict[str, Any] = {"webhook-id": "evt_1", "webhook-timestamp": str(int(at))}
            sent["webhook-signature"] = signature(secret, "evt_1", int(at), b"{}")
            return requests.post(before.url, b"{}", headers={**sent, **headers}, timeout=10).status_code

        now = time.time()
        assert forged(made["secret"], now) == 204
        assert forged("whsec_AAAA", now) == 401
        assert forged(made["secret"], now - 600) == 401
        assert forged(made["secret"], now, **{"webhook-id": "evt_2"}) == 401
        assert forged(made["secret"], now, **{"webhook-timestamp": "soon"}) == 401
        process.terminate()
        assert process.stdout is not None
        first, second = process.stdout.read().splitlines()
    assert '"webhook.test"' in first and second == "{}"


def test_it_says_what_is_missing() -> None:
    environ = {name: value for name, value in os.environ.items() if name != "GRIDBOOK_WEBHOOK_SECRET"}
    ended = subprocess.run([sys.executable, str(EXAMPLE)], env=environ, capture_output=True, text=True)
    assert ended.returncode == 1 and "GRIDBOOK_WEBHOOK_SECRET" in ended.stderr
