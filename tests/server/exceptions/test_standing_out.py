"""Who stands out is kept up with what comes, and is who would be found by looking at everybody."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server import clock
from server.app import Gridbook
from server.exceptions.declaration import Kind, kinds
from server.exceptions.finding import Asked, Found, find
from server.intake.lookups import Lookups
from server.readmodel.declaration import SHIPPED
from server.readmodel.standing_out import StandingOut, load_standing_out, villages_of
from tests.postgres import Postgres
from tests.searching import portions, searched
from tests.server.bulletins.test_freezing import gridbook_of
from tests.server.exceptions.slow_finding import slow_mentioned
from tests.server.intake.district import (
    ALPHA,
    BETA,
    DAY,
    DISTRICT,
    TOWN,
    District,
    correction,
    naming,
    person,
    visit,
    withdrawal,
)
from tests.server.intake.test_figures_property import a_district, histories

KINDS = [kind for kind in kinds(SHIPPED).values() if kind.source == "mentioned"]
FEVER = kinds(SHIPPED)["fever_not_referred"]


def found(shared: Gridbook, kind: Kind, area: str = DISTRICT) -> list[Found]:
    with shared.readmodel.engine.connect() as connection:
        settings = Lookups().settings(connection)
    return find(Asked(shared.readmodel, shared.people, settings, area, clock.stamp(clock.now())), kind)


def slowly(shared: Gridbook, kind: Kind, area: str) -> list[Found]:
    with shared.readmodel.engine.connect() as connection:
        return slow_mentioned(connection, kind, area)


def agree(shared: Gridbook) -> None:
    for kind in KINDS:
        for area in (DISTRICT, TOWN, ALPHA, BETA):
            assert found(shared, kind, area) == slowly(shared, kind, area)


def feverish(number: int = 1, *actions: str, **more: Any) -> dict[str, Any]:
    told = person(DAY, "钱七", "fever", observe_type="none", actions=["reported_village", *actions])
    return naming(visit(number, **more), told)


@given(histories(), st.data())
@searched(12)
def test_in_whichever_batches_a_history_comes_those_stand_out_whom_a_look_at_everybody_finds(
    docs: list[dict[str, Any]], data: st.DataObject
) -> None:
    with a_district() as district:
        shared = gridbook_of(district)
        for some in portions(data, docs):
            district.send(*some)
            district.intake()
            agree(shared)


def in_turn(district: District) -> None:
    """Said, told earlier, corrected, settled and withdrawn, and made again from the documents."""
    shared, late, early = gridbook_of(district), feverish(1, at="15:00"), feverish(1, at="09:00")
    sent = district.send, district.intake
    for doc, since in (
        (late, "07:00"),
        (early, "01:00"),
        (withdrawal(early), "07:00"),
        (correction(late, feverish(1, "sent_clinic", at="16:00")), None),
    ):
        sent[0](doc)
        sent[1]()
        moments = [each.since[11:16] for each in found(shared, FEVER)]
        assert moments == ([since] if since else [])
        agree(shared)
    sent[0](feverish(2, at="17:00", code=BETA))
    sent[1]()
    before = found(shared, FEVER), found(shared, FEVER, BETA), found(shared, FEVER, ALPHA)
    district.follower.rebuild()
    assert (found(shared, FEVER), found(shared, FEVER, BETA), found(shared, FEVER, ALPHA)) == before
    agree(shared)


def test_a_person_stands_out_by_the_first_record_that_says_so_until_another_settles_it() -> None:
    with a_district() as district:
        in_turn(district)


def test_who_stands_out_is_the_same_on_postgresql(postgres: Postgres) -> None:
    with a_district(postgres.new_database()) as district:
        in_turn(district)


def test_a_village_that_moves_to_another_town_takes_them_along() -> None:
    with a_district() as district:
        shared, office, other = gridbook_of(district), district.store.open("office"), "370304103"
        district.send(feverish())
        district.intake()
        area = {"_id": f"area:{other}", "type": "area", "code": other, "name": "白塔镇", "level": "town"}
        district.put(office, area)
        district.put(office, {**office.get(f"area:{ALPHA}"), "parent_code": other})
        district.intake()
        assert [len(found(shared, FEVER, town)) for town in (other, TOWN, DISTRICT)] == [1, 0, 1]


WANTED = StandingOut("key_area", "person", "returned", frozenset({"observed"}))


@pytest.mark.parametrize(
    ("located", "villages"),
    [
        ({}, []),
        ({ALPHA: {"returned": {DAY: 1}}}, [ALPHA]),
        ({BETA: {"returned": {DAY: 1}}, ALPHA: {"returned": {DAY: 1}}}, [ALPHA, BETA]),
        ({ALPHA: {"returned": {}}}, []),
        ({ALPHA: {"returned|420500": {DAY: 1}}}, []),
        ({ALPHA: {"returned": {DAY: 1}}, BETA: {"observed|home": {DAY: 1}}}, []),
        ({ALPHA: {"returned": {DAY: 1}, "observed": {}}}, [ALPHA]),
    ],
)
def test_somebody_stands_out_where_it_counts_unless_it_is_settled_anywhere(
    located: dict[str, dict[str, dict[str, int]]], villages: list[str]
) -> None:
    assert villages_of(WANTED, located) == villages


def test_only_exceptions_about_those_who_are_mentioned_are_kept_up_so() -> None:
    rows = [
        {"id": "key_area", "source": "mentioned", "unit": "person", "component": "returned"},
        {"id": "over_issue", "source": "flag", "rule": "V031"},
    ]
    assert load_standing_out(rows) == (StandingOut("key_area", "person", "returned", frozenset()),)
