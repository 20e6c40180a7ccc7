"""The exceptions board. Dong works for the district, Bai for the town of the records, Ba for another town."""

from datetime import timedelta
from typing import Any

import pytest

from server.api.beijing import today
from server.exceptions.declaration import read_kinds
from server.readmodel.declaration import SHIPPED
from tests.server.api.world import VILLAGE, World, sample

pytestmark = pytest.mark.parametrize("world", ["sqlite", "postgresql"], indirect=True, scope="module")

Item = dict[str, Any]


def board(world: World, who: str = "dong", **query: Any) -> Any:
    return world.get(who, "/api/v1/exceptions", query_string=query)


def items(world: World, who: str = "dong", **query: Any) -> list[Item]:
    answer = board(world, who, **query)
    assert answer.status_code == 200, answer.text
    found: list[Item] = answer.json["items"]
    return found


def step(world: World, item: Item, what: str, who: str = "dong", **more: Any) -> Any:
    body = {"what": what, "seen": item["steps_count"], **more}
    return world.post(who, f"/api/v1/exceptions/{item['id']}/steps", json=body)


def one_of(world: World, kind: str) -> Item:
    return items(world, kind=kind)[0]


def test_a_quarantined_record_stands_on_the_board_since_it_arrived(world: World) -> None:
    [item] = items(world, kind="quarantined")
    assert item["about"]["record_id"] == world.ids["too_hot"]
    record = world.get("dong", f"/api/v1/records/{world.ids['too_hot']}").json
    assert item["since"] == record["received_at"]
    assert item["due"] > item["since"]
    assert (item["overdue"], item["owner"], item["resolved"]) == (False, None, False)


def test_points_that_nobody_disinfected_are_overdue_since_they_are_listed(world: World) -> None:
    never = [each for each in items(world, kind="point_overdue") if each["subject"] == "P2"]
    assert [each["since"] for each in never] == ["2020-01-25T16:00:00.000Z"]
    assert never[0]["overdue"]


def test_a_household_is_one_after_three_visits_in_vain_and_not_before(world: World) -> None:
    device = world.device_id
    for back in (3, 2):
        day = today() - timedelta(days=back)
        world.push(sample("household_visit/pass/no_answer", day=day, device_id=device, household_id="H4"))
        world.follow()
        assert "H4" not in {each["subject"] for each in items(world, kind="not_reached")}
    world.push(sample("household_visit/pass/no_answer", device_id=device, household_id="H4"))
    world.follow()
    assert "H4" in {each["subject"] for each in items(world, kind="not_reached")}


def test_a_fever_that_nobody_referred_is_one_by_the_record_that_says_so(world: World) -> None:
    fever = sample("household_visit/pass/fever_reported", device_id=world.device_id, household_id="H2")
    for person in fever["answers"]["rep_person"]:
        person["actions"] = ["reported_village"]
    record = world.push(fever)
    world.follow()
    [item] = items(world, kind="fever_not_referred")
    assert item["about"] == {"record_id": record, "place": "1", "household_id": "H2"}
    assert not {"name", "unit_key"} & set(item["about"])


def test_a_phone_that_was_not_heard_from_is_one_a_day_later(world: World) -> None:
    from server.people.tables import devices

    assert items(world, kind="device_silent") == []
    with world.gridbook.people.engine.begin() as connection:
        connection.execute(devices.update().values(last_contact_at="2020-02-20T00:00:00.000Z"))
    [item] = items(world, kind="device_silent")
    assert (item["about"]["device_id"], item["since"]) == (world.device_id, "2020-02-21T00:00:00.000Z")


def test_kinds_are_counted_whatever_the_filters_say(world: World) -> None:
    counts = board(world, kind="quarantined", state="resolved").json["counts"]
    assert set(counts) == set(read_kinds(SHIPPED))
    assert counts["point_overdue"]["open"] == len(items(world, kind="point_overdue", limit=500))


@pytest.mark.parametrize("state", ["open", "overdue"])
def test_counts_say_how_many_each_state_lists(world: World, state: str) -> None:
    answer = board(world, state=state, limit=500).json
    assert (
        answer["total"] == sum(each[state] for each in answer["counts"].values()) == len(answer["items"]) > 0
    )
    assert state == "open" or all(each["overdue"] for each in answer["items"])


@pytest.mark.parametrize("sort", ["due", "-due", "since", "-since", "kind", "village", "-village"])
def test_pages_join_to_the_whole_list(world: World, sort: str) -> None:
    whole = [each["id"] for each in items(world, sort=sort, limit=500)]
    joined: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        answer = board(world, sort=sort, limit=3, **cursor).json
        joined += [each["id"] for each in answer["items"]]
        if answer["next_cursor"] is None:
            break
        cursor = {"cursor": answer["next_cursor"]}
    assert joined == whole
    assert len(whole) == answer["total"] > 6


