"""Who may make webhooks, and what is said to nonsense. The administrator may; Dong and Bai may not."""

from typing import Any

import pytest

from server.webhooks import subscriptions
from tests.server.api.world import DISTRICT, World
from tests.server.webhooks.receiver import Receiver
from tests.server.webhooks.subscribed import API, subscribe

GOOD: dict[str, Any] = {"url": "https://cockpit.example.com/hook", "events": ["bulletin.frozen"]}


@pytest.mark.parametrize("who", ["dong", "bai", "cun"])
def test_only_administrators_see_and_make_webhooks(world: World, receiver: Receiver, who: str) -> None:
    made = subscribe(world, receiver)
    one = f"{API}/{made['webhook_id']}"
    for path in (API, one, f"{one}/deliveries"):
        assert world.get(who, path).json["code"] == "forbidden"
    for path in (API, f"{one}/test", f"{one}/secret", f"{one}/switch"):
        assert world.post(who, path, json=GOOD).status_code == 403
    assert world.app.test_client().delete(one, headers=world.headers(who)).status_code == 403
    assert world.get(None, API).status_code == 401


def test_the_secret_is_shown_once_and_kept_nowhere(world: World, receiver: Receiver) -> None:
    made = subscribe(world, receiver)
    assert made["secret"].startswith("whsec_")
    for path in (API, f"{API}/{made['webhook_id']}"):
        assert made["secret"] not in world.get("admin", path).text
    with world.gridbook.people.engine.connect() as connection:
        kept = str(connection.exec_driver_sql("SELECT * FROM webhooks").all())
    assert made["secret"].removeprefix("whsec_") not in kept
    other = subscribe(world, receiver)
    assert other["secret"] != made["secret"]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"url": "http://cockpit.example.com/"}, 422, "webhook-url"),
        ({"url": "https://10.0.0.1/"}, 422, "webhook-url"),
        ({"url": "https://user:pass@example.com/"}, 422, "webhook-url"),
        ({"url": "javascript:alert(1)"}, 422, "webhook-url"),
        ({"url": ""}, 422, "invalid"),
        ({"url": None}, 422, "invalid"),
        ({"events": []}, 422, "invalid"),
        ({"events": ["record.deleted"]}, 422, "invalid"),
        ({"areas": ["370399"]}, 404, "unknown-area"),
        ({"areas": ["x"]}, 422, "invalid"),
        ({"label": "x" * 81}, 422, "invalid"),
        ({"secret": "mine"}, 422, "invalid"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_kept(
    world: World, change: dict[str, Any], status: int, code: str
) -> None:
    answer = world.post("admin", API, json=GOOD | change)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert world.get("admin", API).json["items"] == []


def test_the_refusal_says_what_is_wrong_with_the_address(world: World) -> None:
    answer = world.post("admin", API, json=GOOD | {"url": "http://cockpit.example.com/"})
    assert "GRIDBOOK_WEBHOOK_HOSTS" in answer.json["detail"] and "https" in answer.json["detail"]


def test_without_areas_it_is_told_of_its_maker_s(world: World) -> None:
    assert world.post("admin", API, json=GOOD).json["areas"] == [DISTRICT]


def test_there_are_only_so_many(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "MOST", 1)
    assert world.post("admin", API, json=GOOD).status_code == 201
    answer = world.post("admin", API, json=GOOD)
    assert (answer.status_code, answer.json["code"]) == (409, "webhook-too-many")


def test_deliveries_come_page_by_page_and_a_cursor_fits_its_own_webhook(
    world: World, receiver: Receiver
) -> None:
    made, other = subscribe(world, receiver), subscribe(world, receiver)
    sent = [world.post("admin", f"{API}/{made['webhook_id']}/test").json["event_id"] for _ in range(3)]
    path, found, cursor = f"{API}/{made['webhook_id']}/deliveries?limit=1", [], ""
    while cursor is not None:
        page = world.get("admin", f"{path}&cursor={cursor}").json
        found += [each["event_id"] for each in page["items"]]
        cursor = page["next_cursor"]
    assert sorted(found) == sorted(sent)
    cursor = world.get("admin", path).json["next_cursor"]
    stranger = world.get("admin", f"{API}/{other['webhook_id']}/deliveries?cursor={cursor}")
    assert stranger.json["code"] == "bad-cursor"


def test_what_is_not_there_is_a_404(world: World) -> None:
    for path in ("test", "secret"):
        assert world.post("admin", f"{API}/nobody/{path}").json["code"] == "webhook-unknown"
    assert world.get("admin", f"{API}/nobody/deliveries").status_code == 404
    assert world.post("admin", f"{API}/nobody/switch", json={"on": "perhaps"}).status_code == 422


def test_a_session_needs_its_csrf_token(world: World, receiver: Receiver) -> None:
    made = subscribe(world, receiver)
    client = world.signed_in("admin")
    assert client.post(API, json=GOOD).status_code == 403
    assert client.delete(f"{API}/{made['webhook_id']}").status_code == 403
