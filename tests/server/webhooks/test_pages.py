"""The pages: the administrator makes a webhook, sees what became of it, and reads why it is off."""

import re

import pytest
from flask.testing import FlaskClient

from server.webhooks import subscriptions
from tests.server.api.world import DISTRICT, World
from tests.server.webhooks.receiver import Receiver, status
from tests.server.webhooks.subscribed import Later, subscribe

ENGLISH = {"Accept-Language": "en"}


def csrf(client: FlaskClient) -> str:
    [token] = set(re.findall(r'name="csrf_token" value="([^"]+)"', client.get("/webhooks").text))
    return token


@pytest.fixture
def admin(world: World) -> FlaskClient:
    client = world.signed_in("admin")
    client.set_cookie("language", "en")
    return client


def test_a_webhook_is_made_with_its_secret_shown_once(
    world: World, admin: FlaskClient, receiver: Receiver
) -> None:
    form = {
        "csrf_token": csrf(admin),
        "url": receiver.url,
        "label": "指挥部大屏",
        "events": ["record.verdict", "bulletin.frozen"],
    }
    shown = admin.post("/webhooks", data=form)
    assert shown.status_code == 200 and shown.headers["Cache-Control"] == "no-store"
    [secret] = re.findall(r"whsec_[\w+/]{43}=", shown.text)
    [made] = subscriptions.every(world.gridbook.people)
    assert (made.events, made.areas) == (["bulletin.frozen", "record.verdict"], [DISTRICT])
    for path in ("/webhooks", f"/webhooks/{made.webhook_id}"):
        page = admin.get(path).text
        assert "指挥部大屏" in page and secret not in page
    other = admin.post(f"/webhooks/{made.webhook_id}/secret", data={"csrf_token": csrf(admin)})
    assert "whsec_" in other.text and secret not in other.text


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"url": "http://cockpit.example.com/", "events": ["bulletin.frozen"]}, "GRIDBOOK_WEBHOOK_HOSTS"),
        ({"url": "https://cockpit.example.com/"}, "events"),
        ({"url": "https://cockpit.example.com/", "events": ["x"]}, "events"),
        ({"events": ["bulletin.frozen"]}, "url"),
    ],
)
def test_what_is_wrong_is_said_on_the_page(world: World, admin: FlaskClient, form: dict, words: str) -> None:
    answer = admin.post("/webhooks", data={"csrf_token": csrf(admin), **form})
    assert answer.status_code == 422 and words in answer.text
    assert subscriptions.every(world.gridbook.people) == []


def test_the_page_tells_what_was_sent_and_why_it_is_off(
    world: World, admin: FlaskClient, receiver: Receiver
) -> None:
    made, later = subscribe(world, receiver, label="cockpit"), Later(world)
    path, token = f"/webhooks/{made['webhook_id']}", {"csrf_token": csrf(admin)}
    assert admin.post(f"{path}/test", data=token).status_code == 303
    receiver.answers = [status(500)]
    later.after()
    assert "answered 500" in admin.get(path).text
    later.after(minutes=1)
    receiver.answers = [status(410)]
    admin.post(f"{path}/test", data=token)
    later.after(minutes=1)
    page = admin.get(path, headers=ENGLISH).text
    assert "410" in page and 'class="tag good"' in page and 'class="message bad"' in page
    assert admin.post(f"{path}/test", data=token).status_code == 409
    assert admin.post(f"{path}/switch", data={**token, "on": "1"}).status_code == 303
    assert 'class="message bad"' not in admin.get(path).text
    assert admin.post(f"{path}/remove", data=token).status_code == 303
    assert admin.get(path).status_code == 404


def test_others_have_no_such_page_and_nothing_moves_without_a_token(
    world: World, admin: FlaskClient, receiver: Receiver
) -> None:
    made = subscribe(world, receiver)
    dong = world.signed_in("dong")
    assert 'href="/webhooks"' not in dong.get("/").text
    assert dong.get("/webhooks").status_code == 403
    assert dong.get(f"/webhooks/{made['webhook_id']}").status_code == 403
    assert 'href="/webhooks"' in admin.get("/").text
    for path in ("", f"/{made['webhook_id']}/switch", f"/{made['webhook_id']}/remove"):
        assert admin.post(f"/webhooks{path}", data={"on": "0"}).status_code == 403
    assert len(subscriptions.every(world.gridbook.people)) == 1