def test_who_takes_one_owns_it_and_who_was_slower_is_told(world: World) -> None:
    item = one_of(world, "point_overdue")
    assert step(world, item, "take", "bai").json["owner"]["name"] == "Bai"
    late = step(world, item, "take", "dong")
    assert (late.status_code, late.json["code"]) == (409, "exception-moved")
    assert item["id"] in {each["id"] for each in items(world, "bai", owner="me")}
    assert item["id"] not in {each["id"] for each in items(world, state="unowned", limit=500)}


def test_what_was_resolved_leaves_the_board_and_stays_known_with_its_note(world: World) -> None:
    item = one_of(world, "relief_overdue")
    assert step(world, item, "resolve").json["code"] == "note-missing"
    done = step(world, item, "resolve", note="户主已搬走，粮油退回仓库").json
    assert (done["resolved"], done["owner"]["name"]) == (True, "Dong")
    assert item["id"] not in {each["id"] for each in items(world, limit=500)}
    assert item["id"] in {each["id"] for each in items(world, state="resolved")}
    [said] = world.get("dong", f"/api/v1/exceptions/{item['id']}").json["steps"]
    assert (said["what"], said["by"]["name"], said["note"]) == ("resolve", "Dong", "户主已搬走，粮油退回仓库")
    assert step(world, done, "take").json["code"] == "exception-state"
    assert step(world, done, "reopen", note="又回来了").json["resolved"] is False


def test_what_the_data_put_right_is_gone_but_its_resolution_is_remembered(world: World) -> None:
    hot = world.ids["too_hot"]
    [item] = [each for each in items(world, kind="quarantined") if each["subject"] == hot]
    step(world, item, "resolve", note="已电话更正")
    world.post("dong", f"/api/v1/records/{hot}/review", json={"status": "accepted"})
    world.follow()
    left = {each["id"]: each for each in items(world, state="resolved", kind="quarantined")}[item["id"]]
    assert (left["settled"], left["overdue"]) == (True, False)


def test_an_exception_is_handed_to_who_may_handle_it_there_and_to_nobody_else(world: World) -> None:
    item = one_of(world, "point_overdue")
    people = {member.username: member.staff_id for member in _staff(world)}
    assert step(world, item, "assign", owner=people["ba"]).json["code"] == "unknown-owner"
    assert step(world, item, "assign").json["code"] == "unknown-owner"
    assert step(world, item, "assign", owner=people["bai"]).json["owner"]["name"] == "Bai"


def _staff(world: World) -> Any:
    from server.people import staff

    return staff.every(world.gridbook.people)


def test_another_town_neither_sees_nor_touches_it(world: World) -> None:
    [item] = [each for each in items(world, kind="point_overdue", limit=500) if each["subject"] == "P2"]
    assert item["village_code"] == VILLAGE
    assert item["id"] not in {each["id"] for each in items(world, "ba", limit=500)}
    assert world.get("ba", f"/api/v1/exceptions/{item['id']}").json["code"] == "unknown-exception"
    assert step(world, item, "take", "ba").json["code"] == "unknown-exception"


@pytest.mark.parametrize("wrong", ["x", "WyJxIl0", "!!!", "WyJuYW1lIiwiIiwiIiwiIl0", "W" * 5000])
def test_an_id_that_is_none_is_unknown(world: World, wrong: str) -> None:
    assert world.get("dong", f"/api/v1/exceptions/{wrong}").status_code in (404, 414)


def test_a_cursor_of_another_question_is_refused(world: World) -> None:
    cursor = board(world, limit=1).json["next_cursor"]
    assert board(world, limit=1, kind="point_overdue", cursor=cursor).json["code"] == "bad-cursor"


def test_a_correction_of_a_record_that_staff_voided_is_one_until_the_void_is_taken_back(world: World) -> None:
    first = sample("household_visit/pass/uneventful", device_id=world.device_id, household_id="H3")
    first_id = world.push(first)
    world.follow()
    path = f"/api/v1/records/{first_id}/review"
    world.post("dong", path, json={"status": "voided", "comment": "填错户"})
    world.follow()
    second = sample("household_visit/pass/uneventful", device_id=world.device_id, household_id="H3")
    second_id = world.push({**second, "supersedes": first_id, "correction_reason": "typo"})
    world.follow()
    [item] = items(world, kind="corrects_voided")
    assert item["about"]["record_id"] == second_id
    world.post("dong", path, json={"status": "restored"})
    world.follow()
    assert items(world, kind="corrects_voided") == []
