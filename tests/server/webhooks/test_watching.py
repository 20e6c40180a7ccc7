"""What is told, to whom, and what is not: nothing old, nothing twice, nothing personal."""

import json
from datetime import timedelta
from typing import Any

import pytest

from server.exceptions import finding
from server.intake.commands import make_follower
from server.webhooks import events, watching
from server.webhooks.events import Event
from tests.server.api.world import (
    DISTRICT,
    OTHER_TOWN,
    TOWN,
    VILLAGE,
    World,
    sample,
    today,
)
from tests.server.webhooks.receiver import Receiver
from tests.server.webhooks.subscribed import API, Later, a_visit_arrives, subscribe


def told(receiver: Receiver, kind: str) -> list[dict[str, Any]]:
    return [each.told["data"] for each in receiver.got if each.told["type"] == kind]


def begun(world: World, receiver: Receiver, *kinds: str, **more: Any) -> Later:
    """Subscribed, and noticed."""
    subscribe(world, receiver, list(kinds) or None, **more)
    later = Later(world)
    later.after()
    assert receiver.got == []
    return later


def test_only_what_was_subscribed_to_in_its_area_is_told(world: World, receiver: Receiver) -> None:
    here = begun(world, receiver, "record.verdict", areas=[TOWN])
    subscribe(world, receiver, ["record.verdict"], areas=[OTHER_TOWN], url=f"{receiver.url}&there")
    subscribe(world, receiver, ["bulletin.frozen"], areas=[DISTRICT], url=f"{receiver.url}&bulletins")
    here.after()
    record_id = a_visit_arrives(world)
    here.after()
    assert {each.path for each in receiver.got} == {"/hook?from=gridbook"}
    assert [each["record_id"] for each in told(receiver, "record.verdict")] == [record_id]


def test_a_returned_record_is_told_again_with_its_status_and_without_the_comment(
    world: World, receiver: Receiver
) -> None:
    later = begun(world, receiver, "record.verdict")
    record_id = a_visit_arrives(world)
    later.after()
    review = {"status": "returned", "comment": "请核对示范丁的体温"}
    assert world.post("dong", f"/api/v1/records/{record_id}/review", json=review).status_code == 202
    world.follow()
    later.after()
    first, second = told(receiver, "record.verdict")
    assert (first["record_id"], second["record_id"]) == (record_id, record_id)
    assert (second["status"], second["decided_by"]) == ("returned", "staff")
    assert len({each.id for each in receiver.got}) == 2
    assert "示范" not in "".join(each.body.decode() for each in receiver.got)


def test_nothing_personal_is_told(world: World, receiver: Receiver) -> None:
    later = begun(world, receiver)
    world.push(sample("household_visit/pass/two_people", device_id=world.device_id, household_id="H3"))
    world.push(
        sample("household_visit/fail/temp_43_1", device_id=world.device_id, household_id="H2")
        | {"remark": "电话13812345678"}
    )
    world.follow()
    later.after()
    bodies = "".join(each.body.decode() for each in receiver.got)
    assert {"record.verdict", "exception.opened"} <= set(receiver.types)
    for secret in ("示范", "张三", "420106198808080006", "1540000", "13812345678", "幸福小区", "老王"):
        assert secret not in bodies
    assert f"http://127.0.0.1:8000/records/{told(receiver, 'record.verdict')[0]['record_id']}".replace(
        ":", "%3A"
    ) in bodies.replace(":", "%3A")


def test_a_frozen_bulletin_is_told_once_with_its_digest(world: World, receiver: Receiver) -> None:
    later = begun(world, receiver, "bulletin.frozen")
    day = (today() - timedelta(days=2)).isoformat()
    frozen = world.post("dong", "/api/v1/bulletins", json={"day": day}).json
    later.after()
    later.after(hours=1)
    [found] = told(receiver, "bulletin.frozen")
    assert (found["number"], found["day"], found["digest"]) == (frozen["number"], day, frozen["digest"])
    assert found["links"]["api"].endswith(f"/api/v1/bulletins/{frozen['number']}")
    assert world.get("dong", f"/api/v1/bulletins/{frozen['number']}").json["damage"] is None


def test_an_exception_is_told_when_it_opens_and_when_it_closes(world: World, receiver: Receiver) -> None:
    later = begun(world, receiver, "exception.opened", "exception.closed")
    bad = sample("household_visit/fail/temp_43_1", device_id=world.device_id, household_id="H4")
    world.push(dict(bad))
    world.follow()
    later.after()
    [opened] = [each for each in told(receiver, "exception.opened") if each["subject"] == bad["_id"]]
    assert (opened["kind"], opened["village_code"]) == ("quarantined", VILLAGE)
    assert opened["due"] > opened["since"]
    path = f"/api/v1/exceptions/{opened['exception_id']}"
    done = {"what": "resolve", "seen": 0, "note": "已电话核实"}
    assert world.post("dong", f"{path}/steps", json=done).status_code == 201
    later.after()
    closed = {each["exception_id"]: each for each in told(receiver, "exception.closed")}
    assert closed[opened["exception_id"]]["closed_by"] == "staff"
    again = {"what": "reopen", "seen": 1, "note": "还没有"}
    assert world.post("dong", f"{path}/steps", json=again).status_code == 201
    later.after()
    assert [each["subject"] for each in told(receiver, "exception.opened")].count(bad["_id"]) == 2
    world.post("dong", f"/api/v1/records/{bad['_id']}/review", json={"status": "accepted"})
    world.follow()
    later.after()
    last = [each for each in told(receiver, "exception.closed") if each["subject"] == bad["_id"]][-1]
    assert last["closed_by"] == "data"
    count = len(receiver.got)
    later.after(minutes=5)
    assert len(receiver.got) == count


