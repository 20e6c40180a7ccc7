"""Who sees what: a district clerk, clerks of two towns, a village cadre, a phone, a stranger."""

import re
from datetime import timedelta

import pytest

from server import clock
from server.people import devices
from tests.server.api.world import (
    DISTRICT,
    OTHER_TOWN,
    OTHER_VILLAGE,
    TOWN,
    VILLAGE,
    VILLAGE_2,
    World,
    sample,
    today,
)

pytestmark = pytest.mark.parametrize("world", ["sqlite", "postgresql"], indirect=True, scope="module")

READING = [
    "/api/v1/areas",
    "/api/v1/indicators",
    "/api/v1/figures",
    "/api/v1/figures/table",
    "/api/v1/figures/behind?indicator=A3",
    "/api/v1/forms",
    "/api/v1/indicators/A4/trend?from=2020-02-01&to=2020-02-21",
    "/api/v1/forms/household_visit",
    "/api/v1/records",
    "/api/v1/quarantine",
    "/api/v1/registers/households",
    "/api/v1/registers/points",
    "/api/v1/registers/stations",
    "/api/v1/registers/roster",
    "/api/v1/registers/fillers",
    "/api/v1/registers/campaigns",
    "/api/v1/registers/supply-points",
    "/api/v1/registers/households/H1",
    "/api/v1/disinfection",
    "/api/v1/disinfection/points",
    "/api/v1/disinfection/records",
    "/api/v1/relief",
    "/api/v1/relief/entries",
    "/api/v1/stock",
    "/api/v1/stock/stores",
    "/api/v1/todo/not-reached",
    "/api/v1/todo/roster",
    "/api/v1/todo/points",
    "/api/v1/todo/villages",
    "/api/v1/standing",
    "/api/v1/devices",
    "/api/v1/export/household_visit.csv",
]


@pytest.mark.parametrize("path", READING)
def test_a_stranger_and_a_phone_read_nothing(world: World, path: str) -> None:
    for headers in (
        {},
        {"Authorization": f"Bearer {world.device_token}"},
        {"Authorization": "Bearer nonsense"},
    ):
        answer = world.get(None, path, headers=headers)
        assert answer.status_code == 401
        assert answer.content_type == "application/problem+json"
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("path", READING)
def test_a_district_clerk_reads_everything(world: World, path: str) -> None:
    assert world.get("dong", path).status_code == 200


def test_a_town_clerk_sees_the_own_town_by_default_and_no_other(world: World) -> None:
    assert world.get("bai", "/api/v1/figures").json["area"]["code"] == TOWN
    assert {area["code"] for area in world.get("bai", "/api/v1/areas").json["items"]} == {
        VILLAGE,
        "370304102902",
    }
    for path in READING:
        if "?" not in path and path not in (
            "/api/v1/indicators",
            "/api/v1/forms",
            "/api/v1/forms/household_visit",
            "/api/v1/devices",
        ):
            assert world.get("bai", f"{path}?area={OTHER_TOWN}").status_code == 403, path
            assert world.get("bai", f"{path}?area={DISTRICT}").status_code == 403, path


def test_another_towns_clerk_sees_none_of_the_records(world: World) -> None:
    assert world.get("ba", "/api/v1/records").json["items"] == []
    for part in ("", "/verdict"):
        assert world.get("ba", f"/api/v1/records/{world.ids['visit']}{part}").status_code == 404
    assert world.get("ba", "/api/v1/devices").json["items"] == []
    assert len(world.get("ba", "/api/v1/export/household_visit.csv").text.splitlines()) == 1


def test_a_role_without_the_right_is_refused_in_words(world: World) -> None:
    answer = world.get("admin", "/api/v1/records", headers={"Accept-Language": "en"})
    assert (answer.status_code, answer.json["code"]) == (403, "forbidden")
    assert "read records and quarantine" in answer.json["detail"]


def test_figures_count_the_records(world: World) -> None:
    figures = world.get("dong", "/api/v1/figures").json["figures"]
    assert figures["A1"]["value"] == 12
    assert figures["A2_visits"]["value"] == 2
    assert figures["A4"] == {
        "value": pytest.approx(100 * 2 / 12, abs=0.01),
        "numerator": 2,
        "denominator": 12,
        "cumulative": True,
    }


