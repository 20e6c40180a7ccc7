"""The demo district: its totals, its being the same everywhere, and that a second run changes nothing."""

import csv
import json
import re
import stat
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

from schemas import Context, check_record
from server.register.demo import movements
from server.register.demo.district import SUPPLY_POINTS, TOWNS, chinese, generate
from server.register.demo.load import PHONES, tables
from sync.embedded import open_store
from tests.forms.judging import SETTINGS, compiled
from tests.servers import Server

ITEMS = [
    {"item_code": "VEG_BOX", "qty": 1, "unit": "box"},
    {"item_code": "RICE_BAG", "qty": 1, "unit": "bag"},
]


@pytest.fixture(scope="module")
def demo():
    return generate()


@pytest.fixture(scope="module")
def store(demo_data: Path):
    store = open_store(demo_data / "store.sqlite3")
    yield store
    store.close()


def test_the_totals_are_those_of_the_report(store) -> None:
    areas = Counter(area["level"] for area in store.open("office").documents("area:"))
    assert (areas["district"], areas["town"], areas["village"]) == (1, 10, 288)
    registers = [store.open(name) for name in store.names() if name.startswith("register-")]
    stations = [sum(1 for _ in register.documents("station:")) for register in registers]
    assert (len(stations), sum(stations), min(stations), max(stations)) == (288, 472, 1, 3)
    entries = [entry for register in registers for entry in register.documents("roster:")]
    assert len(entries) == len({entry["roster_entry_id"] for entry in entries}) == 11_349
    assert all(entry["entitlement"] == ITEMS for entry in entries)
    kinds = Counter(point["kind"] for point in store.open("office").documents("supply_point:"))
    assert kinds == SUPPLY_POINTS
    assert sum(kinds.values()) == 99


def test_every_village_has_what_a_phone_needs(store) -> None:
    for name in store.names():
        if name.startswith("register-"):
            kinds = Counter(doc["type"] for doc in store.open(name).documents())
            assert kinds["village"] == kinds["campaign"] == 1
            assert 2 <= kinds["point"] <= 4
            assert kinds["filler"] >= 2
            assert kinds["roster_entry"] in (39, 40)
            assert kinds["household"] - kinds["roster_entry"] >= 45
            assert name.replace("register", "inbox") in store.names()


def test_the_catalogue_holds_four_forms_and_the_district(store) -> None:
    catalogue = store.open("catalogue")
    assert {form["form_id"] for form in catalogue.documents("form:")} == {
        "household_visit",
        "disinfection_log",
        "supply_delivery",
        "stock_movement",
    }
    assert catalogue.get("settings:district")["district"]["zh"] == "博山区"


def test_its_movements_of_stock_keep_every_rule_and_come_once(tmp_path: Path) -> None:
    now = datetime.fromisoformat("2020-02-21T08:05:00+00:00")
    made = list(movements.records(now))
    for village, record in made:
        station = {"station_id": f"{village}-S1", "village_code": village, "name": "健康站"}
        filler = {"filler_id": f"{village}-F3", "village_code": village, "role": "village_cadre"}
        lists = {"stations": station, "fillers": filler}
        context = Context(
            today="2020-02-21",
            now="2020-02-21T16:05:00+08:00",
            settings=SETTINGS,
            lists=lambda name, column, key, lists=lists: lists.get(name),
        )
        assert check_record(compiled("stock_movement"), record, context).problems == []
    assert {village for village, _ in made}.isdisjoint(PHONES)
    store = open_store(tmp_path / "store.sqlite3")
    assert movements.load(store, now) == len(made)
    assert movements.load(store, now) == 0
    store.close()


def test_nothing_in_it_can_be_taken_for_real(demo) -> None:
    villages = [area for area in demo.areas if len(area["code"]) == 12]
    assert all(901 <= int(village["code"][9:]) <= 999 for village in villages)
    assert all(re.fullmatch(r"示范[一二三四五六七八九十百零]+村", village["name"]) for village in villages)
    assert len({village["name"] for village in villages}) == 288
    assert all(home["phone"].startswith("1540000") for home in demo.households if "phone" in home)
    assert {area["code"] for area in demo.areas if len(area["code"]) == 9} == TOWNS.keys()


def test_some_names_are_beyond_the_basic_plane(demo) -> None:
    assert any(ord(character) > 0xFFFF for home in demo.households for character in home["head_name"])


def test_it_is_the_same_every_time(demo) -> None:
    assert tables(generate()) == tables(demo)


@pytest.mark.parametrize(
    ("number", "words"),
    [(1, "一"), (10, "十"), (21, "二十一"), (110, "一百一十"), (205, "二百零五"), (288, "二百八十八")],
)
def test_numbers_are_written_as_villages_are_called(number, words) -> None:
    assert chinese(number) == words


def test_its_tables_are_left_as_examples(demo_data: Path) -> None:
    with open(demo_data / "demo" / "households.csv", encoding="utf-8-sig", newline="") as file:
        assert next(csv.reader(file))[:3] == ["户编号", "村代码", "网格代码"]


def test_the_credentials_are_private_and_complete(demo_data: Path) -> None:
    path = demo_data / "demo-credentials.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(demo_data.stat().st_mode) == 0o700
    assert stat.S_IMODE((demo_data / "secret.key").stat().st_mode) == 0o600
    credentials = json.loads(path.read_text("utf-8"))
    assert credentials["staff"]["username"] == "district"
    assert len(credentials["staff"]["password"]) >= 16
    assert len({entry["code"] for entry in credentials["enrolment"]}) == 10
    assert len({entry["village_code"] for entry in credentials["enrolment"]}) == 3


def test_loading_it_again_changes_and_loses_nothing(new_server) -> None:
    server: Server = new_server()
    server.stop()
    written = (server.data / "demo-credentials.json").read_text("utf-8")
    moved = server.flask("demo")
    assert "added" not in moved.stdout
    kept, before = json.loads((server.data / "demo-credentials.json").read_text("utf-8")), json.loads(written)
    assert kept["url"] == server.url
    assert (kept["staff"], kept["api_token"]) == (before["staff"], before["api_token"])
    assert [entry["code"] for entry in kept["enrolment"]] == [entry["code"] for entry in before["enrolment"]]
    assert all(entry["url"] == f"{server.url}/phone/#enrol={entry['code']}" for entry in kept["enrolment"])


def test_a_district_of_ones_own_gets_no_demo(tmp_path: Path) -> None:
    server = Server(tmp_path / "var")
    (tmp_path / "areas.csv").write_text("code,name\n370303,某区\n", "utf-8")
    server.flask("import", "areas", tmp_path / "areas.csv")
    assert "the demo was left out" in server.flask("demo").stdout
    assert not (server.data / "demo-credentials.json").exists()
