"""Stock by item and store by store, as the stores' own movements leave it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.server.api.world import (
    OTHER_TOWN,
    TOWN,
    VILLAGE,
    VILLAGE_2,
    World,
    sample,
    today,
)

pytestmark = pytest.mark.parametrize("stocked", ["sqlite", "postgresql"], indirect=True, scope="module")

MASKS = {"item_code": "MASK", "unit": "piece"}


@pytest.fixture(scope="module")
def stocked(request: pytest.FixtureRequest, new_world: Callable[..., World]) -> World:
    """Store S1 of the first village: 500 masks, 60 issued, counted 431, 10 used; 25.5 litres never counted.
    Store BS1 of the second: more vegetables issued than it ever got. The others: nothing."""
    made = new_world(request.param, records=False)
    for ago, name in enumerate(("allocate_in", "use", "stocktake", "issue", "purchase")):
        day = today() - timedelta(days=ago)
        made.push(sample(f"stock_movement/pass/{name}", device_id=made.device_id, day=day))
    made.push(second_village("issue", item_code="VEG_BOX", unit="box", qty=3), writer="server")
    made.follow()
    assert made.get("dong", "/api/v1/quarantine").json["items"] == []
    return made


def second_village(name: str, **answers: Any) -> dict[str, Any]:
    record = sample(f"stock_movement/pass/{name}", device_id="another", warehouse_id="BS1", **answers)
    return record | {"village_code": VILLAGE_2, "filler_id": "Bfiller-1", "grid_code": f"{VILLAGE_2}01"}


def lines(world: World, query: str = "", who: str = "dong") -> dict[tuple[str, str, str], dict[str, Any]]:
    answer = world.get(who, f"/api/v1/stock/stores?{query}")
    assert answer.status_code == 200, answer.text
    return {
        (store["station_id"], line["item_code"], line["unit"]): line
        for store in answer.json["items"]
        for line in store["lines"]
    }


def parts(world: World, indicator: str, query: str = "") -> dict[str, float]:
    figures = world.get("dong", f"/api/v1/stock?{query}").json["figures"]
    return {part: each["value"] for part, each in figures[indicator]["parts"].items()}


def test_a_line_is_the_last_count_and_what_was_moved_since(stocked: World) -> None:
    masks = lines(stocked)["S1", "MASK", "piece"]
    assert masks["qty"] == 421
    assert masks["since"] == {"stock_in": 0, "stock_out": 0, "stock_used": 10, "stock_damaged": 0}
    count = masks["counted"]
    assert (count["qty"], count["before"], count["difference"]) == (431, 440, -9)
    assert count["filler_id"] == "filler-1" and count["record_id"].startswith("record:stock_movement:")
    assert count["work_date"] == (today() - timedelta(days=2)).isoformat() == count["counted_at"][:10]
    assert not masks["tallies"]


def test_a_line_that_was_never_counted_is_all_that_was_moved(stocked: World) -> None:
    litres = lines(stocked)["S1", "SANITIZER", "l"]
    assert litres["qty"] == 25.5 and "counted" not in litres and litres["tallies"]


def test_the_stores_of_an_area_sum_to_its_figures(stocked: World) -> None:
    held: dict[str, float] = {}
    for (_, item, unit), line in lines(stocked).items():
        held[f"{item} {unit}"] = held.get(f"{item} {unit}", 0) + line["qty"]
    assert parts(stocked, "D7") == held == {"MASK piece": 421, "SANITIZER l": 25.5, "VEG_BOX box": -3}
    assert parts(stocked, "D7_in") == {"SANITIZER l": 25.5}
    assert parts(stocked, "D7_out") == {"VEG_BOX box": 3}
    yesterday = f"day={today() - timedelta(days=1)}"
    assert parts(stocked, "D7", yesterday) == {"MASK piece": 421}
    assert parts(stocked, "D7_used", yesterday) == {"MASK piece": 10}
    whole = stocked.get("bai", "/api/v1/stock").json
    for part in ("MASK piece", "VEG_BOX box"):
        inside = [row["figures"]["D7"]["parts"].get(part, {"value": 0})["value"] for row in whole["items"]]
        assert sum(inside) == whole["figures"]["D7"]["parts"][part]["value"]


def test_lines_are_narrowed_to_an_item_and_to_those_that_do_not_tally(stocked: World) -> None:
    assert lines(stocked, "item=MASK").keys() == {("S1", "MASK", "piece")}
    assert lines(stocked, "differing=1").keys() == {("S1", "MASK", "piece"), ("BS1", "VEG_BOX", "box")}
    assert lines(stocked, "item=MAS") == lines(stocked, 'item=%25"') == {}
    assert lines(stocked, f"area={VILLAGE_2}").keys() == {("BS1", "VEG_BOX", "box")}


def test_books_below_nothing_stand_on_the_exceptions_board(stocked: World) -> None:
    found = stocked.get("dong", "/api/v1/exceptions?kind=stock_negative").json
    assert found["total"] == 1 and found["items"][0]["village_code"] == VILLAGE_2
    # 9 of 440 are within five of a hundred.
    assert stocked.get("dong", "/api/v1/exceptions?kind=stock_differs").json["total"] == 0


def test_stores_sort_and_page(stocked: World) -> None:
    names = [store["station_id"] for store in stocked.get("dong", "/api/v1/stock/stores").json["items"]]
    assert names == ["S1", "BS1"]
    falling = stocked.get("dong", "/api/v1/stock/stores?sort=-village&limit=1").json
    assert [store["station_id"] for store in falling["items"]] == ["BS1"]
    rest = stocked.get(
        "dong", f"/api/v1/stock/stores?sort=-village&limit=1&cursor={falling['next_cursor']}"
    ).json
    assert [store["station_id"] for store in rest["items"]] == ["S1"] and rest["next_cursor"] is None


@pytest.mark.parametrize(
    "path", ["/stores?sort=qty", "/stores?differing=perhaps", "/stores?cursor=x", "?day=x", "?item=MASK"]
)
def test_what_cannot_be_asked_is_said(stocked: World, path: str) -> None:
    answer = stocked.get("dong", f"/api/v1/stock{path}")
    assert answer.status_code == 422 and answer.content_type == "application/problem+json"


def test_another_towns_clerk_sees_the_own_town_alone(stocked: World) -> None:
    for path in ("", "/stores"):
        assert stocked.get("ba", f"/api/v1/stock{path}?area={TOWN}").status_code == 403
        assert stocked.get(None, f"/api/v1/stock{path}").status_code == 401
    assert lines(stocked, f"area={OTHER_TOWN}") == lines(stocked, "", "ba") == {}


def test_a_store_has_its_history(stocked: World) -> None:
    found = stocked.get("dong", "/api/v1/registers/stations/S1").json
    assert len(found["items"]) == 5
    assert found["unit"]["state"]["balances"][0]["qty"] == 421
    page = stocked.signed_in("dong").get(f"/stations/S1?village={VILLAGE}").text
    assert "盘点 口罩 431 只" in page and "口罩 421 只" in page


def test_the_register_that_phones_pull_holds_the_balances(stocked: World) -> None:
    station = stocked.gridbook.store.open(f"register-{VILLAGE}").get("station:S1")
    assert station["summary"]["balances"] == [
        {"name": "MASK piece", "qty": 421},
        {"name": "SANITIZER l", "qty": 25.5},
    ]


def test_the_page_marks_what_does_not_tally_and_leads_to_store_and_count(stocked: World) -> None:
    client = stocked.signed_in("dong")
    page = client.get("/stock").text
    assert "−9" in page and "账面为负" in page and f"/stations/S1?village={VILLAGE}" in page
    assert 'href="/records/record:stock_movement:' in page
    only = client.get("/stock?item=MASK&differing=1&by=-MASK piece").text
    assert "示范二村" not in only[only.index('id="stores-title"') :] and "按镇" in only
    assert client.get("/stock?item=nothing").status_code == 200
    assert "S1" in client.get("/records?form=stock_movement").text