def test_the_parts_of_the_table_sum_to_the_area(world: World) -> None:
    whole = world.get("dong", "/api/v1/figures").json["figures"]
    parts = world.get("dong", "/api/v1/figures/table").json["items"]
    assert [row["area"]["code"] for row in parts] == [TOWN, OTHER_TOWN]
    for indicator in ("A1", "A2_visits", "A6", "C1", "D1", "D4"):
        assert sum(row["figures"][indicator]["value"] for row in parts) == whole[indicator]["value"]


def test_a_trend_has_a_value_for_every_day(world: World) -> None:
    answer = world.get("dong", f"/api/v1/indicators/A2_visits/trend?from=2026-01-01&to={today()}")
    assert answer.json["items"][-1] == {"day": today().isoformat(), "value": 2, "seven_days": 3}
    levels = world.get("dong", f"/api/v1/indicators/A4/trend?from={today()}&to={today()}").json["items"]
    assert set(levels[0]) == {"day", "value"}


def test_every_village_can_be_asked_for_one_indicator_and_they_sum_to_the_area(world: World) -> None:
    items = world.get("dong", "/api/v1/figures/table?level=village&indicator=A2_visits").json["items"]
    assert [row["area"]["code"] for row in items] == [VILLAGE, VILLAGE_2, OTHER_VILLAGE]
    assert [row["figures"]["A2_visits"]["value"] for row in items] == [2, 0, 0]
    assert all(set(row["figures"]) == {"A2_visits"} for row in items)
    town = world.get("bai", "/api/v1/figures/table?level=village&indicator=A1").json["items"]
    assert [row["area"]["parent"] for row in town] == [TOWN, TOWN]
    assert world.get("dong", "/api/v1/figures/table?indicator=Z9").json["code"] == "unknown-indicator"
    assert world.get("dong", "/api/v1/figures/table?level=grid").status_code == 422


def test_how_well_an_area_is_heard(world: World) -> None:
    found = world.get("dong", "/api/v1/standing").json
    assert found["villages"] == {"total": 3, "reported": 1, "nil": 0, "silent": 2}
    assert found["devices"]["active"] == 1
    assert found["waiting"]["quarantined"] > 0 and found["last_received_at"][:2] == "20"
    assert found["lists"]["received"] == 0 and found["lists"]["share"] is None
    town = world.get("ba", "/api/v1/standing").json
    assert (town["devices"]["active"], town["waiting"]["quarantined"]) == (0, 0)
    assert "last_received_at" not in town
    assert world.get("ba", f"/api/v1/standing?area={TOWN}").status_code == 403


@pytest.mark.parametrize(("ago_min", "unsynced"), [(60 * 25, 1), (0, 0)])
def test_a_phone_is_unsynced_when_it_was_not_heard_from_since_the_last_cut_off(
    world: World, ago_min: int, unsynced: int
) -> None:
    moment = clock.stamp(clock.now() - timedelta(minutes=ago_min))
    devices.note_contacts(world.gridbook.people, {world.device_id: moment})
    found = world.get("dong", "/api/v1/standing").json["devices"]
    assert found["since"] <= clock.stamp(clock.now())
    assert found["unsynced"] == unsynced


def test_what_is_counted_by_day_is_told_of_seven_days_too(world: World) -> None:
    figures = world.get("dong", "/api/v1/figures").json["figures"]
    assert figures["A2_visits"]["seven_days"] == {"value": 3}
    assert figures["A10_filler"]["seven_days"]["numerator"] == 3
    assert {name for name, each in figures.items() if "seven_days" not in each} == {
        name for name, each in figures.items() if each["cumulative"]
    }
    rows = world.get("dong", "/api/v1/figures/table").json["items"]
    assert sum(row["figures"]["A2_visits"]["seven_days"]["value"] for row in rows) == 3


@pytest.mark.parametrize("first", ["0001-01-01", "0001-01-05"])
def test_a_trend_from_the_first_day_that_there_is_has_no_week_before_it(world: World, first: str) -> None:
    answer = world.get("dong", f"/api/v1/indicators/A2_visits/trend?from={first}&to=0001-01-09")
    assert [point["seven_days"] for point in answer.json["items"]] == [0] * len(answer.json["items"])


def test_records_are_masked_and_newest_first(world: World) -> None:
    items = world.get("dong", "/api/v1/records?form=household_visit").json["items"]
    assert [item["received_at"] for item in items] == sorted(
        (item["received_at"] for item in items), reverse=True
    )
    text = world.get("dong", "/api/v1/records").text
    for secret in ("420106198808080006", "15400000002", "示范戊", "370304195001010007"):
        assert secret not in text
    people = next(item for item in items if item["record_id"] == world.ids["people"])["answers"]["rep_person"]
    assert people[0]["id_number"] == "420106********0006"
    assert people[0]["temp_c"] == 36.5


