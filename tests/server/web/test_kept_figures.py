"""What a process keeps of the overview is never shown for longer than it holds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from server.readmodel import kept as keeping
from server.readmodel import queries
from server.readmodel.kept import ANSWERS_MAX, kept
from server.readmodel.model import raise_version
from tests.server.api import world as worlds
from tests.server.api.world import DISTRICT, TOWN, VILLAGE_2, World, sample, today

VIEWS = ("/", "/?indicator=A2_visits", "/?indicator=A2_visits&tiles=-value&span=week", f"/?area={TOWN}")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    worlds.hold_the_day(monkeypatch)
    return worlds.filled(tmp_path)


def without_forms_secrets(page: str) -> str:
    return re.sub(r'name="csrf_token" value="[^"]*"', "", page)


def as_a_fresh_process_shows_it(client: FlaskClient, view: str) -> str:
    keeping._answers.clear()
    return without_forms_secrets(client.get(view).text)


@pytest.mark.parametrize("view", VIEWS)
def test_a_record_that_comes_changes_every_figure_that_was_kept(world: World, view: str) -> None:
    client = world.signed_in("dong")
    before = [without_forms_secrets(client.get(view).text) for _ in range(2)]
    world.push(sample("household_visit/pass/two_people"))
    world.follow()
    after = [without_forms_secrets(client.get(view).text) for _ in range(2)]
    assert before[0] == before[1] != after[0] == after[1]
    assert after[0] == as_a_fresh_process_shows_it(client, view)


def test_one_days_figures_indicator_and_order_are_never_shown_for_another_s(world: World) -> None:
    client = world.signed_in("dong")
    asked = [
        f"{view}{'&' if '?' in view else '?'}day={day}" for view in VIEWS for day in (today(), "2020-02-21")
    ]
    shown = [without_forms_secrets(client.get(each).text) for each in asked]
    assert shown == [as_a_fresh_process_shows_it(client, each) for each in asked]
    assert len(set(shown)) == len(shown)


def test_the_way_down_keeps_what_was_chosen_and_only_that(world: World) -> None:
    client = world.signed_in("dong")
    plain, chosen = client.get("/").text, client.get("/?indicator=A4&span=week").text
    kept = '"/?span=week&amp;indicator=A4&amp;area='
    assert kept in chosen and kept not in plain and '"/?area=' in plain
    client.set_cookie("lang", "en")
    assert client.get("/").text.count("map-table") == plain.count("map-table")


def test_a_nil_report_is_counted_at_once_and_so_is_taking_it_back(world: World) -> None:
    def counted() -> dict[str, int]:
        found: dict[str, int] = world.get("dong", "/api/v1/standing").json["villages"]
        return found

    said = {"village": VILLAGE_2, "day": str(today())}
    assert counted() == {"total": 3, "reported": 1, "nil": 0, "silent": 2}
    assert world.post("dong", "/api/v1/nil-reports", json=said).status_code == 201
    assert counted() == {"total": 3, "reported": 1, "nil": 1, "silent": 1}
    assert world.post("dong", "/api/v1/nil-reports", json=said | {"what": "withdrawn"}).status_code == 201
    assert counted() == {"total": 3, "reported": 1, "nil": 0, "silent": 2}


def test_records_outweigh_a_nil_report_in_the_count_too(world: World) -> None:
    said = {"village": VILLAGE_2, "day": str(today())}
    assert world.post("dong", "/api/v1/nil-reports", json=said).status_code == 201
    client = world.signed_in("dong")
    client.get("/")
    record = sample("household_visit/pass/two_people", household_id="B-001")
    record |= {"village_code": VILLAGE_2, "_id": record["_id"] + "b"}
    world.push(record)
    world.follow()
    listed = world.get("dong", f"/api/v1/todo/villages?day={today()}").json["items"]
    states = [each["state"] for each in listed]
    counted = world.get("dong", "/api/v1/standing").json["villages"]
    assert counted == {"total": 3, **{name: states.count(name) for name in ("reported", "nil", "silent")}}


def test_an_answer_is_made_once_for_a_version_and_again_for_the_next(world: World) -> None:
    rm, made = world.gridbook.readmodel, []
    for _ in range(2):
        kept(rm).get("key", lambda: made.append("first"))
    assert made == ["first"]
    with rm.engine.begin() as connection:
        raise_version(connection)
    kept(rm).get("key", lambda: made.append("second"))
    assert made == ["first", "second"]


def test_two_read_models_never_share_an_answer(world: World, tmp_path: Path) -> None:
    other = worlds.build(tmp_path / "other").gridbook.readmodel
    kept(world.gridbook.readmodel).get("key", lambda: 1)
    assert kept(other).get("key", lambda: 2) == 2


def test_what_is_kept_of_one_version_is_bounded(world: World) -> None:
    answers = kept(world.gridbook.readmodel)
    for number in range(3 * ANSWERS_MAX):
        answers.get(number, lambda number=number: number)
    assert len(answers._made) <= ANSWERS_MAX


def test_villages_heard_are_those_that_the_list_has(world: World) -> None:
    rm, day = world.gridbook.readmodel, today().isoformat()
    listed = queries.villages_status(rm, DISTRICT, day)
    there, reported = queries.villages_reported(rm, DISTRICT, day)
    assert there == {each["area"]["code"] for each in listed}
    assert reported == {each["area"]["code"] for each in listed if each["state"] == "reported"} != set()
