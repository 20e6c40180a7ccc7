"""What the tests do over and over: subscribe over the API, let a record in, deliver."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from server import clock
from server.webhooks.delivering import Deliverer
from server.webhooks.events import EVENTS
from tests.server.api.world import DISTRICT, World, sample
from tests.server.webhooks.receiver import Receiver

API = "/api/v1/webhooks"


def subscribe(
    world: World, receiver: Receiver, events: list[str] | None = None, **more: Any
) -> dict[str, Any]:
    body = {"url": receiver.url, "events": events or list(EVENTS), "areas": [DISTRICT], **more}
    answer = world.post("admin", API, json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json)


def webhook(world: World, made: dict[str, Any]) -> dict[str, Any]:
    return dict(world.get("admin", f"{API}/{made['webhook_id']}").json)


def log(world: World, made: dict[str, Any]) -> list[dict[str, Any]]:
    return list(world.get("admin", f"{API}/{made['webhook_id']}/deliveries?limit=500").json["items"])


def a_visit_arrives(world: World, kind: str = "pass/phone_ok", **more: Any) -> str:
    """Its id, once it is judged."""
    record = sample(f"household_visit/{kind}", device_id=world.device_id, household_id="H4", **more)
    record_id = world.push(record)
    world.follow()
    return record_id


class Later:
    """A deliverer whose clock can be turned on."""

    def __init__(self, world: World, **more: Any) -> None:
        self.ahead = timedelta()
        people = replace(world.gridbook.people, now=self.now)
        self.shared = replace(world.gridbook, people=people)
        self.deliverer = Deliverer(self.shared, jitter=lambda: 1.0, **more)

    def now(self) -> datetime:
        return clock.now() + self.ahead

    def after(self, **time: float) -> None:
        """That much later it looks and sends."""
        self.ahead += timedelta(**time)
        self.deliverer.look()
        self.deliverer.send_due()
