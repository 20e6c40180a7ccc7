"""Villages that reported, had nothing to report, were silent. Bai is the town's clerk, Cun the first
village's cadre, Dong the district's. The first village has records of today and yesterday, the others none;
each test has a quiet day of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import count
from typing import Any

import pytest

from server.bulletins import freezing
from server.people import staff
from server.villages import nil_reports
from server.villages.nil_reports import NilRefused
from tests.server.api.world import (
    BEIJING,
    DISTRICT,
    OTHER_VILLAGE,
    TOWN,
    VILLAGE,
    VILLAGE_2,
    World,
    sample,
    today,
)

PATH = "/api/v1/nil-reports"
AGO = count(5)


@pytest.fixture
def day() -> Iterator[date]:
    yield today() - timedelta(days=next(AGO))


def say(world: World, who: str, day: date, village: str = VILLAGE_2, **more: Any) -> Any:
    return world.post(who, PATH, json={"village": village, "day": str(day), **more})


def states(world: World, day: date, who: str = "dong") -> dict[str, str]:
    items = world.get(who, f"/api/v1/todo/villages?day={day}").json["items"]
    return {each["area"]["code"]: each["state"] for each in items}


def add(world: World, village: str, day: date, what: str, at: datetime) -> nil_reports.NilStep:
    member = next(each for each in staff.every(world.gridbook.people) if each.username == "dong")
    return nil_reports.add(world.gridbook.store, village, day, what, "", member, at)


def beijing(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), BEIJING)


def test_a_village_is_reported_nil_or_silent(world: World) -> None:
    assert states(world, today()) == {VILLAGE: "reported", VILLAGE_2: "silent", OTHER_VILLAGE: "silent"}
    answer = world.post("bai", PATH, json={"village": VILLAGE_2, "note": "村主任  电话报"})
    assert (answer.status_code, answer.json["state"]) == (201, "nil")
    assert answer.json["nil"]["by"]["name"] == "Bai" and answer.json["nil"]["note"] == "村主任 电话报"
    assert states(world, today()) == {VILLAGE: "reported", VILLAGE_2: "nil", OTHER_VILLAGE: "silent"}
    assert states(world, today() - timedelta(days=1))[VILLAGE_2] == "silent"


def test_it_is_kept_as_documents_that_say_who_and_none_is_changed(world: World, day: date) -> None:
    say(world, "bai", day)
    say(world, "dong", day, what="withdrawn")
    kept = list(world.gridbook.store.open("office").documents(f"nil:{day:%Y%m%d}:{VILLAGE_2}:"))
    assert [(doc["what"], doc["by"]["name"], doc["_rev"][:2]) for doc in kept] == [
        ("said", "Bai", "1-"),
        ("withdrawn", "Dong", "1-"),
    ]
    assert states(world, day)[VILLAGE_2] == "silent"
    assert say(world, "bai", day).json["state"] == "nil"


def test_records_outweigh_a_nil_report_also_when_they_come_after_it(world: World) -> None:
    refused = say(world, "cun", today(), VILLAGE)
    assert (refused.status_code, refused.json["code"]) == (409, "nil-reported")
    quiet = today() - timedelta(days=2)
    say(world, "cun", quiet, VILLAGE)
    world.push(sample("household_visit/pass/uneventful", device_id=world.device_id, day=quiet))
    world.follow()
    item = world.get("cun", f"/api/v1/todo/villages?day={quiet}").json["items"][0]
    assert (item["counts"]["visits"], item["state"], item["nil"]["by"]["name"]) == (1, "reported", "Cun")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"day": str(today() + timedelta(days=1))}, 422, "nil-future"),
        ({"what": "withdrawn"}, 409, "nil-not-said"),
        ({"village": TOWN}, 422, "invalid"),
        ({"village": "370304102999"}, 404, "unknown-area"),
        ({"village": OTHER_VILLAGE}, 403, "outside-area"),
        ({"note": "x" * 201}, 422, "invalid"),
        ({"what": "maybe"}, 422, "invalid"),
        ({"day": "yesterday"}, 422, "invalid"),
        ({"why": "not"}, 422, "invalid"),
    ],
)
def test_what_cannot_be_said_is_refused_in_words_and_leaves_nothing(
    world: World, day: date, body: dict[str, str], status: int, code: str
) -> None:
    office = world.gridbook.store.open("office")
    before = len(list(office.documents("nil:")))
    answer = world.post("bai", PATH, json={"village": VILLAGE_2, "day": str(day), **body})
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert len(list(office.documents("nil:"))) == before


def test_who_says_it_second_is_told_who_was_first(world: World, day: date) -> None:
    say(world, "bai", day)
    answer = say(world, "dong", day)
    assert (answer.status_code, answer.json["code"]) == (409, "nil-said")
    assert "Bai" in answer.json["detail"]


@pytest.mark.parametrize(("others", "code"), [(("said",), "nil-said"), (("said", "withdrawn"), "nil-moved")])
def test_of_two_at_once_one_is_told_what_the_other_did(
    world: World, day: date, monkeypatch: pytest.MonkeyPatch, others: tuple[str, ...], code: str
) -> None:
    for what in others:
        say(world, "bai", day, what=what)
    real, asked = nil_reports.steps, count()
    monkeypatch.setattr(nil_reports, "steps", lambda *given: real(*given) if next(asked) else [])
    assert say(world, "dong", day).json["code"] == code


def test_a_village_s_report_cannot_be_changed_for_ever(
    world: World, day: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nil_reports, "STEPS_MAX", 2)
    say(world, "bai", day)
    say(world, "bai", day, what="withdrawn")
    assert say(world, "bai", day).json["code"] == "nil-too-often"


def test_who_only_reads_may_not_say_it_and_a_cadre_only_of_the_own_village(world: World, day: date) -> None:
    assert say(world, "admin", day).status_code == 403
    assert say(world, "cun", day, VILLAGE_2).status_code == 403
    assert say(world, "cun", day, VILLAGE).status_code == 201
    assert world.post(None, PATH, json={"village": VILLAGE_2}).status_code == 401


def test_a_bulletin_counts_what_was_said_by_its_cut_off_and_lists_who_said_it(
    world: World, day: date
) -> None:
    add(world, VILLAGE_2, day, "said", beijing(day, 15))
    add(world, OTHER_VILLAGE, day, "said", beijing(day, 17))
    villages = freezing.preview(world.gridbook, day, beijing(day, 18))["villages"]
    assert (villages["reported"], villages["nil"]) == (0, 1)
    assert [(each["code"], each["by"]) for each in villages["nil_reports"]] == [(VILLAGE_2, "Dong")]
    assert [each["code"] for each in villages["silent"]] == [VILLAGE, OTHER_VILLAGE]
    text = world.get("dong", f"/api/v1/bulletins/preview/text?day={day}").text
    assert "已报0村，零报告1村，未报2村" in text
    assert b"%PDF" in world.get("dong", f"/api/v1/bulletins/preview/pdf?day={day}").data
    page = world.signed_in("dong").get(f"/bulletins/preview?day={day}").text
    assert "零报告村（社区）：1" in page


def test_what_was_taken_back_after_the_cut_off_was_there_at_it(world: World, day: date) -> None:
    add(world, VILLAGE_2, day, "said", beijing(day, 9))
    add(world, VILLAGE_2, day, "withdrawn", beijing(day, 17))
    assert freezing.preview(world.gridbook, day, beijing(day, 18))["villages"]["nil"] == 1
    assert states(world, day)[VILLAGE_2] == "silent"


def test_a_clerk_enters_it_on_the_page_and_takes_it_back(world: World, day: date) -> None:
    client = world.signed_in("bai")
    page = client.get(f"/villages?state=silent&day={day}").text
    token = re.search(r'name="csrf_token" value="([0-9a-f]+)"', page)
    assert token
    query = f"state=silent&day={day}"
    form = {"csrf_token": token[1], "village": VILLAGE_2, "day": str(day), "list": query}
    answer = client.post("/villages/nil-report", data={**form, "what": "said", "note": "<b>村主任</b>"})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/villages?{query}")
    page = client.get(f"/villages?day={day}").text
    assert "已登记零报告。" in page and "&lt;b&gt;村主任&lt;/b&gt;" in page
    client.post("/villages/nil-report", data={**form, "what": "said"})
    assert "Bai 已于" in client.get("/villages").text, "said twice is told, not shown as an error page"
    client.post("/villages/nil-report", data={**form, "what": "withdrawn"})
    assert "已撤回零报告。" in client.get("/villages").text
    assert client.post("/villages/nil-report", data={**form, "what": "maybe"}).status_code == 422
    assert client.post("/villages/nil-report", data={"village": VILLAGE_2}).status_code == 403


def test_a_reader_sees_the_states_and_no_form(world: World) -> None:
    page = world.signed_in("admin").get("/villages").text
    assert "未报" in page and "/villages/nil-report" not in page


def test_a_day_to_come_is_refused_by_the_archive_itself(world: World) -> None:
    with pytest.raises(NilRefused) as refused:
        add(world, DISTRICT, today() + timedelta(days=9), "said", beijing(today(), 12))
    assert refused.value.code == "nil-future"
