"""Relief of a campaign: the same figures as the indicators, down to the entries, by whoever may see them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from server.readmodel import queries
from server.readmodel.relief_queries import STANDINGS
from tests.server.api.world import (
    DISTRICT,
    OTHER_TOWN,
    OTHER_VILLAGE,
    TOWN,
    VILLAGE,
    World,
    sample,
    today,
)

pytestmark = pytest.mark.parametrize("served", ["sqlite", "postgresql"], indirect=True, scope="module")

SINCE = "2020-01-26"
RICE = [{"item_code": "RICE_BAG", "qty": 2, "unit": "bag"}]


@pytest.fixture(scope="module")
def served(request: pytest.FixtureRequest, new_world: Callable[..., World]) -> World:
    """Of aixin: one entry over-served, one not at home, four untouched. Of rice, a campaign of one village:
    one partly served, one served."""
    made = new_world(request.param, records=False)
    register = made.gridbook.store.ensure(f"register-{VILLAGE}")
    register.put(
        {
            "_id": "campaign:rice",
            "type": "campaign",
            "campaign_id": "rice",
            "name": {"zh": "送米", "en": "Rice"},
            "starts_on": SINCE,
            "items": RICE,
        },
        writer="server",
    )
    for number in (2, 4):
        register.put(rice_entry(number), writer="server")
    device = {"device_id": made.device_id, "day": today() - timedelta(days=1)}
    for _ in range(2):
        made.push(sample("supply_delivery/pass/one_box_one_bag", **device))
    made.push(sample("supply_delivery/pass/absent", **device, roster_entry_id="aixin:3"))
    for number, bags in ((2, 1), (4, 2)):
        items = [{"item_code": "RICE_BAG", "qty": bags, "unit": "bag", "condition": "good"}]
        record = sample("supply_delivery/pass/pick_up_code", **device, rep_item=items)
        record["answers"] |= {"campaign_id": "rice", "roster_entry_id": f"rice:{number}"}
        made.push(record)
    made.follow()
    return made


def rice_entry(number: int) -> dict[str, Any]:
    names = {"household_id": f"H{number}", "head_name": "欧阳示范", "head_search": "oysf"}
    return {
        "_id": f"roster:rice:{number}",
        "type": "roster_entry",
        "roster_entry_id": f"rice:{number}",
        "campaign_id": "rice",
        "entry_no": str(number),
        "category": "dibao",
        "village_code": VILLAGE,
        "active_from": (today() - timedelta(days=3)).isoformat(),
        "entitlement": RICE,
        **names,
    }


def values(figures: dict[str, Any]) -> dict[str, Any]:
    return {name: figure["value"] for name, figure in figures.items()}


def ids(world: World, query: str) -> list[str]:
    answer = world.get("dong", f"/api/v1/relief/entries?{query}")
    assert answer.status_code == 200, answer.text
    return [item["roster_entry_id"] for item in answer.json["items"]]


def test_without_a_campaign_the_figures_are_those_of_the_indicators(served: World) -> None:
    relief = served.get("dong", "/api/v1/relief").json
    figures = served.get("dong", "/api/v1/figures").json["figures"]
    assert relief["figures"] == {name: figures[name] for name in relief["figures"]}
    assert values(relief["figures"]) == {"D1": 8, "D2": 2, "D3": 25, "D4": 5, "D4_partial": 1, "D5": 1}
    table = served.get("dong", "/api/v1/figures/table").json["items"]
    for row, same in zip(relief["items"], table, strict=True):
        assert row["area"]["code"] == same["area"]["code"]
        assert row["figures"] == {name: same["figures"][name] for name in row["figures"]}


def test_campaigns_sum_to_all_and_villages_to_their_town(served: World) -> None:
    of = {name: served.get("dong", f"/api/v1/relief?campaign={name}").json for name in ("aixin", "rice")}
    assert values(of["rice"]["figures"]) == {"D1": 2, "D2": 1, "D3": 50, "D4": 0, "D4_partial": 1, "D5": 0}
    assert of["rice"]["figures"]["D3"]["parts"] == {
        "RICE_BAG": {"value": 75.0, "numerator": 3, "denominator": 4}
    }
    whole = served.get("dong", "/api/v1/relief").json["figures"]
    for name in ("D1", "D2", "D4", "D4_partial", "D5"):
        assert sum(each["figures"][name]["value"] for each in of.values()) == whole[name]["value"]
    rows = served.get("bai", "/api/v1/relief?campaign=aixin").json
    assert rows["area"]["code"] == TOWN and len(rows["items"]) == 2
    assert sum(row["figures"]["D1"]["value"] for row in rows["items"]) == rows["figures"]["D1"]["value"] == 4


def test_a_campaign_that_nobody_knows_has_nothing(served: World) -> None:
    found = served.get("dong", "/api/v1/relief?campaign=nothing%20like%20this").json
    assert values(found["figures"]) == {"D1": 0, "D2": 0, "D3": None, "D4": 0, "D4_partial": 0, "D5": 0}
    assert ids(served, "campaign=nothing&state=all") == []


@pytest.mark.parametrize("campaign", [None, "aixin", "rice"])
@pytest.mark.parametrize("area", [DISTRICT, TOWN, OTHER_TOWN, VILLAGE, OTHER_VILLAGE])
def test_as_many_entries_are_listed_as_the_figures_count(
    served: World, area: str, campaign: str | None
) -> None:
    with served.app.app_context():
        rm, day = served.gridbook.readmodel, today().isoformat()
        figures = queries.relief_figures(rm, [area], day, campaign)[area]
        listed = {
            standing: len(
                queries.relief_entries(rm, area, day, standing=standing, campaign_id=campaign).items
            )
            for standing in STANDINGS
        }
    counted = values(figures)
    assert listed == {
        "all": counted["D1"],
        "done": counted["D2"],
        "open": counted["D4"],
        "partial": counted["D4_partial"],
        "outstanding": counted["D4"] + counted["D4_partial"],
        "over": counted["D5"],
    }


def test_an_entry_tells_how_long_it_waits_and_why(served: World) -> None:
    items = served.get("dong", f"/api/v1/relief/entries?area={VILLAGE}").json["items"]
    by_id = {item["roster_entry_id"]: item for item in items}
    assert by_id.keys() == {"aixin:3", "rice:2"}
    absent = by_id["aixin:3"]
    assert (absent["last_result"], absent["attempts"], absent["state"]) == ("absent", 1, "open")
    assert absent["last_reason"] and absent["entry"]["head_name"] == "示**"
    assert by_id["rice:2"]["waiting_days"] == 3 and by_id["rice:2"]["state"] == "partial"
    done = served.get("dong", "/api/v1/relief/entries?state=done").json["items"]
    assert {item["waiting_days"] for item in done} == {None}
    over = served.get("dong", "/api/v1/relief/entries?state=over").json["items"]
    assert [(item["roster_entry_id"], item["over"]) for item in over] == [("aixin:1", True)]


def test_entries_sort_and_page_in_both_directions(served: World) -> None:
    longest_first = ids(served, "state=all&sort=waiting")
    assert longest_first[-2:] == ["rice:2", "rice:4"]
    assert ids(served, "state=all&sort=-waiting") == longest_first[::-1]
    for sort in ("village", "-village", "waiting", "-waiting"):
        paged, cursor = [], ""
        while cursor is not None:
            query = f"/api/v1/relief/entries?state=all&sort={sort}&limit=3" + (cursor and f"&cursor={cursor}")
            answer = served.get("dong", query).json
            paged += [item["roster_entry_id"] for item in answer["items"]]
            cursor = answer["next_cursor"]
        assert paged == ids(served, f"state=all&sort={sort}")
        assert len(set(paged)) == 8
    first = served.get("dong", "/api/v1/relief/entries?state=all&limit=3").json["next_cursor"]
    other = served.get("dong", f"/api/v1/relief/entries?state=all&sort=-village&limit=3&cursor={first}")
    assert (other.status_code, other.json["code"]) == (422, "bad-cursor")


@pytest.mark.parametrize(
    "query", ["state=lost", "sort=name", "limit=0", "limit=501", "cursor=x", "nothing=1"]
)
def test_what_cannot_be_asked_is_said(served: World, query: str) -> None:
    answer = served.get("dong", f"/api/v1/relief/entries?{query}")
    assert answer.status_code == 422 and answer.content_type == "application/problem+json"


def test_another_towns_clerk_sees_the_own_town_alone(served: World) -> None:
    for path in ("/api/v1/relief", "/api/v1/relief/entries"):
        assert served.get("ba", f"{path}?area={TOWN}").status_code == 403
        assert served.get(None, path).status_code == 401
    items = served.get("ba", "/api/v1/relief/entries?state=all").json["items"]
    assert {item["village_code"] for item in items} == {OTHER_VILLAGE}


def test_an_unchanged_answer_is_not_sent_again(served: World) -> None:
    for path in ("/api/v1/relief", "/api/v1/relief/entries?state=done"):
        tag = served.get("dong", path).headers["ETag"]
        assert served.get("dong", path, headers={"If-None-Match": tag}).status_code == 304


def test_the_page_shows_figures_areas_and_entries_and_keeps_its_state(served: World) -> None:
    client = served.signed_in("dong")
    page = client.get(f"/roster?campaign=aixin&village={VILLAGE}&state=all&by=-D4").text
    assert "超发" in page and "/roster/aixin:1" in page and "约定" in page
    assert "示范丙" not in page
    assert "campaign=aixin&amp;village=370304102901&amp;state=done&amp;by=-D4#entries" in page
    rows = client.get("/roster?by=-D1").text
    assert rows.index("域城镇</a>") < rows.index("白塔镇</a>")
    assert rows.index('aria-sort="descending"') > 0
    assert client.get("/roster?state=lost").status_code == 422