def test_one_record_in_full_is_masked_everywhere(world: World) -> None:
    answer = world.get("dong", f"/api/v1/records/{world.ids['people']}")
    assert answer.json["verdict"]["status"].startswith("accepted")
    assert answer.json["unit"]["entry"]["head_name"] == "示**"
    for secret in ("420106198808080006", "15400000002", "示范戊", "501室"):
        assert secret not in answer.text


def test_a_record_in_full_needs_the_right_and_a_reason_and_is_logged(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    path = f"/api/v1/records/{world.ids['people']}?unmask=1"
    assert world.get("bai", path + "&reason=流调核实").status_code == 403
    assert world.get("dong", path).json["code"] == "reason-missing"
    answer = world.get("dong", path + "&reason=流调核实")
    assert answer.json["document"]["answers"]["rep_person"][0]["id_number"] == "420106198808080006"
    assert re.search(r"unmasked: dong .* record record:household_visit.*流调核实", caplog.text)
    assert "420106198808080006" not in caplog.text


def test_quarantine_holds_the_refused_record_with_its_rule_in_both_languages(world: World) -> None:
    items = world.get("dong", "/api/v1/quarantine").json["items"]
    assert [item["record_id"] for item in items] == [world.ids["too_hot"]]
    problem = next(problem for problem in items[0]["problems"] if problem["rule"] == "T1")
    assert problem["path"] == "rep_person[0].temp_c" and problem["message"]["zh"] and problem["message"]["en"]


def test_what_is_still_to_do_is_listed(world: World) -> None:
    not_reached = world.get("bai", "/api/v1/todo/not-reached").json["items"]
    assert {"H2", "H4", "BH1"} <= {item["household_id"] for item in not_reached}
    assert not {"H1", "H3"} & {item["household_id"] for item in not_reached} - {"H1"}
    assert {item["roster_entry_id"] for item in world.get("bai", "/api/v1/todo/roster").json["items"]} == {
        "aixin:3",
        "aixin:B1",
        "aixin:B3",
    }
    assert "P2" in {item["point_id"] for item in world.get("bai", "/api/v1/todo/points").json["items"]}
    assert "示范丙" not in world.get("bai", "/api/v1/todo/not-reached").text
    states = {
        row["area"]["code"]: row["state"] for row in world.get("bai", "/api/v1/todo/villages").json["items"]
    }
    assert states == {VILLAGE: "reported", "370304102902": "silent"}


def test_pages_follow_one_another_without_gap_or_repeat(world: World) -> None:
    whole = [item["record_id"] for item in world.get("dong", "/api/v1/records?limit=500").json["items"]]
    found, cursor = [], ""
    while cursor is not None:
        page = world.get("dong", f"/api/v1/records?limit=2&cursor={cursor}").json
        found += [item["record_id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert found == whole and len(whole) >= 6


def test_an_answer_out_of_the_read_model_is_fresh_until_something_moves(world: World) -> None:
    first = world.get("dong", "/api/v1/records")
    again = world.get("dong", "/api/v1/records", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304 and not again.data
    assert world.get("bai", "/api/v1/records").headers["ETag"] != first.headers["ETag"]
    world.push(sample("household_visit/pass/phone_ok", device_id=world.device_id, household_id="H4"))
    world.follow()
    moved = world.get("dong", "/api/v1/records", headers={"If-None-Match": first.headers["ETag"]})
    assert moved.status_code == 200


def test_forms_come_compiled_and_as_their_author_wrote_them(world: World) -> None:
    assert world.get("dong", "/api/v1/forms").json["items"][0].keys() == {
        "form_id",
        "title",
        "version",
        "versions",
    }
    assert "envelope" in world.get("dong", "/api/v1/forms/household_visit").json
    assert "settings" in world.get("dong", "/api/v1/forms/household_visit?as=source").json


def test_the_standing_says_how_many_records_have_no_verdict_yet(world: World) -> None:
    def unjudged(who: str) -> int:
        return int(world.get(who, "/api/v1/standing").json["waiting"]["unjudged"])

    assert unjudged("dong") == 0
    world.push(sample("household_visit/pass/uneventful", device_id=world.device_id))
    assert (unjudged("dong"), unjudged("bai"), unjudged("ba")) == (1, 1, 0)
    world.follow()
    assert unjudged("dong") == 0
