"""A preview that is put together of kept figures reads as if none were kept."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.app import Gridbook
from server.bulletins import freezing
from server.database import open_engine
from server.readmodel import kept_areas
from server.readmodel.kept_areas import QUESTIONS_MAX, AreaAnswers
from server.readmodel.model import ReadModel
from server.readmodel.snapshots import snapshot
from tests.postgres import Postgres
from tests.searching import portions, searched
from tests.server.bulletins.test_freezing import gridbook_of
from tests.server.bulletins.times import DAY, beijing, send
from tests.server.intake.district import ALPHA, BETA, TOWN, District, visit
from tests.server.intake.test_figures_property import a_district, histories

SOME = ("A2", "A4", "C1")
EVENING = beijing("15:59")


@pytest.fixture
def shared(district: District) -> Gridbook:
    district.intake()
    return gridbook_of(district)


def previews(shared: Gridbook) -> list[dict[str, Any]]:
    return [freezing.preview(shared, DAY, EVENING, of_villages) for of_villages in (None, SOME)]


def anew(shared: Gridbook) -> list[dict[str, Any]]:
    kept_areas._told.clear()
    return previews(shared)


@given(histories(), st.data())
@searched(12)
def test_whatever_comes_in_whichever_batches_a_kept_preview_is_that_of_a_fresh_process(
    docs: list[dict[str, Any]], data: st.DataObject
) -> None:
    with a_district() as district:
        shared = gridbook_of(district)
        for some in portions(data, docs):
            late = data.draw(st.booleans())
            send(district, beijing("17:00" if late else "10:00"), *some)
            assert previews(shared) == anew(shared)
            previews(shared)


def test_only_the_areas_that_a_record_counts_in_are_worked_out_again(
    district: District, shared: Gridbook
) -> None:
    asked: list[Collection[str]] = []

    def make(codes: Collection[str]) -> dict[str, int]:
        asked.append(codes)
        return dict.fromkeys(codes, len(asked))

    def told() -> dict[str, int]:
        with snapshot(shared.readmodel.engine) as connection:
            return AreaAnswers(shared.readmodel, connection).get("question", (TOWN, ALPHA, BETA), make)

    send(district, beijing("10:00"), visit(1), visit(1, code=BETA))
    assert told() == told() == {TOWN: 1, ALPHA: 1, BETA: 1}
    send(district, beijing("11:00"), visit(2))
    assert told() == told() == {TOWN: 2, ALPHA: 2, BETA: 1}
    assert asked == [[TOWN, ALPHA, BETA], [TOWN, ALPHA]]


def test_a_village_that_moves_to_another_town_takes_what_is_kept_along(
    district: District, shared: Gridbook
) -> None:
    send(district, beijing("10:00"), visit(1), visit(2, code=BETA))
    previews(shared)
    office, other = district.store.open("office"), "370304103"
    district.put(
        office, {"_id": f"area:{other}", "type": "area", "code": other, "name": "白塔镇", "level": "town"}
    )
    district.put(office, {**office.get(f"area:{ALPHA}"), "parent_code": other})
    district.intake()
    assert [each["figures"][other]["A2"]["value"] for each in previews(shared)] == [1, 1]
    assert previews(shared) == anew(shared)


def turned_over(district: District, shared: Gridbook) -> None:
    """Again and again: the marks of one making must not pass for another's."""
    for number in (2, 3):
        previews(shared)
        send(district, beijing("11:00"), visit(number))
        assert previews(shared) == anew(shared)
        district.follower.rebuild()
        assert previews(shared) == anew(shared)


def test_nothing_is_kept_beyond_a_rebuild(district: District, shared: Gridbook) -> None:
    send(district, beijing("10:00"), visit(1))
    turned_over(district, shared)


def test_nothing_is_kept_beyond_a_rebuild_on_postgresql(postgres: Postgres) -> None:
    with a_district(postgres.new_database()) as district:
        shared = gridbook_of(district)
        send(district, beijing("10:00"), visit(1))
        turned_over(district, shared)


def test_two_read_models_share_nothing(district: District, shared: Gridbook, tmp_path: Path) -> None:
    other = ReadModel(open_engine(f"sqlite:///{tmp_path / 'other.sqlite3'}"))
    other.create()
    for rm, value in ((shared.readmodel, 1), (other, 2)):
        with snapshot(rm.engine) as connection:
            answers = AreaAnswers(rm, connection)
            assert answers.get("question", [ALPHA], lambda codes, v=value: dict.fromkeys(codes, v)) == {
                ALPHA: value
            }


def test_the_questions_that_are_kept_are_bounded_and_the_oldest_goes(shared: Gridbook) -> None:
    with snapshot(shared.readmodel.engine) as connection:
        answers = AreaAnswers(shared.readmodel, connection)
        for number in range(3 * QUESTIONS_MAX):
            for question in (number, "often"):
                answers.get(question, [ALPHA], lambda codes: dict.fromkeys(codes, 0))
    assert len(kept_areas._told[shared.readmodel]) == QUESTIONS_MAX
    assert "often" in kept_areas._told[shared.readmodel]
