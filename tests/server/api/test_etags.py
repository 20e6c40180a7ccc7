"""Every answer carries an ETag that holds until something moves, or says in the description why it has none.

Dong works for the district, the administrator too with other rights, Bai for a town of it."""

import json
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from server import clock
from server.app import create_app
from server.people import devices
from tests.server.api.questions import ask, prepared
from tests.server.api.world import ROOT, World, close, sample


@pytest.fixture(scope="module")
def ids(world: World) -> dict[str, str]:
    return prepared(world)


@pytest.fixture(scope="module")
def calls(world: World) -> dict[str, dict[str, Any]]:
    """Path -> the description of its GET."""
    paths = world.get(None, "/api/v1/openapi.json").json["paths"]
    return {path: methods["get"] for path, methods in paths.items() if "get" in methods}


def test_every_answer_has_an_etag_or_says_why_not(
    world: World, ids: dict[str, str], calls: dict[str, dict[str, Any]]
) -> None:
    for path, call in calls.items():
        first = ask(world, path, ids)
        assert first.status_code == 200, (path, first.text)
        reason = call.get("x-without-etag", "")
        assert ("ETag" in first.headers) != bool(reason), f"{path}: {reason or 'neither ETag nor reason'}"
        if reason:
            assert len(reason) > 20 and "304" not in call["responses"]
        else:
            assert {"200", "304"} <= set(call["responses"]) and first.headers["Vary"], path


def test_an_unchanged_answer_is_not_sent_again(
    world: World, ids: dict[str, str], calls: dict[str, dict[str, Any]]
) -> None:
    for path in (path for path, call in calls.items() if "304" in call["responses"]):
        tag = ask(world, path, ids).headers["ETag"]
        again = ask(world, path, ids, **{"If-None-Match": f'"older", W/{tag}'})
        assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag), path
        assert ask(world, path, ids, **{"If-None-Match": '"older"'}).status_code == 200, path


def test_a_tag_is_of_one_reader_one_language_and_one_question(
    world: World, ids: dict[str, str], calls: dict[str, dict[str, Any]]
) -> None:
    for path in (path for path, call in calls.items() if "304" in call["responses"]):
        mine = ask(world, path, ids).headers["ETag"]
        other = ask(world, path, ids, who="bai").headers.get("ETag")
        english = ask(world, path, ids, **{"Accept-Language": "en"}).headers["ETag"]
        assert len({mine, other, english}) == 3, path
    limited = [world.get("dong", f"/api/v1/records?limit={n}").headers["ETag"] for n in (1, 2)]
    assert limited[0] != limited[1]


def test_an_answer_in_full_is_put_on_record_each_time(world: World) -> None:
    path = f"/api/v1/records/{world.ids['visit']}?unmask=1&reason=check+the+number"
    answer = world.get("dong", path, headers={"If-None-Match": "*"})
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert "ETag" not in answer.headers


def a_record_arrives(world: World, _: dict[str, str]) -> None:
    record = sample("household_visit/pass/phone_ok", device_id=world.device_id, household_id="H4")
    world.push(record)
    world.follow()


def a_phone_syncs(world: World, _: dict[str, str]) -> None:
    devices.note_contacts(world.gridbook.people, {world.device_id: "2031-01-01T00:00:00.000Z"})


def an_exception_is_taken(world: World, ids: dict[str, str]) -> None:
    path = f"/api/v1/exceptions/{ids['exception_id']}"
    seen = world.get("dong", path).json["steps_count"]
    assert world.post("dong", f"{path}/steps", json={"what": "take", "seen": seen}).status_code == 201


def a_form_is_published(world: World, _: dict[str, str]) -> None:
    catalogue = world.gridbook.store.open("catalogue")
    form = next(catalogue.documents("form:household_visit:"))
    catalogue.put({**form, "note": "again"}, writer="server")


