"""One household, point or roster entry with its records: Dong works for the district, Bai for the town of the
records, Ba for another town, Cun is a cadre of the first village."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from tests.server.api.world import OTHER_TOWN, OTHER_VILLAGE, TOWN, VILLAGE, VILLAGE_2, World, sample, today

pytestmark = pytest.mark.parametrize("world", ["sqlite", "postgresql"], indirect=True, scope="module")

H2 = "/api/v1/registers/households/H2"


def visit(world: World, household: str, *, days_ago: int = 0, **more: Any) -> str:
    day = today() - timedelta(days=days_ago)
    record = sample(
        "household_visit/pass/uneventful", day=day, device_id=world.device_id, household_id=household
    )
    return world.push({**record, **more})


def history(world: World, path: str, who: str = "dong", **query: Any) -> Any:
    answer = world.get(who, f"/api/v1/registers/{path}", query_string=query)
    assert answer.status_code == 200, answer.text
    return answer.json


def test_a_household_is_shown_with_its_masked_entry_its_state_and_its_records(world: World) -> None:
    found = history(world, "households/H2", "bai")
    assert (found["unit"]["kind"], found["unit"]["id"]) == ("household", "H2")
    assert (found["unit"]["village_code"], found["unit"]["registered"]) == (VILLAGE, True)
    assert found["unit"]["entry"]["head_name"] == "欧阳**"
    assert found["unit"]["state"]["last_result"] == "no_answer"
    assert [item["record_id"] for item in found["items"]] == [world.ids["no_answer"]]
    assert found["next_cursor"] is None


def test_nothing_in_a_history_identifies_a_person(world: World) -> None:
    text = world.get("dong", "/api/v1/registers/households/H3").text
    assert "420106********0006" in text
    for secret in ("420106198808080006", "15400000003", "示范丁", "501室", "sfb"):
        assert secret not in text


def test_a_history_in_full_needs_the_right_and_a_reason_and_is_logged(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    path = "/api/v1/registers/households/H3?unmask=1"
    assert world.get("bai", path + "&reason=流调核实").status_code == 403
    assert world.get("dong", path).json["code"] == "reason-missing"
    answer = world.get("dong", path + "&reason=流调核实")
    assert answer.json["unit"]["entry"]["head_name"] == "示范丁"
    assert "420106198808080006" in answer.text
    assert f"household {VILLAGE}/H3; reason: 流调核实" in caplog.text


def test_records_come_by_work_date_latest_first_however_late_they_arrive(world: World) -> None:
    middle = visit(world, "H4", days_ago=2)
    world.follow()
    newest = visit(world, "H4")
    oldest = visit(world, "H4", days_ago=5)
    world.follow()
    found = history(world, "households/H4")
    assert [item["record_id"] for item in found["items"]] == [newest, middle, oldest]


def test_pages_of_a_history_hold_every_record_once(world: World) -> None:
    made = {visit(world, "BH1", days_ago=days, village_code=VILLAGE_2) for days in (0, 0, 1, 1, 3)}
    world.follow()
    seen, cursor = [], None
    for _ in range(len(made)):
        more = {"cursor": cursor} if cursor else {}
        found = history(world, "households/BH1", limit=2, **more)
        seen += [item["record_id"] for item in found["items"]]
        cursor = found["next_cursor"]
        if cursor is None:
            break
    assert (sorted(seen), len(seen)) == (sorted(made), len(made))


def test_a_cursor_of_another_household_is_refused(world: World) -> None:
    visit(world, "BH2", village_code=VILLAGE_2)
    visit(world, "BH2", village_code=VILLAGE_2)
    world.follow()
    cursor = history(world, "households/BH2", limit=1)["next_cursor"]
    assert cursor
    assert world.get("dong", f"{H2}?cursor={cursor}").json["code"] == "bad-cursor"


def test_what_was_refused_and_what_was_replaced_stay_in_the_history(world: World) -> None:
    found = {item["record_id"]: item for item in history(world, "households/H1")["items"]}
    refused = found[world.ids["too_hot"]]
    assert (refused["status"], refused["effective"]) == ("quarantined", False)
    assert "E" in {problem["severity"] for problem in refused["problems"]}
    first = visit(world, "H3")
    second = visit(world, "H3", supersedes=first, correction_reason="typo")
    world.follow()
    versions = {item["record_id"]: item for item in history(world, "households/H3")["items"]}
    assert versions[first]["superseded_by"] == second and versions[second]["effective"]


def test_a_household_that_nobody_visited_has_an_empty_history(world: World) -> None:
    found = history(world, "households/CH1", "ba")
    assert (found["items"], found["unit"]["state"]) == ([], {})
    assert found["unit"]["entry"]["head_name"] == "示**"


def test_points_and_roster_entries_have_histories_too(world: World) -> None:
    point = history(world, "points/P1")
    assert [item["record_id"] for item in point["items"]] == [world.ids["spray"]]
    assert point["unit"]["entry"]["name"] == "村委会"
    entry = history(world, "roster/aixin:1")
    assert [item["record_id"] for item in entry["items"]] == [world.ids["delivery"]]
    assert entry["unit"]["entry"]["head_name"] == "示**"
    assert entry["unit"]["state"]["deliveries"] == 1


def test_a_household_that_only_a_visit_knows_is_found_by_its_village(world: World) -> None:
    record_id = world.push(sample("household_visit/pass/new_household", device_id=world.device_id))
    world.follow()
    unit = world.get("dong", f"/api/v1/records/{record_id}").json["unit"]
    found = history(world, f"households/{unit['id']}", area=VILLAGE)
    assert [item["record_id"] for item in found["items"]] == [record_id]
    assert "entry" not in found["unit"]


def test_another_towns_household_does_not_exist_and_its_area_is_refused(world: World) -> None:
    for who, path in (
        ("ba", H2),
        ("ba", "/api/v1/registers/roster/aixin:1"),
        ("cun", "/api/v1/registers/households/BH1"),
        ("bai", "/api/v1/registers/points/CP1"),
    ):
        answer = world.get(who, path)
        assert (answer.status_code, answer.json["code"]) == (404, "unknown-unit"), path
    for area in (TOWN, VILLAGE):
        assert world.get("ba", f"{H2}?area={area}").json["code"] == "outside-area"
    assert world.get("dong", f"{H2}?area={OTHER_TOWN}").json["code"] == "unknown-unit"


def test_who_may_not_read_records_gets_no_history(world: World) -> None:
    assert world.get("admin", "/api/v1/registers/households").status_code == 200
    assert world.get("admin", H2).json["code"] == "forbidden"
    assert world.get(None, H2).status_code == 401


def test_a_roster_entry_shows_no_record_of_another_town(world: World) -> None:
    record = sample("supply_delivery/pass/one_box_one_bag", roster_entry_id="aixin:3")
    record["village_code"], record["town_code"] = OTHER_VILLAGE, OTHER_TOWN
    record_id = world.push(record, writer="server")
    world.follow()
    everything = history(world, "roster/aixin:3", "dong")["items"]
    assert record_id in {item["record_id"] for item in everything}, "the record is about the entry"
    assert record_id not in {item["record_id"] for item in history(world, "roster/aixin:3", "bai")["items"]}


def test_an_id_of_several_villages_asks_which(world: World) -> None:
    for village in (VILLAGE, VILLAGE_2):
        document = {
            "_id": "household:TWICE",
            "type": "household",
            "household_id": "TWICE",
            "village_code": village,
            "grid_code": f"{village}01",
            "active_from": "2020-01-26",
        }
        world.gridbook.store.ensure(f"register-{village}").put(document, writer="server")
    world.follow()
    answer = world.get("bai", "/api/v1/registers/households/TWICE", headers={"Accept-Language": "en"})
    assert (answer.status_code, answer.json["code"]) == (409, "several-units")
    assert VILLAGE in answer.json["detail"] and VILLAGE_2 in answer.json["detail"]
    assert history(world, "households/TWICE", area=VILLAGE_2)["unit"]["village_code"] == VILLAGE_2
    assert history(world, "households/TWICE", "cun")["unit"]["village_code"] == VILLAGE


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("households/nobody", 404, "unknown-unit"),
        ("households/%00", 404, "unknown-unit"),
        ("households/" + "H" * 2000, 404, "unknown-unit"),
        ("households/H2/H2", 404, "unknown-unit"),
        ("fillers/filler-1", 404, "no-history"),
        ("poems/H2", 404, "unknown-register"),
        ("households/H2?limit=0", 422, "invalid"),
        ("households/H2?cursor=broken", 422, "bad-cursor"),
        ("households/H2?colour=red", 422, "invalid"),
    ],
)
def test_a_wrong_question_is_answered_in_words(world: World, path: str, status: int, code: str) -> None:
    answer = world.get("dong", f"/api/v1/registers/{path}")
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert answer.content_type == "application/problem+json"


def test_a_history_is_unchanged_while_nothing_moves(world: World) -> None:
    first = world.get("dong", H2)
    again = {"If-None-Match": first.headers["ETag"]}
    assert world.get("dong", H2, headers=again).status_code == 304
    visit(world, "H2")
    world.follow()
    assert world.get("dong", H2, headers=again).status_code == 200


def test_the_records_of_a_history_are_found_by_an_index(world: World) -> None:
    engine, asked = world.gridbook.readmodel.engine, []

    def listen(connection: Any, cursor: Any, statement: str, parameters: Any, *rest: Any) -> None:
        asked.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", listen)
    try:
        history(world, "households/H2")
    finally:
        event.remove(engine, "before_cursor_execute", listen)
    assert len(asked) < 15, [statement for statement, _ in asked]
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            for statement, parameters in asked:
                if "FROM records" in statement or "FROM units" in statement:
                    plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
                    scanned = {row.detail.split()[1] for row in plan if row.detail.startswith("SCAN")}
                    # A page's keys, found by an index, are read through.
                    assert not {name for name in scanned if not name.startswith("anon_")}, plan
