"""A rebuild asked for, watched and called off by an administrator: the page and the API."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from server.intake import asked_rebuild
from server.intake.rebuilding import FAILED, REQUEST, Progress
from server.readmodel.model import write_meta
from tests.server.api.world import World, filled

API = "/api/v1/system/rebuild"


@pytest.fixture(scope="module")
def shared_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return filled(tmp_path_factory.mktemp("rebuild"))


@pytest.fixture
def world(shared_world: World) -> Iterator[World]:
    yield shared_world
    with shared_world.gridbook.readmodel.engine.begin() as connection:
        for name in (REQUEST, FAILED):
            write_meta(connection, name, "")


def delete(world: World, who: str | None) -> tuple[int, str]:
    answer = world.app.test_client().delete(API, headers=world.headers(who))
    return answer.status_code, answer.json.get("code") or answer.json["state"]


def token(client: FlaskClient) -> str:
    return str(client.get("/system").text.split('name="csrf_token" value="')[1].split('"')[0])


def test_a_rebuild_is_asked_for_followed_and_done(world: World) -> None:
    assert world.get("admin", API).json["state"] == "none"
    asked = world.post("admin", API)
    assert (asked.status_code, asked.json["state"]) == (202, "asked")
    again = world.post("admin", API)
    assert (again.status_code, again.json["code"]) == (409, "rebuild-under-way")
    before = world.get("dong", "/api/v1/figures").json
    world.follow()
    assert world.get("admin", API).json["state"] == "none"
    assert world.get("dong", "/api/v1/figures").json["figures"] == before["figures"]


def test_a_rebuild_is_called_off_twice_with_the_same_answer(world: World) -> None:
    assert delete(world, "admin") == (409, "rebuild-not-asked")
    world.post("admin", API)
    assert delete(world, "admin") == (202, "cancelling")
    assert delete(world, "admin") == (202, "cancelling")
    assert world.post("admin", API).json["code"] == "rebuild-under-way"
    world.follow()
    assert world.get("admin", API).json["state"] == "none"


@pytest.mark.parametrize(("who", "status"), [(None, 401), ("dong", 403), ("cun", 403)])
def test_who_may_not_have_it_rebuilt_is_refused(world: World, who: str | None, status: int) -> None:
    assert world.get(who, API).status_code == status
    assert world.post(who, API).status_code == status
    assert delete(world, who)[0] == status
    assert asked_rebuild.told(world.gridbook.readmodel).state == "none"


def test_the_page_asks_with_a_confirmation_shows_and_cancels(world: World) -> None:
    client = world.signed_in("admin")
    page = client.get("/system").text
    assert "现在重算" in page and "data-busy" not in page and "取消重算" not in page
    form = {"csrf_token": token(client)}
    assert client.post("/system/rebuild", data={"csrf_token": "x"}).status_code == 403
    assert client.post("/system/rebuild", data=form).location == "/system#rebuild"
    page = client.get("/system").text
    assert "data-busy" in page and "已要求重算" in page and "现在重算" not in page
    assert client.post("/system/rebuild", data=form).status_code == 409
    progress = Progress(world.gridbook.readmodel, 10)
    progress.add(4)
    assert 'value="40"' in client.get("/system").text
    progress.end()
    assert client.post("/system/rebuild/cancel", data=form).status_code == 303
    assert "正在取消" in client.get("/system").text
    world.follow()
    assert "没有在重算" in client.get("/system").text
    assert client.post("/system/rebuild/cancel", data=form).status_code == 409
    assert world.signed_in("dong").post("/system/rebuild", data=form).status_code == 403


@pytest.mark.parametrize(
    ("language", "words"), [("zh", "2020-02-21 16:00 失败"), ("en", "failed 2020-02-21 16:00")]
)
def test_the_page_says_when_and_why_a_rebuild_failed(world: World, language: str, words: str) -> None:
    with world.gridbook.readmodel.engine.begin() as connection:
        write_meta(connection, FAILED, "2020-02-21T08:00:00.000Z OSError: no space left")
    client = world.signed_in("admin")
    client.post("/language", data={"lang": language, "next": "/"})
    page = client.get("/system").text
    assert words in page and "OSError: no space left" in page
    assert world.get("admin", API).json["failure"].startswith("2020-02-21T08:00:00.000Z")


def test_a_command_calls_a_rebuild_off(world: World) -> None:
    run = world.app.test_cli_runner()
    assert "No rebuild was asked for" in run.invoke(args=["readmodel", "cancel"]).output
    world.post("admin", API)
    assert "within seconds" in run.invoke(args=["readmodel", "cancel"]).output
    assert world.get("admin", API).json["state"] == "cancelling"