def a_row_is_decided(world: World, ids: dict[str, str]) -> None:
    body = {"seen": 0, "outcome": "not_here"}
    path = f"/api/v1/lists/{ids['list_id']}/rows/5/decision"
    assert world.post("dong", path, json=body).status_code == 201


def a_bulletin_is_corrected(world: World, ids: dict[str, str]) -> None:
    path = f"/api/v1/bulletins/{ids['number']}/correction"
    assert world.post("dong", path, json={"reason": "补录一户"}).status_code == 201


MOVES: list[tuple[Callable[[World, dict[str, str]], None], list[str]]] = [
    (a_record_arrives, ["records", "exceptions", "lists", "lists/{list_id}/rows", "figures"]),
    (a_phone_syncs, ["devices", "exceptions", "bulletins/{number}"]),
    (an_exception_is_taken, ["exceptions", "exceptions/{exception_id}"]),
    (a_form_is_published, ["forms", "forms/{form_id}", "sheets", "exceptions"]),
    (a_row_is_decided, ["lists", "lists/{list_id}", "lists/{list_id}/rows"]),
    (a_bulletin_is_corrected, ["bulletins", "bulletins/{number}", "bulletins/{number}/text"]),
]


@pytest.mark.parametrize(("move", "paths"), MOVES, ids=[move.__name__ for move, _ in MOVES])
def test_whatever_an_answer_is_made_of_changes_its_tag(
    world: World, ids: dict[str, str], move: Callable[[World, dict[str, str]], None], paths: list[str]
) -> None:
    addresses = [f"/api/v1/{path}" for path in paths]
    tags = {path: ask(world, path, ids).headers["ETag"] for path in addresses}
    move(world, ids)
    for path, tag in tags.items():
        assert ask(world, path, ids, **{"If-None-Match": tag}).status_code == 200, path


def test_a_template_that_was_changed_is_seen(tmp_path: Path, new_world: Callable[..., World]) -> None:
    shutil.copytree(ROOT / "forms", tmp_path / "forms")
    world = new_world(GRIDBOOK_FORMS=str(tmp_path / "forms"))
    tag = world.get("dong", "/api/v1/sheets").headers["ETag"]
    os.utime(tmp_path / "forms" / "sheets" / "daily_towns.json", (0, 0))
    assert world.get("dong", "/api/v1/sheets").headers["ETag"] != tag


@pytest.mark.parametrize("path", ["indicators", "figures", "exceptions"])
def test_a_figure_that_is_declared_otherwise_is_another_answer_after_the_next_start(
    tmp_path: Path, new_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """Nothing is counted anew for another name, so that the read model's version does not tell."""
    moment = clock.now()
    monkeypatch.setattr(clock, "now", lambda: moment)
    file = tmp_path / "forms" / "indicators.json"
    shutil.copytree(ROOT / "forms", file.parent)
    world = new_world(GRIDBOOK_FORMS=str(file.parent))

    def tag_after_a_start() -> str:
        close(world)
        world.app = create_app(world.gridbook.settings)
        return str(world.get("dong", f"/api/v1/{path}").headers["ETag"])

    tag = tag_after_a_start()
    assert tag_after_a_start() == tag
    declared = json.loads(file.read_text("utf-8"))
    declared["indicators"][0]["name"]["zh"] += "（改）"
    file.write_text(json.dumps(declared, ensure_ascii=False), "utf-8")
    assert tag_after_a_start() != tag


@pytest.mark.parametrize("path", ["exceptions", "todo/points", "bulletins/preview"])
def test_what_is_overdue_by_now_is_another_answer_a_minute_later(
    world: World, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    tags = []
    for minute in (1, 1, 2):
        moment = datetime(2031, 5, 5, 1, minute, tzinfo=UTC)
        monkeypatch.setattr(clock, "now", lambda moment=moment: moment)
        tags.append(world.get("dong", f"/api/v1/{path}").headers["ETag"])
    assert tags[0] == tags[1] != tags[2]
