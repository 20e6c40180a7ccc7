"""What stands behind a figure: everything that it counts, which sums to it; masked, within the own area."""

from datetime import timedelta
from typing import Any

import pytest

from tests.server.api.world import DISTRICT, OTHER_TOWN, TOWN, VILLAGE, World, today

pytestmark = pytest.mark.parametrize("world", ["sqlite", "postgresql"], indirect=True, scope="module")


def behind(world: World, who: str = "dong", **query: str) -> Any:
    words = "&".join(f"{name}={value}" for name, value in query.items())
    return world.get(who, f"/api/v1/figures/behind?{words}")


def test_a_count_opens_to_the_households_that_it_counts_and_their_records(world: World) -> None:
    found = behind(world, indicator="A3").json
    assert found["figure"] == found["sum"] == found["units"] == len(found["items"])
    assert {item["id"] for item in found["items"]} == {"H1", "H3"}
    records = {record["record_id"] for item in found["items"] for record in item["records"]}
    assert records == {world.ids["visit"], world.ids["people"]}
    assert found["of"] == "value" and found["items"][0]["kind"] == "household"


def test_a_share_opens_to_its_numerator_and_to_its_denominator(world: World) -> None:
    share = world.get("dong", "/api/v1/figures").json["figures"]["A4"]
    for of in ("numerator", "denominator"):
        found = behind(world, indicator="A4", of=of).json
        assert found["figure"] == found["sum"] == share[of] == len(found["items"])
    assert behind(world, indicator="A4").json["of"] == "numerator"


def test_what_is_left_of_a_difference_are_the_households_not_reached(world: World) -> None:
    found = behind(world, indicator="A6", limit="500").json
    todo = world.get("dong", f"/api/v1/todo/not-reached?day={today()}&limit=500").json["items"]
    assert [item["id"] for item in found["items"]] == [item["household_id"] for item in todo]


def test_a_median_opens_to_the_ranges_that_it_is_made_of(world: World) -> None:
    figure = world.get("dong", "/api/v1/figures").json["figures"]["J1_median"]
    found = behind(world, indicator="J1_median").json
    assert found["figure"] == found["sum"] == figure["denominator"]
    ranges: dict[str, float] = {}
    for item in found["items"]:
        for bound, count in item["parts"].items():
            ranges[bound] = ranges.get(bound, 0) + count
    assert ranges == {bound: each["value"] for bound, each in figure["parts"].items()}
    for bound, count in ranges.items():
        assert behind(world, indicator="J1_median", part=bound).json["sum"] == count


def test_an_item_s_share_opens_by_its_part(world: World) -> None:
    parts = world.get("dong", "/api/v1/figures").json["figures"]["D3"]["parts"]
    assert parts
    for part, each in parts.items():
        for of in ("numerator", "denominator"):
            assert behind(world, indicator="D3", part=part, of=of).json["sum"] == each[of]


def test_seven_days_open_too(world: World) -> None:
    week = world.get("dong", "/api/v1/figures").json["figures"]["A2_visits"]["seven_days"]
    found = behind(world, indicator="A2_visits", span="week").json
    assert found["sum"] == found["figure"] == week["value"] > behind(world, indicator="A2_visits").json["sum"]


def test_persons_are_shown_by_masked_names_and_no_key(world: World) -> None:
    answer = behind(world, indicator="B5")
    person = answer.json["items"][0]
    assert (person["kind"], person["id"]) == ("person", "")
    assert person["household_id"] == "H3" and "*" in person["answers"]["person_name"]
    for secret in ("示范丙", "欧阳示范", "420106198808080006", "15400000002", "id:"):
        assert secret not in answer.text


def test_pages_follow_each_other_without_gap_or_repeat(world: World) -> None:
    whole = behind(world, indicator="A1", limit="500").json["items"]
    read, cursor = [], ""
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = behind(world, indicator="A1", limit="3", **more).json
        read += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert read == whole
    assert [item["village_code"] for item in whole] == sorted(item["village_code"] for item in whole)


def test_a_clerk_sees_the_own_area_and_no_other(world: World) -> None:
    found = behind(world, "ba", indicator="A1").json
    assert found["area"]["code"] == OTHER_TOWN
    assert {item["town_code"] for item in found["items"]} == {OTHER_TOWN}
    refused = behind(world, "ba", indicator="A1", area=TOWN)
    assert (refused.status_code, refused.json["code"]) == (403, "outside-area")


