"""A flood comes: other forms, other indicators, and no line of Python."""

from __future__ import annotations

import re
import shutil
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from server import serving
from server.bulletins import freezing
from server.people.staff import every
from server.settings import Settings, SettingsError
from tests.server.api import world as worlds
from tests.server.api.world import DISTRICT, FORMS, TOWN, VILLAGE, VILLAGE_2, World, today

DEFINITIONS = Path(__file__).parent / "forms"
NOT_COUNTED = ("/roster", "/points", "/stock")


@pytest.fixture
def flood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    worlds.hold_the_day(monkeypatch)
    folder = tmp_path / "definitions"
    shutil.copytree(DEFINITIONS, folder)
    for name in ("envelope.json", "settings.json"):
        shutil.copy(FORMS / name, folder / name)
    world = worlds.build(tmp_path / "data", GRIDBOOK_FORMS=str(folder))
    for household, damage, moved_out in (("H1", "some", 0), ("H2", "lost", 4), ("H3", "none", 0)):
        world.push(report(world, household, damage, moved_out))
    world.follow()
    yield world
    worlds.close(world)


def report(world: World, household: str, damage: str, moved_out: int) -> dict[str, Any]:
    record = worlds.sample("household_visit/pass/uneventful", device_id=world.device_id)
    answers = {"household_id": household, "damage": damage, "moved_out": moved_out}
    day = today().isoformat()
    return record | {
        "_id": f"record:damage_report:{day.replace('-', '')}:{uuid.uuid4()}",
        "form_id": "damage_report",
        "answers": answers,
    }


def menu(page: str) -> list[str]:
    return re.findall(r'href="([^"]*)"', page.partition('<nav class="menu"')[2].partition("</nav>")[0])


def test_its_figures_are_counted_by_area_and_add_up(flood: World) -> None:
    answer = flood.get("dong", f"/api/v1/figures?area={DISTRICT}").json["figures"]
    assert {name: figure["value"] for name, figure in answer.items()} == {
        "houses_hit_share": pytest.approx(100 * 2 / 12, abs=0.01),
        "houses_hit": 2,
        "moved_out": 4,
    }
    table = flood.get("dong", "/api/v1/figures/table?level=village&indicator=houses_hit").json["items"]
    assert {row["area"]["code"]: row["figures"]["houses_hit"]["value"] for row in table}[VILLAGE] == 2


def test_every_page_of_the_menu_opens_and_what_is_not_counted_is_not_in_it(flood: World) -> None:
    client = flood.signed_in("dong")
    addresses = menu(client.get("/").text)
    assert "/exceptions" in addresses and not {*NOT_COUNTED} & {*addresses}
    others = (f"/?area={TOWN}", f"/?area={VILLAGE}", "/figure?indicator=houses_hit", "/households/H1")
    for address in (*addresses, *others):
        answer = client.get(address)
        assert answer.status_code == 200, (address, answer.text)


def test_the_overview_shows_the_groups_that_are_declared(flood: World) -> None:
    page = flood.signed_in("dong").get("/").text
    assert re.findall(r'<h2 id="group-(\w+)">(\S+)</h2>', page) == [("flood", "水灾")]
    assert "受灾户比例" in page and "走访覆盖率" not in page


@pytest.mark.parametrize("address", NOT_COUNTED)
def test_a_page_of_what_is_not_counted_says_so(flood: World, address: str) -> None:
    answer = flood.signed_in("dong").get(address)
    assert answer.status_code == 404 and "indicators.json" in answer.text


@pytest.mark.parametrize("path", ["relief", "relief/entries", "disinfection", "disinfection/points", "stock"])
def test_the_api_of_what_is_not_counted_says_so(flood: World, path: str) -> None:
    answer = flood.get("dong", f"/api/v1/{path}")
    assert answer.status_code == 404 and answer.json["type"] == "urn:gridbook:problem:not-counted"


def test_a_village_reported_by_the_records_that_are_declared(flood: World) -> None:
    items = flood.get("dong", "/api/v1/todo/villages").json["items"]
    told = {item["area"]["code"]: (item["state"], item["counts"]) for item in items}
    assert told[VILLAGE] == ("reported", {"reports": 3}) and told[VILLAGE_2] == ("silent", {"reports": 0})


def test_a_wrong_record_waits_and_stands_on_the_board(flood: World) -> None:
    flood.push(report(flood, "H4", "some", 51))
    flood.follow()
    items = flood.get("dong", "/api/v1/exceptions").json["items"]
    assert [item["kind"] for item in items] == ["quarantined"]


def test_a_bulletin_is_frozen_in_the_layout_of_the_folder(flood: World) -> None:
    yesterday = today() - timedelta(days=1)
    member = next(each for each in every(flood.gridbook.people) if each.username == "dong")
    with flood.app.test_request_context():
        bulletin = freezing.freeze(flood.gridbook, yesterday, member)
    message = flood.get("dong", f"/api/v1/bulletins/{bulletin.number}/text")
    assert message.status_code == 200 and "受灾户" in message.text and "走访" not in message.text


@pytest.mark.parametrize("name", ["indicators.json", "exceptions.json", "bulletin/layout.json"])
def test_a_server_does_not_start_on_definitions_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "definitions"
    shutil.copytree(DEFINITIONS, folder)
    (folder / name).write_text("{", encoding="utf-8")
    settings = Settings.from_environ({"GRIDBOOK_FORMS": str(folder), "GRIDBOOK_DATA": str(tmp_path / "data")})
    with pytest.raises(SettingsError, match=f"GRIDBOOK_FORMS is {folder}. {name}: "):
        serving.begin(settings)
    assert not (tmp_path / "data").exists()
