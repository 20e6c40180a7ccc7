"""Disinfection by area, point and record: the lists hold as many as the figures count."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from server import clock
from server.readmodel import queries
from server.readmodel.declaration import read_declaration
from server.readmodel.disinfection_queries import STANDINGS, findings, hint_rules
from tests.server.api.world import DISTRICT, OTHER_TOWN, TOWN, VILLAGE, VILLAGE_2, World, sample, today

pytestmark = pytest.mark.parametrize("sprayed", ["sqlite", "postgresql"], indirect=True, scope="module")

TODAY = ("pass/spray_84", "fail/conc_above_1_5", "fail/rain", "fail/lpm2_too_much", "pass/adhoc_place")


@pytest.fixture(scope="module")
def sprayed(request: pytest.FixtureRequest, new_world: Callable[..., World]) -> World:
    """Point P1 with four disinfections of yesterday, of which one was mixed wrongly, one done in the rain and
    one with too much solution, and one at an ad-hoc place; P2 three days ago; nothing elsewhere."""
    made = new_world(request.param, records=False)
    for name in TODAY:
        record = sample(f"disinfection_log/{name}", device_id=made.device_id, day=yesterday())
        if "point_id" in record["answers"]:
            record["answers"]["point_id"] = "P1"
        made.push(record)
    long_ago = {"device_id": made.device_id, "day": today() - timedelta(days=3)}
    made.push(sample("disinfection_log/pass/ethanol_wiped", **long_ago, point_id="P2"))
    made.follow()
    return made


def yesterday() -> Any:
    return today() - timedelta(days=1)


def asked(world: World, path: str, **more: Any) -> dict[str, Any]:
    answer = world.get("dong", f"/api/v1/disinfection{path}", query_string={"day": yesterday()} | more)
    assert answer.status_code == 200, answer.text
    return dict(answer.json)


def test_figures_are_those_of_the_indicators_at_every_level(sprayed: World) -> None:
    for area in (DISTRICT, TOWN, OTHER_TOWN, VILLAGE):
        found = asked(sprayed, "", area=area)
        figures = sprayed.get("dong", f"/api/v1/figures?day={yesterday()}&area={area}").json["figures"]
        assert found["figures"] == {name: figures[name] for name in found["figures"]}
    assert found["figures"]["C1"]["value"] == 5
    assert (found["figures"]["C5"]["numerator"], found["figures"]["C5"]["denominator"]) == (4, 5)
    assert {rule: part["value"] for rule, part in found["figures"]["C6"]["parts"].items()} == {
        "V024": 1,
        "V026": 1,
    }


def test_areas_and_points_sum_to_the_figures_above_them(sprayed: World) -> None:
    for area in (DISTRICT, TOWN, VILLAGE):
        whole = asked(sprayed, "", area=area)
        for name in ("C1", "C2", "C6"):
            assert (
                sum(row["figures"][name]["value"] for row in whole["items"])
                == whole["figures"][name]["value"]
            )
        for name in ("due", "overdue", "never"):
            assert sum(row["standing"][name] for row in whole["items"]) == whole["standing"][name]


def test_a_village_is_shown_point_by_point_with_its_adhoc_places(sprayed: World) -> None:
    rows = {row["point"]["id"]: row for row in asked(sprayed, "", area=VILLAGE)["items"]}
    assert {"P1", "P2"} < rows.keys() and len(rows) == 3
    assert rows["P1"]["figures"]["C1"]["value"] == 4
    assert rows["P1"]["figures"]["C5"]["numerator"] == 3
    assert rows["P2"]["standing"] == {"due": 1, "overdue": 1, "never": 0}
    (adhoc,) = (row for key, row in rows.items() if key not in ("P1", "P2"))
    assert not adhoc["point"]["registered"] and adhoc["standing"]["due"] == 0


def test_points_overdue_are_those_of_the_indicator_at_this_moment(sprayed: World) -> None:
    now = clock.stamp(clock.now())
    standing = asked(sprayed, "")["standing"]
    figure = queries.figures(sprayed.gridbook.readmodel, DISTRICT, today().isoformat(), ["C3"], now=now)["C3"]
    assert (standing["overdue"], standing["due"]) == (figure["value"], figure["denominator"])
    listed = {
        state: len(queries.points(sprayed.gridbook.readmodel, DISTRICT, now, standing=state).items)
        for state in STANDINGS
    }
    assert listed["overdue"] == standing["overdue"] and listed["never"] == standing["never"] == 4
    assert listed["all"] == listed["overdue"] + listed["in_time"] == standing["due"] == 6


def points(world: World, query: str) -> list[dict[str, Any]]:
    answer = world.get("dong", f"/api/v1/disinfection/points?{query}")
    assert answer.status_code == 200, answer.text
    return list(answer.json["items"])


def test_those_never_disinfected_come_first_and_hours_are_told(sprayed: World) -> None:
    found = points(sprayed, "state=all")
    assert [item["point_id"] for item in found[:4]] == ["BP1", "BP2", "CP1", "CP2"]
    assert [item["hours_since"] for item in found[:4]] == [None] * 4
    last = {item["point_id"]: item for item in found[4:]}
    assert last["P2"]["overdue"] and 48 < last["P2"]["hours_since"] < 96
    assert found[4]["point_id"] == "P2"
    assert points(sprayed, "state=all&sort=-due") == found[::-1]
    by_village = [item["village_code"] for item in points(sprayed, "state=all&sort=village")]
    assert by_village == sorted(by_village)


def test_points_page_without_gap_or_repeat(sprayed: World) -> None:
    paged, cursor = [], ""
    while cursor is not None:
        answer = sprayed.get("dong", f"/api/v1/disinfection/points?state=all&limit=4&cursor={cursor}").json
        paged += [item["point_id"] for item in answer["items"]]
        cursor = answer["next_cursor"]
    assert paged == [item["point_id"] for item in points(sprayed, "state=all")]


def test_as_many_records_are_listed_as_the_figures_count(sprayed: World) -> None:
    figures = asked(sprayed, "")["figures"]
    hints = figures["C6"]["parts"]
    counted = {
        "all": figures["C1"]["value"],
        "right": figures["C5"]["numerator"],
        "wrong": figures["C5"]["denominator"] - figures["C5"]["numerator"],
        "hints": 2,
        **{rule: hints.get(rule, {}).get("value", 0) for rule in hint_rules(read_declaration())},
    }
    listed = {
        finding: len(asked(sprayed, "/records", finding=finding)["items"])
        for finding in findings(read_declaration())
    }
    assert listed == counted


def test_a_record_tells_what_was_aimed_at_mixed_and_sprayed(sprayed: World) -> None:
    (wrong,) = asked(sprayed, "/records", finding="wrong")["items"]
    assert wrong["conc_ok"] == "no" and wrong["conc_mgl"] > 1.5 * wrong["target_mgl"]
    (much,) = asked(sprayed, "/records", finding="V026")["items"]
    assert (much["lpm2"], much["solution_l"], much["area_m2"], much["hints"]) == (0.51, 51, 100, ["V026"])
    adhoc = [item for item in asked(sprayed, "/records")["items"] if item["point_id"] is None]
    assert len(adhoc) == 1


def test_records_sort_and_page(sprayed: World) -> None:
    whole = [item["record_id"] for item in asked(sprayed, "/records")["items"]]
    assert [item["record_id"] for item in asked(sprayed, "/records", sort="time")["items"]] == whole[::-1]
    first = asked(sprayed, "/records", limit=2)
    rest = asked(sprayed, "/records", limit=3, cursor=first["next_cursor"])
    assert [item["record_id"] for item in first["items"] + rest["items"]] == whole
    assert asked(sprayed, "/records", day=today())["items"] == []


@pytest.mark.parametrize(
    "path",
    ["/points?state=late", "/points?sort=name", "/records?finding=V999", "/records?day=x", "?nothing=1"],
)
def test_what_cannot_be_asked_is_said(sprayed: World, path: str) -> None:
    answer = sprayed.get("dong", f"/api/v1/disinfection{path}")
    assert answer.status_code == 422 and answer.content_type == "application/problem+json"


def test_another_towns_clerk_sees_the_own_town_alone(sprayed: World) -> None:
    for path in ("", "/points", "/records"):
        assert sprayed.get("ba", f"/api/v1/disinfection{path}?area={TOWN}").status_code == 403
        assert sprayed.get(None, f"/api/v1/disinfection{path}").status_code == 401
    assert sprayed.get("ba", f"/api/v1/disinfection/records?day={yesterday()}").json["items"] == []


def test_the_pages_lead_from_the_figures_to_points_and_records(sprayed: World) -> None:
    client = sprayed.signed_in("dong")
    page = client.get(f"/points?day={yesterday()}&village={VILLAGE}&state=all").text
    assert f"/points/P1?village={VILLAGE}" in page and "临时地点" in page
    wrong = f"/disinfections?area={VILLAGE}&amp;day={yesterday()}&amp;finding=wrong"
    assert wrong in page
    listed = client.get(wrong.replace("&amp;", "&")).text
    assert "不合格" in listed and f"/points/P1?village={VILLAGE}" in listed and "/records/record" in listed
    assert "从未" in client.get(f"/points?village={VILLAGE_2}").text
    by_count = client.get(f"/points?day={yesterday()}&by=-C1").text
    assert by_count.index("域城镇</a>") < by_count.index("白塔镇</a>")
