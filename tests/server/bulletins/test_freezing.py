"""Freezing a bulletin: Dong works for the district, Bai for a town; the phones go on sending meanwhile."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server import clock
from server.app import Gridbook
from server.bulletins import archive, freezing, sealing
from server.bulletins.archive import Bulletin
from server.bulletins.content import changes
from server.bulletins.refusals import Refused
from server.database import open_engine
from server.intake import rebuilding
from server.intake.follower import Follower, ask
from server.jobs.queue import Queue
from server.people.people import People
from server.people.staff import Staff
from server.people.tables import devices
from server.readmodel.model import ReadModel, write_meta
from server.settings import Settings
from tests.postgres import Postgres
from tests.searching import searched
from tests.server.bulletins.times import DAY, beijing, received, send
from tests.server.intake.district import ALPHA, BETA, DISTRICT, TOWN, District, correction, delivery, visit
from tests.server.intake.test_figures_property import a_district

DONG = Staff("s-dong", "dong", "董主任", frozenset({"district_staff"}), DISTRICT, False)
BAI = Staff("s-bai", "bai", "白秘书", frozenset({"district_staff"}), DISTRICT, False)


def gridbook_of(district: District) -> Gridbook:
    people = People(open_engine(f"sqlite:///{district.folder / 'people.sqlite3'}"), "secret")
    people.create()
    given = Settings.from_environ({"GRIDBOOK_DATA": str(district.folder)})
    jobs = Queue(district.folder, timedelta(hours=given.job_keep_hours))
    return Gridbook(given, district.store, people, district.readmodel, jobs)


# A test that is decorated with it runs on the embedded store and on CouchDB's.
on_both_stores = pytest.mark.parametrize("district", ["embedded", "couchdb"], indirect=True)


@pytest.fixture
def shared(district: District) -> Gridbook:
    return gridbook_of(district)


AT_FIVE_PAST = beijing("16:05")
NEXT_MORNING = beijing("08:00", DAY + timedelta(days=1))
YESTERDAY = DAY - timedelta(days=1)


def refusal(call: Any, *args: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        call(*args)
    return caught.value


@on_both_stores
def test_one_click_freezes_numbers_and_signs_the_day(district: District, shared: Gridbook) -> None:
    send(district, beijing("10:00"), visit(1), visit(2, "refused"))
    send(district, beijing("16:02"), visit(3), visit(3, code=BETA), delivery(1, code=BETA))
    bulletin = freezing.freeze(shared, DAY, DONG, AT_FIVE_PAST, 0)
    content = archive.content(district.store, bulletin.number)
    assert bulletin.number == "2020-001"
    assert content["frozen_by"] == {"staff_id": "s-dong", "name": "董主任"}
    assert content["figures"][DISTRICT]["A2_visits"]["value"] == 2
    assert content["figures"][ALPHA]["A3"]["value"] == 1
    assert [each["code"] for each in content["villages"]["silent"]] == [BETA]
    key = sealing.key(shared.settings.data)
    assert archive.damage(district.store, archive.one(district.store, bulletin.number), key) is None


def test_a_bulletin_out_of_postgresql_is_the_same(
    district: District, shared: Gridbook, postgres: Postgres, tmp_path: Path
) -> None:
    with shared.people.engine.begin() as connection:
        row = {"device_id": "p1", "label": "", "villages": [ALPHA], "filler_ids": [], "token_hash": "1"}
        connection.execute(devices.insert().values(**row, enrolled_at="2020-02-01T00:00:00.000Z"))
    send(district, beijing("10:00"), visit(1), visit(2, "refused"))
    send(district, beijing("16:02"), visit(3), delivery(1, code=BETA))
    other = Gridbook(
        shared.settings,
        shared.store,
        shared.people,
        ReadModel(open_engine(postgres.new_database())),
        shared.jobs,
    )
    district.new_follower(other.readmodel).run_once()
    assert freezing.preview(other, DAY, AT_FIVE_PAST) == freezing.preview(shared, DAY, AT_FIVE_PAST)
    other.readmodel.engine.dispose()


def test_a_preview_may_leave_out_what_villages_have_besides(district: District, shared: Gridbook) -> None:
    send(district, beijing("10:00"), visit(1), visit(2, "refused"), visit(3, code=BETA))
    whole, some = (
        freezing.preview(shared, DAY, AT_FIVE_PAST, names) for names in (None, ["A4", "A2", "no such"])
    )
    assert {name: each for name, each in whole.items() if name != "figures"} == {
        name: each for name, each in some.items() if name != "figures"
    }
    for code, figures in whole["figures"].items():
        wanted = ("A4", "A2") if code in (ALPHA, BETA) else figures
        assert some["figures"][code] == {name: figures[name] for name in wanted}


def test_before_the_cut_off_there_is_a_preview_and_no_bulletin(district: District, shared: Gridbook) -> None:
    district.intake()
    for early in (beijing("11:00"), beijing("16:00"), beijing("16:00:04.999")):
        assert refusal(freezing.freeze, shared, DAY, DONG, early, 0).code == "bulletin-too-early"
    assert freezing.preview(shared, DAY, beijing("11:00"))["as_of"] == "2020-02-10T03:00:00.000Z"
    assert freezing.preview(shared, DAY, beijing("18:00"))["as_of"] == "2020-02-10T08:00:00.000Z"
    assert archive.every(district.store) == []
    assert freezing.freeze(shared, DAY, DONG, beijing("16:00:05"), 0).as_of == "2020-02-10T08:00:00.000Z"


def test_the_second_clerk_is_told_the_number_of_the_first(district: District, shared: Gridbook) -> None:
    district.intake()
    first = freezing.freeze(shared, DAY, DONG, AT_FIVE_PAST, 0)
    district.intake()
    told = refusal(freezing.freeze, shared, DAY, BAI, AT_FIVE_PAST, 0)
    assert told.code == "bulletin-exists"
    assert (told.fields["number"], told.fields["name"]) == (first.number, "董主任")


@on_both_stores
def test_of_many_clerks_who_freeze_at_once_one_wins(district: District, shared: Gridbook) -> None:
    district.intake()
    days = [DAY, YESTERDAY, YESTERDAY - timedelta(days=1)]
    outcomes: list[Bulletin | Refused] = []

    def click(on: date) -> None:
        try:
            outcomes.append(freezing.freeze(shared, on, DONG, AT_FIVE_PAST, 0))
        except Refused as refused:
            outcomes.append(refused)

    threads = [threading.Thread(target=click, args=(on,)) for on in days * 3]
    with received(AT_FIVE_PAST):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    frozen = archive.every(district.store)
    assert [each.count for each in frozen] == [1, 2, 3]
    assert {each.day for each in frozen} == {each.isoformat() for each in days}
    assert sum(isinstance(each, Bulletin) for each in outcomes) == 3
    assert {each.code for each in outcomes if isinstance(each, Refused)} == {"bulletin-exists"}
    assert archive.breaks(district.store, frozen) == []


@on_both_stores
def test_nothing_is_frozen_while_intake_is_behind(district: District, shared: Gridbook) -> None:
    district.intake()
    with received(beijing("15:00")):
        district.send(visit(1))
    assert refusal(freezing.freeze, shared, DAY, DONG, AT_FIVE_PAST, 0).code == "bulletin-behind"
    assert archive.every(district.store) == []
    district.intake()
    assert freezing.freeze(shared, DAY, DONG, AT_FIVE_PAST, 0).count == 1


def test_a_cut_off_during_a_rebuild_is_frozen_from_the_figures_that_are_kept_up(
    district: District, shared: Gridbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(district, beijing("15:00"), visit(1))
    with received(beijing("15:30")):
        district.send(visit(2))
    refused: list[str] = []

    def clerk_clicks(follower: Follower, progress: rebuilding.Progress, records: int) -> None:
        if not archive.every(district.store):
            refused.append(refusal(freezing.freeze, shared, DAY, DONG, AT_FIVE_PAST, 0).code)
            between(follower, progress, records)  # what waits is taken in
            freezing.freeze(shared, DAY, DONG, AT_FIVE_PAST, 0)

    between = Follower._between
    monkeypatch.setattr(Follower, "_between", clerk_clicks)
    ask(shared.readmodel, "rebuild")
    district.intake()
    [frozen] = archive.every(district.store)
    assert refused == ["bulletin-behind"]
    figures = archive.content(district.store, frozen.number)["figures"]
    assert figures[DISTRICT]["A3"]["value"] == 2
    assert freezing.late_changes(shared, archive.content(district.store, frozen.number)) == {}
    again = freezing.preview(shared, DAY, AT_FIVE_PAST)
    assert again["figures"] == figures


def test_figures_of_another_declaration_are_not_frozen_and_it_is_told_until_when(
    district: District, shared: Gridbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(district, beijing("15:00"), visit(1))
    with shared.readmodel.engine.begin() as connection:
        write_meta(connection, "declaration", "an older one")
    refused = refusal(freezing.freeze, shared, DAY, DONG, AT_FIVE_PAST, 0)
    assert (refused.code, refused.fields["until"]["en"]) == ("bulletin-rebuilding", "it has just begun")
    began = beijing("16:00")
    rebuilding.Progress(shared.readmodel, of=1000, handled=0, began_at=clock.stamp(began)).add(250)
    monkeypatch.setattr(clock, "now", lambda: AT_FIVE_PAST)
    refused = refusal(freezing.freeze, shared, DAY, DONG, AT_FIVE_PAST, 0)
    assert "16:20" in refused.fields["until"]["zh"] and "16:20" in refused.fields["until"]["en"]
    assert archive.every(district.store) == []


@on_both_stores
def test_what_waits_but_came_after_the_cut_off_does_not_hold_the_bulletin_up(
    district: District, shared: Gridbook
) -> None:
    send(district, beijing("15:00"), visit(1))
    with received(beijing("16:01")):
        district.send(visit(2))
    number = freezing.freeze(shared, DAY, DONG, AT_FIVE_PAST, 0).number
    assert archive.content(district.store, number)["figures"][DISTRICT]["A3"]["value"] == 1


def test_a_read_model_that_was_deleted_is_no_ground_to_freeze_on(
    district: District, shared: Gridbook
) -> None:
    send(district, beijing("15:00"), visit(1))
    district.readmodel.drop()
    district.readmodel.create()
    assert refusal(freezing.freeze, shared, DAY, DONG, AT_FIVE_PAST, 0).code == "bulletin-rebuilding"


@on_both_stores
def test_what_syncs_after_the_cut_off_is_told_as_late_and_in_the_next_bulletin(
    district: District, shared: Gridbook
) -> None:
    send(district, beijing("10:00", YESTERDAY), visit(1, day=YESTERDAY.isoformat()))
    first = freezing.freeze(shared, YESTERDAY, DONG, beijing("16:05", YESTERDAY), 0)
    before = archive.body(district.store, first.number)
    late = [visit(2, day=YESTERDAY.isoformat()), visit(3, day=YESTERDAY.isoformat())]
    send(district, beijing("18:10", YESTERDAY), *late)
    found = freezing.late_changes(shared, archive.content(district.store, first.number))
    assert found[DISTRICT]["A3"] == found[TOWN]["A3"] == 2
    assert archive.body(district.store, first.number) == before
    send(district, beijing("17:00"), visit(4, day=YESTERDAY.isoformat()))
    second = freezing.freeze(shared, DAY, BAI, NEXT_MORNING, 0)
    content = archive.content(district.store, second.number)
    assert [(each["number"], each["changes"]["A3"]) for each in content["late"]] == [(first.number, 2)]
    assert content["late"][0]["changes"] == found[DISTRICT]


@on_both_stores
def test_a_correction_is_a_new_number_that_names_the_one_it_replaces(
    district: District, shared: Gridbook
) -> None:
    wrong = visit(1, residents=99)
    send(district, beijing("10:00"), wrong)
    first = freezing.freeze(shared, DAY, DONG, AT_FIVE_PAST, 0)
    assert archive.content(district.store, first.number)["waiting"]["quarantined"] == 1
    send(district, beijing("16:30"), correction(wrong, visit(1, residents=4)))
    now = beijing("17:00")
    assert refusal(freezing.correct, shared, first.number, "  ", DONG, now, 0).code == "bulletin-reason"
    second = freezing.correct(shared, first.number, "补录一户", DONG, now, 0)
    old, new = archive.every(district.store)
    assert (old.replaced_by, new.replaces, new.reason) == (second.number, first.number, "补录一户")
    assert (old.as_of, new.as_of) == ("2020-02-10T08:00:00.000Z", "2020-02-10T08:59:55.000Z")
    for number, residents, waiting in ((first.number, 0, 1), (second.number, 4, 0)):
        content = archive.content(district.store, number)
        assert content["figures"][DISTRICT]["A9"]["value"] == residents
        assert content["waiting"]["quarantined"] == waiting
    told = refusal(freezing.correct, shared, first.number, "再更正一次", BAI, now, 0)
    assert (told.code, told.fields["by"]) == ("bulletin-replaced", second.number)


@on_both_stores
def test_whoever_changes_a_frozen_figure_is_found_out(district: District, shared: Gridbook) -> None:
    district.intake()
    number = freezing.freeze(shared, DAY, DONG, AT_FIVE_PAST, 0).number
    key, office, name = sealing.key(shared.settings.data), district.store.open("office"), f"bulletin:{number}"

    def damage() -> str | None:
        return archive.damage(district.store, archive.one(district.store, number), key)

    doc = office.get(name)
    office.put({**doc, "frozen_at": "2020-01-01T00:00:00.000Z"}, writer="mallory")
    assert damage() == "head"
    forged = sealing.canonical({**archive.content(district.store, number), "day": "2020-01-01"})
    rev = office.get(name)["_rev"]
    office.put_attachment(name, "content.json", forged, "application/json", rev=rev, writer="mallory")
    assert damage() == "content"
    doc = {**office.get(name), "digest": sealing.digest(forged), "day": "2020-01-01"}
    office.put({**doc, "frozen_at": "2020-02-10T08:05:00.000Z"}, writer="mallory")
    assert damage() == "signature"
    doc = {name: value for name, value in office.get(name).items() if name != "_attachments"}
    office.put(doc, writer="mallory")
    assert damage() == "missing"


@on_both_stores
def test_a_bulletin_that_was_deleted_leaves_a_gap_that_is_named(district: District, shared: Gridbook) -> None:
    district.intake()
    for back in (3, 2, 1):
        freezing.freeze(shared, DAY - timedelta(days=back), DONG, AT_FIVE_PAST, 0)
        district.intake()
    office = district.store.open("office")
    doc = office.get("bulletin:2020-002")
    office.put({"_id": doc["_id"], "_rev": doc["_rev"], "_deleted": True}, writer="mallory")
    assert archive.breaks(district.store, archive.every(district.store)) == ["2020-003"]


def test_a_phone_is_silent_when_it_sent_nothing_on_the_day_before_the_cut_off(
    district: District, shared: Gridbook
) -> None:
    with shared.people.engine.begin() as connection:
        for number in (1, 2, 3):
            row = {"device_id": f"p{number}", "label": f"手机{number}", "villages": [ALPHA], "filler_ids": []}
            row |= {"token_hash": str(number), "enrolled_at": "2020-02-01T00:00:00.000Z"}
            connection.execute(devices.insert().values(**row))
        heard = devices.update().where(devices.c.device_id == "p2")
        connection.execute(heard.values(last_contact_at="2020-02-10T07:59:00.000Z"))
    with received(beijing("09:00")):
        district.send(visit(1, phone="phone-a"), phone="p1")
    with received(beijing("16:01")):
        district.send(visit(2, phone="phone-a"), phone="p3")
    district.intake()
    number = freezing.freeze(shared, DAY, DONG, AT_FIVE_PAST, 0).number
    found = archive.content(district.store, number)["devices"]
    assert (found["active"], [each["label"] for each in found["silent"]]) == (3, ["手机3"])


def test_an_abolished_village_stays_in_the_table_while_its_figures_are_in_the_totals(
    district: District, shared: Gridbook
) -> None:
    send(district, beijing("10:00", YESTERDAY), visit(1, code=BETA, day=YESTERDAY.isoformat()))
    office = district.store.open("office")
    office.put({**office.get(f"area:{BETA}"), "valid_to": YESTERDAY.isoformat()}, writer="server")
    district.intake()
    number = freezing.freeze(shared, DAY, DONG, AT_FIVE_PAST, 0).number
    content = archive.content(district.store, number)
    assert BETA in content["figures"]
    assert [each["code"] for each in content["villages"]["silent"]] == [ALPHA]


def test_the_key_is_private_and_made_once(tmp_path: Path) -> None:
    assert sealing.key(tmp_path) == sealing.key(tmp_path)
    assert (tmp_path / "bulletin.key").stat().st_mode & 0o777 == 0o600


def test_the_same_content_has_one_spelling() -> None:
    assert sealing.canonical({"b": 1, "a": [1.5, None]}) == b'{"a":[1.5,null],"b":1}'
    assert sealing.canonical({"a": [1.5, None], "b": 1}) == b'{"a":[1.5,null],"b":1}'


def test_a_cut_off_that_is_no_time_of_day_is_told(district: District, shared: Gridbook) -> None:
    catalogue = district.store.open("catalogue")
    catalogue.put({**catalogue.get("settings:district"), "report_cutoff": "4 pm"}, writer="server")
    district.intake()
    told = refusal(freezing.freeze, shared, date(2020, 2, 10), DONG)
    assert (told.code, told.fields["given"]) == ("bulletin-cutoff", "4 pm")


def test_a_change_of_a_share_is_told_in_points() -> None:
    frozen = {"A4": {"value": 50.0}, "A3": {"value": 10}, "D3": {"value": None}}
    assert changes(frozen, {"A4": {"value": 62.5}, "A3": {"value": 10}, "D3": {"value": 25.0}}) == {
        "A4": 12.5,
        "D3": 25,
    }


ONE = st.tuples(
    st.sampled_from([1, 2, 3, None]),
    st.sampled_from(["met", "no_answer", "refused", "vacant"]),
    st.sampled_from([ALPHA, BETA]),
    st.booleans(),
)


@given(st.lists(ONE, max_size=6), st.lists(ONE, max_size=6))
@searched(5)
def test_towns_sum_to_the_district_and_frozen_content_never_changes(
    early: list[tuple[Any, ...]], late: list[tuple[Any, ...]]
) -> None:
    def made(rows: list[tuple[Any, ...]]) -> list[dict[str, Any]]:
        return [
            delivery(1, code=code) if given else visit(number, result, code=code)
            for number, result, code, given in rows
        ]

    with a_district() as district:
        shared = gridbook_of(district)
        send(district, beijing("15:00"), *made(early))
        number = freezing.freeze(shared, DAY, DONG, AT_FIVE_PAST, 0).number
        body, content = archive.body(district.store, number), archive.content(district.store, number)
        for each, words in content["figures"][DISTRICT].items():
            for name in {"numerator", "denominator"} & set(words) or {"value"}:
                if words[name] is None:
                    continue  # only the parts are given
                town, alpha, beta = (content["figures"][code][each][name] for code in (TOWN, ALPHA, BETA))
                assert town == words[name] == pytest.approx(alpha + beta)
        send(district, beijing("18:00"), *made(late))
        assert archive.body(district.store, number) == body
        again = freezing.preview(shared, DAY, beijing("19:00"))
        assert {name: again[name] for name in ("figures", "waiting")} == {
            name: content[name] for name in ("figures", "waiting")
        }
        key = sealing.key(shared.settings.data)
        assert archive.damage(district.store, archive.one(district.store, number), key) is None