def test_who_may_not_read_the_register_reads_no_list(world: World) -> None:
    assert behind(world, "admin", indicator="A1").status_code == 403


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({}, 422, "invalid"),
        ({"indicator": "Z9"}, 404, "unknown-indicator"),
        ({"indicator": "A3", "of": "denominator"}, 422, "no-such-side"),
        ({"indicator": "A4", "span": "week"}, 422, "no-such-side"),
        ({"indicator": "A3", "part": "x"}, 422, "no-such-side"),
        ({"indicator": "J1_median", "part": "7"}, 422, "no-such-side"),
        ({"indicator": "D7"}, 422, "no-such-side"),
        ({"indicator": "A3", "of": "everything"}, 422, "invalid"),
        ({"indicator": "A3", "span": "year"}, 422, "invalid"),
        ({"indicator": "A3", "grid": "7"}, 422, "invalid"),
        ({"indicator": "A3", "grid": "none"}, 404, "unknown-grid"),
        ({"indicator": "A3", "area": VILLAGE, "grid": VILLAGE + "77"}, 404, "unknown-grid"),
        ({"indicator": "A3", "area": DISTRICT, "day": "2020-02-30"}, 422, "invalid"),
        ({"indicator": "A3", "cursor": "broken"}, 422, "bad-cursor"),
    ],
)
def test_a_bad_question_is_refused_with_what_is_wrong(
    world: World, query: dict[str, str], status: int, code: str
) -> None:
    answer = behind(world, **query)
    assert (answer.status_code, answer.json["code"]) == (status, code)


def test_a_cursor_of_another_question_is_refused(world: World) -> None:
    cursor = behind(world, indicator="A1", limit="1").json["next_cursor"]
    assert behind(world, indicator="A3", cursor=cursor).json["code"] == "bad-cursor"
    assert behind(world, indicator="A1", area=TOWN, cursor=cursor).json["code"] == "bad-cursor"


def test_an_unknown_part_of_what_has_parts_counts_nothing(world: World) -> None:
    found = behind(world, indicator="B5", part="nowhere").json
    assert (found["figure"], found["sum"], found["items"]) == (0, 0, [])


def test_figures_by_grid_sum_to_the_village_and_open_to_their_rows(world: World) -> None:
    whole = world.get("dong", f"/api/v1/figures?area={VILLAGE}").json["figures"]
    rows = world.get("dong", f"/api/v1/figures/table?area={VILLAGE}").json["items"]
    assert {row["area"]["level"] for row in rows} == {"grid"}
    for name in ("A1", "A2_visits", "A3", "B1", "D1"):
        assert sum(row["figures"][name]["value"] for row in rows) == whole[name]["value"]
        for row in rows:
            found = behind(world, indicator=name, area=VILLAGE, grid=row["area"]["code"]).json
            assert found["figure"] == found["sum"] == row["figures"][name]["value"]
            assert {item["grid_code"] for item in found["items"]} <= {row["area"]["code"]}


@pytest.mark.parametrize("indicator", ["A2_visits", "C1", "C2", "D6", "J1", "J1_median", "J4_duplicates"])
@pytest.mark.parametrize("area", [DISTRICT, TOWN, VILLAGE, OTHER_TOWN])
def test_records_are_found_by_the_indicator_that_counts_them(world: World, indicator: str, area: str) -> None:
    first = today() - timedelta(days=6)
    of = {"of": "denominator"} if indicator == "J1" else {}
    rows = behind(world, indicator=indicator, span="week", area=area, limit="500", **of).json["items"]
    wanted = {record["record_id"] for row in rows for record in row["records"]}
    query = f"behind={indicator}&from={first}&to={today()}&area={area}&limit=500"
    query += "&of=denominator" if of else ""
    found = world.get("dong", f"/api/v1/records?{query}").json["items"]
    assert {each["record_id"] for each in found} == wanted


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("behind=Z9", 404, "unknown-indicator"),
        ("behind=A3", 422, "no-such-side"),
        ("behind=C1&of=denominator", 422, "no-such-side"),
        ("behind=C1&of=nothing", 422, "invalid"),
    ],
)
def test_records_behind_what_counts_no_records_are_refused(
    world: World, query: str, status: int, code: str
) -> None:
    answer = world.get("dong", f"/api/v1/records?{query}")
    assert (answer.status_code, answer.json["code"]) == (status, code)
