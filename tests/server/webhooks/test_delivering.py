"""Deliveries to a real receiver: signed, sent at least once, tried again, given up with a note."""

import base64
import hashlib
import hmac
import threading
import time
from datetime import timedelta
from typing import Any

import pytest

from server.lock import FileLock
from server.webhooks import outbox
from server.webhooks.delivering import Deliverer, delivering_beside
from tests.server.api.world import World
from tests.server.webhooks.receiver import Got, Receiver, receiving, slow, status
from tests.server.webhooks.subscribed import API, Later, a_visit_arrives, log, subscribe, webhook


def signed(secret: str, got: Got) -> str:
    """Computed as the specification words it, from the secret that was shown."""
    kind, _, key = secret.partition("_")
    assert kind == "whsec" and len(base64.b64decode(key)) == 32
    content = b".".join([got.id.encode(), got.headers["webhook-timestamp"].encode(), got.body])
    return "v1," + base64.b64encode(hmac.digest(base64.b64decode(key), content, hashlib.sha256)).decode()


@pytest.mark.parametrize("world", ["sqlite", "postgresql"], indirect=True, scope="module")
def test_a_verdict_is_told_with_a_signature_that_its_receiver_can_compute(
    world: World, receiver: Receiver
) -> None:
    made, later = subscribe(world, receiver), Later(world)
    later.after()
    record_id = a_visit_arrives(world)
    later.after()
    [got] = [each for each in receiver.got if each.told["type"] == "record.verdict"]
    assert got.path == "/hook?from=gridbook" and got.headers["content-type"] == "application/json"
    assert got.headers["webhook-signature"] == signed(made["secret"], got)
    assert abs(int(got.headers["webhook-timestamp"]) - time.time()) < 60
    verdict = world.get("dong", f"/api/v1/records/{record_id}/verdict").json
    told = got.told["data"]
    assert (told["record_id"], told["status"]) == (record_id, verdict["status"])
    assert [each["rule"] for each in told["problems"]] == [each["rule"] for each in verdict["problems"]]
    assert {each["state"] for each in log(world, made)} == {"delivered"}
    before = len(receiver.got)
    later.after(hours=1)
    assert len(receiver.got) == before


def test_a_new_secret_and_the_former_one_both_sign_for_a_day(world: World, receiver: Receiver) -> None:
    made, later = subscribe(world, receiver), Later(world)
    path = f"{API}/{made['webhook_id']}"
    fresh = world.post("admin", f"{path}/secret").json["secret"]
    for hours, secrets in ((0, [fresh, made["secret"]]), (25, [fresh])):
        world.post("admin", f"{path}/test")
        later.after(hours=hours)
        got = receiver.got[-1]
        assert got.headers["webhook-signature"].split() == [signed(each, got) for each in secrets]


def test_a_receiver_that_is_down_gets_everything_once_it_is_up(world: World) -> None:
    with receiving() as gone:
        made = subscribe(world, gone)
    later = Later(world)
    later.after()
    ids = {a_visit_arrives(world), a_visit_arrives(world)}
    later.after()
    assert {each["state"] for each in log(world, made)} == {"waiting"}
    assert "no connection" in log(world, made)[-1]["last_error"] + log(world, made)[0]["last_error"]
    assert webhook(world, made)["failing_since"] and webhook(world, made)["last_status"] == 0
    with receiving(gone.port) as back:
        later.after(seconds=30)
        later.after(minutes=10)
        told = [each.told["data"] for each in back.got if each.told["type"] == "record.verdict"]
        assert {each["record_id"] for each in told} == ids and len(told) == 2
    assert webhook(world, made)["failures"] == 0 and webhook(world, made)["failing_since"] is None


@pytest.mark.parametrize("code", [500, 503, 404, 301, 307])
def test_whatever_is_not_2xx_is_tried_again_under_the_same_id(
    world: World, receiver: Receiver, code: int
) -> None:
    made, later = subscribe(world, receiver), Later(world)
    receiver.answers = [status(code, Location=f"{receiver.url}&redirected=1")] * 2
    world.post("admin", f"{API}/{made['webhook_id']}/test")
    for seconds, count in ((0, 1), (4, 1), (2, 2), (20, 2), (40, 3), (3600, 3)):
        later.after(seconds=seconds)
        assert len(receiver.got) == count, seconds
    assert len({each.id for each in receiver.got}) == 1
    assert all("redirected" not in each.path for each in receiver.got)
    [delivery] = log(world, made)
    assert (delivery["state"], delivery["attempts"], delivery["last_status"]) == ("delivered", 3, 204)


def test_retries_come_later_and_later_and_end_with_a_note(world: World, receiver: Receiver) -> None:
    made, later = subscribe(world, receiver), Later(world)
    receiver.answers = [status(500)] * 200
    world.post("admin", f"{API}/{made['webhook_id']}/test")
    hours = 0.0
    while not webhook(world, made)["disabled"]:
        later.after(minutes=20)
        hours += 1 / 3
        assert hours < 30
    assert 23.9 < hours < 25.5
    assert 20 < len(receiver.got) < 40
    found = webhook(world, made)
    assert (found["disabled"], found["counts"]) == ("failing", {"waiting": 1})
    later.after(hours=48)
    tried = len(receiver.got)
    receiver.answers = []
    assert world.post("admin", f"{API}/{made['webhook_id']}/switch", json={"on": True}).json["disabled"] == ""
    later.after()
    assert len(receiver.got) == tried + 1
    assert webhook(world, made)["counts"] == {"delivered": 1}