def test_what_happened_before_somebody_subscribed_is_not_told(world: World, receiver: Receiver) -> None:
    a_visit_arrives(world)
    begun(world, receiver).after(hours=1)
    assert receiver.got == []


def test_what_happens_between_two_lives_of_the_server_is_told(world: World, receiver: Receiver) -> None:
    begun(world, receiver, "record.verdict")
    record_id = a_visit_arrives(world)
    Later(world).after()
    assert [each["record_id"] for each in told(receiver, "record.verdict")] == [record_id]


def test_a_village_that_is_added_later_is_told_from_its_first_record(
    world: World, receiver: Receiver
) -> None:
    later = begun(world, receiver, "record.verdict")
    village = "370304103999"
    record = sample("household_visit/pass/phone_ok", device_id=world.device_id) | {"village_code": village}
    world.gridbook.store.ensure(f"register-{village}")
    world.push(record)
    world.follow()
    later.after()
    assert [each["village_code"] for each in told(receiver, "record.verdict")] == [village]


def test_without_subscriptions_nothing_is_read_and_no_mark_is_kept(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = begun(world, receiver)
    world.app.test_client().delete(
        f"{API}/{world.get('admin', API).json['items'][0]['webhook_id']}", headers=world.headers("admin")
    )
    later.after()
    monkeypatch.setattr(type(world.gridbook.store), "updates", lambda *_: 1 / 0)
    later.after()
    assert later.deliverer._watcher._read_marks() == {}


def test_a_rebuild_tells_nothing_again(world: World, receiver: Receiver) -> None:
    later = begun(world, receiver)
    follower = make_follower(world.gridbook)
    assert follower.rebuild() > 0
    follower.close()
    later.after()
    later.after(minutes=2)
    assert receiver.got == []


def test_a_read_model_that_is_made_anew_in_place_closes_and_opens_nothing(
    world: World, receiver: Receiver
) -> None:
    later = begun(world, receiver, "exception.opened", "exception.closed")
    world.gridbook.readmodel.drop()
    world.gridbook.readmodel.create()
    later.after()  # empty: of no store
    follower = make_follower(world.gridbook)
    follower._batch_changes_max = 20
    follower._prepare()
    later.after()  # marked, and nothing is counted
    follower.run_once()
    follower.close()
    later.after()
    assert receiver.got == []


def test_another_store_begins_anew(world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    later = begun(world, receiver, "record.verdict", "bulletin.frozen")
    later.deliverer._watcher._replace_marks({"store": "another", "since:office": "0", "begun:office": "x"})
    later.after()
    assert receiver.got == []
    a_visit_arrives(world)
    later.after()
    assert receiver.types == ["record.verdict"]


def test_more_exceptions_than_are_listed_close_none(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = begun(world, receiver, "exception.opened", "exception.closed")
    for module in (finding, watching):
        monkeypatch.setattr(module, "MOST", 1)
    later.after()
    assert receiver.got == []


def test_a_crash_before_the_marks_are_written_tells_the_same_event_once(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = begun(world, receiver, "record.verdict")
    a_visit_arrives(world)

    def dies(*_: Any) -> None:
        raise OSError("killed")

    with monkeypatch.context() as patches:
        patches.setattr(watching, "_write", dies)
        with pytest.raises(OSError, match="killed"):
            later.deliverer.look()
    Later(world).after()
    assert len(receiver.got) == 1


def test_every_kind_of_event_is_documented_with_its_members(world: World, receiver: Receiver) -> None:
    page = (world.gridbook.settings.forms.parent / "docs" / "webhooks.md").read_text("utf-8")
    for kind in (*events.EVENTS, events.TEST):
        assert f"`{kind}`" in page
    for data in (
        events.verdict("", VILLAGE, {"_id": "verdict:x", "_rev": "1-a"}),
        events.bulletin("", DISTRICT, {"_rev": "1-a", "number": "2020-001", "frozen_at": "", "day": ""}),
        events.exception("", DISTRICT, finding.Found("k", VILLAGE, "s", "t", {}), "", "", "data"),
    ):
        assert isinstance(data, Event)
        for name in json.loads(data.body())["data"]:
            assert f"`{name}`" in page, (data.type, name)
    assert API in page