def test_a_receiver_that_says_it_is_gone_is_not_asked_again(world: World, receiver: Receiver) -> None:
    made, later = subscribe(world, receiver), Later(world)
    receiver.answers = [status(410)]
    world.post("admin", f"{API}/{made['webhook_id']}/test")
    later.after()
    later.after(hours=1)
    assert len(receiver.got) == 1
    assert webhook(world, made)["disabled"] == "gone"


def test_one_event_that_is_always_refused_holds_up_no_other_and_is_given_up(
    world: World, receiver: Receiver
) -> None:
    made, later = subscribe(world, receiver), Later(world)
    test = f"{API}/{made['webhook_id']}/test"
    poison = world.post("admin", test).json["event_id"]
    receiver.otherwise = lambda got: 400 if got.id == poison else 204
    later.after()
    for _ in range(75):
        other = world.post("admin", test).json["event_id"]
        later.after(hours=1)
        assert other in {each.id for each in receiver.got}
    [refused] = [each for each in log(world, made) if each["event_id"] == poison]
    assert (refused["state"], refused["last_error"]) == ("given_up", "answered 400")
    assert webhook(world, made)["disabled"] == ""


def test_a_slow_receiver_is_let_go_and_delays_no_other(world: World, receiver: Receiver) -> None:
    until = threading.Event()
    with receiving() as sleepy:
        sleepy.answers = [slow(until)]
        waited, quick = subscribe(world, sleepy), subscribe(world, receiver)
        later = Later(world, timeout_s=1.0)
        for made in (waited, quick):
            world.post("admin", f"{API}/{made['webhook_id']}/test")
        began = time.monotonic()
        later.after()
        assert time.monotonic() - began < 10
        until.set()
    assert log(world, waited)[0]["last_error"] == "no answer within 1 s"
    assert log(world, quick)[0]["state"] == "delivered"


def test_killed_between_sending_and_noting_it_is_sent_again_under_its_id(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = subscribe(world, receiver)
    world.post("admin", f"{API}/{made['webhook_id']}/test")

    def dies(*_: Any) -> None:
        raise OSError("killed")

    with monkeypatch.context() as patches:
        patches.setattr(Deliverer, "_note_delivered", dies)
        Later(world).after()
    assert log(world, made)[0]["state"] == "waiting"
    Later(world).after()
    first, second = receiver.got
    assert first.id == second.id and first.body == second.body
    assert log(world, made)[0]["state"] == "delivered"


def test_too_many_that_wait_switch_it_off_with_a_note(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "WAITING_MAX", 1)
    made, later = subscribe(world, receiver, ["record.verdict"]), Later(world)
    later.deliverer.look()
    for _ in range(2):
        a_visit_arrives(world)
        later.deliverer.look()
    assert webhook(world, made)["disabled"] == "too_many"
    later.after()
    assert receiver.got == []


def test_a_subscription_that_is_off_or_gone_gets_nothing(world: World, receiver: Receiver) -> None:
    off, gone = subscribe(world, receiver), subscribe(world, receiver)
    later = Later(world)
    later.after()
    world.post("admin", f"{API}/{off['webhook_id']}/switch", json={"on": False})
    answer = world.app.test_client().delete(f"{API}/{gone['webhook_id']}", headers=world.headers("admin"))
    assert (answer.status_code, answer.data) == (204, b"")
    assert world.post("admin", f"{API}/{off['webhook_id']}/test").json["code"] == "webhook-off"
    a_visit_arrives(world)
    later.after()
    assert receiver.got == []
    assert world.get("admin", f"{API}/{gone['webhook_id']}").json["code"] == "webhook-unknown"


def test_the_log_is_kept_for_a_week_and_what_waits_for_longer(world: World, receiver: Receiver) -> None:
    made, later = subscribe(world, receiver), Later(world)
    for _ in range(2):
        world.post("admin", f"{API}/{made['webhook_id']}/test")
    receiver.answers = [status(204), status(500)]
    later.after()
    later.ahead += timedelta(days=8)
    outbox.prune(later.shared.people)
    assert [each["state"] for each in log(world, made)] == ["waiting"]


def test_a_thread_beside_something_else_delivers_and_there_is_one_of_them(
    world: World, receiver: Receiver
) -> None:
    made = subscribe(world, receiver)
    with delivering_beside(world.gridbook), delivering_beside(world.gridbook):
        told = world.post("admin", f"{API}/{made['webhook_id']}/test").json["event_id"]
        assert receiver.arrived.get(timeout=20).id == told
    lock = FileLock(world.gridbook.settings.data / "webhooks.lock")
    lock.acquire(within_s=20)
    lock.release()
    assert len(receiver.got) == 1
