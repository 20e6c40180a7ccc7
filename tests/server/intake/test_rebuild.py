"""A rebuild is made beside the read model that is being read. Alice's phone is `phone-a`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
from sqlalchemy import select

from server.intake import asked_rebuild, rebuilding
from server.intake.follower import Follower, RebuildWaits, ask
from server.readmodel import queries
from server.readmodel.tables import records, register, units
from tests.server.intake.district import (
    ALPHA,
    DAY,
    DISTRICT,
    PERSON_KEY,
    District,
    correction,
    delivery,
    disinfection,
    on_both,
    visit,
    withdrawal,
)


def history() -> list[dict[str, Any]]:
    """Corrections of corrections, a withdrawal, a fault, and a household that was visited three times."""
    first = visit(1, residents=3)
    second = correction(first, visit(1, residents=4, at="10:00"))
    third = correction(second, visit(1, residents=5, at="11:00"))
    test = visit(2)
    again = [visit(3, "no_answer", at="08:00"), visit(3, at="12:00"), visit(3, residents=60, at="13:00")]
    return [first, second, third, test, withdrawal(test), *again, disinfection(), delivery()]


def visits(district: District) -> Any:
    return queries.figures(district.readmodel, DISTRICT, DAY)["A2"]["value"]


def contents(district: District) -> dict[str, list[Any]]:
    with district.readmodel.engine.connect() as connection:
        return {
            table.name: sorted(tuple(row) for row in connection.execute(select(table)))
            for table in (records, register, units)
        }


def store_state(district: District) -> dict[str, Any]:
    return {name: district.store.open(name).info()["update_seq"] for name in district.store.names()}


def stop_after(batches: int) -> Callable[..., None]:
    left = [batches]

    def stop(*_: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt

    return stop


@on_both
def test_a_rebuild_makes_the_same_tables_and_tells_nobody_anything(
    district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    district.send(*history())
    district.intake()
    before, documents = contents(district), store_state(district)
    version = queries.version(district.readmodel)
    # So small batches that a rebuild sees every chain and unit in part first.
    monkeypatch.setattr(rebuilding, "BATCH_CHANGES_MAX", 1)
    district.follower = district.new_follower(batch_changes_max=1)
    district.follower.rebuild()
    assert contents(district) == before
    assert store_state(district) == documents
    assert queries.version(district.readmodel) > version
    assert district.intake() == 0


@on_both
def test_who_reads_during_a_rebuild_reads_the_old_figures_and_what_arrives_meanwhile(
    district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    district.send(visit(1))
    district.intake()
    seen = []
    late = visit(2)

    def meanwhile(progress: rebuilding.Progress, count: int) -> None:
        add(progress, count)
        seen.append((visits(district), rebuilding.read_progress(district.readmodel)))
        district.send(late)

    add = rebuilding.Progress.add
    monkeypatch.setattr(rebuilding.Progress, "add", meanwhile)
    district.follower.rebuild()
    assert seen[0] == (1, {"handled": 0, "of": 1})
    assert seen[-1] == (2, {"handled": 2, "of": 2})
    assert rebuilding.read_progress(district.readmodel) is None
    assert visits(district) == 2
    assert district.verdict(late)["status"] == "accepted"
    assert district.intake() == 0


@on_both
def test_a_rebuild_that_is_broken_off_leaves_the_figures_and_the_next_one_begins_anew(
    district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    district.send(*history())
    district.intake()
    before = contents(district)
    with monkeypatch.context() as patch:
        patch.setattr(rebuilding, "BATCH_CHANGES_MAX", 1)
        patch.setattr(rebuilding.Progress, "add", stop_after(4))
        follower = district.new_follower(batch_changes_max=1)
        with pytest.raises(KeyboardInterrupt):
            follower.rebuild()
    assert contents(district) == before
    district.send(visit(4))
    district.intake()
    expected = contents(district)
    district.new_follower().rebuild()
    assert contents(district) == expected


def test_what_a_killed_rebuild_left_behind_is_thrown_away(
    district: District, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    district.send(visit(1))
    district.intake()
    for name in ("readmodel-dead.sqlite3", "readmodel-dead.sqlite3-wal"):
        (tmp_path / name).write_bytes(b"half a file")
    for _ in range(3):
        district.follower.rebuild()
    files = sorted(path.name for path in tmp_path.glob("readmodel*.sqlite3"))
    assert len(files) == 3, "the link, its file, and the one before, which somebody may still be reading"
    assert visits(district) == 1


@on_both
def test_a_summary_and_a_verdict_that_differ_are_told_at_the_end(district: District) -> None:
    docs = history()
    district.send(*docs)
    district.intake()
    alpha = district.register(ALPHA)
    household, verdict = alpha.get("household:H1"), alpha.get(f"verdict:{docs[0]['_id']}")
    shown = household.pop("summary")
    told = verdict.pop("superseded_by")
    alpha.bulk_docs([household, verdict], writer="server")
    district.follower.rebuild()
    assert alpha.get("household:H1")["summary"] == shown
    assert district.verdict(docs[0])["superseded_by"] == told


def test_an_out_of_date_read_model_is_made_anew_by_itself(district: District) -> None:
    district.send(visit(1))
    district.intake()
    other_follower(district).run_once()
    assert visits(district) == 1


class NoRoom:
    """In the place of something that a rebuild does."""

    tried = 0

    def __call__(self, *_: Any) -> NoReturn:
        self.tried += 1
        raise OSError("no space left")


def other_follower(district: District) -> Follower:
    """By another key than the tables were made by: they are out of date for it."""
    return Follower(district.store, district.readmodel, person_key=b"another secret of the same length")


def test_an_out_of_date_read_model_whose_rebuild_fails_goes_on_as_it_is_until_asked(
    district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    district.send(visit(1))
    district.intake()
    tell_all = NoRoom()
    with monkeypatch.context() as patch:
        patch.setattr(rebuilding, "tell_all", tell_all)
        late = visit(2)
        district.send(late)
        for _ in range(3):
            other_follower(district).run_once()
    assert (visits(district), tell_all.tried) == (2, 1)
    assert district.verdict(late)["status"] == "accepted"
    assert "OSError: no space left" in str(rebuilding.read_failure(district.readmodel))
    ask(district.readmodel, "rebuild")
    follower = other_follower(district)
    follower.run_once()
    assert rebuilding.read_failure(district.readmodel) is None
    assert visits(district) == 2


def test_the_rebuild_of_an_out_of_date_read_model_that_is_killed_each_time_is_given_up(
    district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    district.send(visit(1))
    district.intake()
    monkeypatch.setattr(rebuilding.Progress, "add", stop_after(0))
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            other_follower(district).run_once()
    district.send(visit(2))
    for _ in range(2):
        other_follower(district).run_once()
    assert visits(district) == 2
    assert "broken off too often" in str(rebuilding.read_failure(district.readmodel))


def test_tables_of_another_store_take_nothing_in_before_they_are_made_again(
    district: District, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    district.send(visit(1))
    district.intake()
    (tmp_path / "other").mkdir()
    other = District(tmp_path / "other")
    other.send(visit(1), visit(2))
    follower = Follower(other.store, district.readmodel, person_key=PERSON_KEY)
    with monkeypatch.context() as patch:
        patch.setattr(rebuilding, "tell_all", NoRoom())
        assert follower.run_once() == 0
        assert follower.recheck() == 0
    assert visits(district) == 1
    ask(district.readmodel, "rebuild")
    follower.run_once()
    assert visits(district) == 2
    other.close()


def test_a_rebuild_that_fails_is_not_begun_again_unasked_and_what_arrives_is_taken_in(
    district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    district.send(visit(1))
    district.intake()
    tell_all = NoRoom()
    with monkeypatch.context() as patch:
        patch.setattr(rebuilding, "tell_all", tell_all)
        ask(district.readmodel, "rebuild")
        district.send(visit(2))
        district.intake()
        district.new_follower().run_once()
    assert (visits(district), tell_all.tried) == (2, 1)
    assert "OSError: no space left" in str(rebuilding.read_failure(district.readmodel))
    assert rebuilding.read_progress(district.readmodel) is None
    ask(district.readmodel, "rebuild")
    district.intake()
    assert visits(district) == 2
    assert rebuilding.read_failure(district.readmodel) is None


def test_a_rebuild_that_is_killed_each_time_is_given_up(
    district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    district.send(visit(1))
    district.intake()
    monkeypatch.setattr(rebuilding.Progress, "add", stop_after(0))
    ask(district.readmodel, "rebuild")
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            district.new_follower().run_once()
    district.send(visit(2))
    district.new_follower().run_once()
    assert visits(district) == 2
    assert "broken off too often" in str(rebuilding.read_failure(district.readmodel))


def test_a_rebuild_that_is_called_off_leaves_the_figures_and_intake_goes_on(
    district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    district.send(*history())
    district.intake()
    before, seen = contents(district), []
    add = rebuilding.Progress.add

    def meanwhile(progress: rebuilding.Progress, count: int) -> None:
        add(progress, count)
        seen.append(asked_rebuild.told(district.readmodel).state)
        asked_rebuild.call_off(district.readmodel)
        asked_rebuild.call_off(district.readmodel)
        seen.append(asked_rebuild.told(district.readmodel).state)

    with monkeypatch.context() as patch:
        patch.setattr(rebuilding.Progress, "add", meanwhile)
        for _ in range(rebuilding.ATTEMPTS_MAX + 1):
            asked_rebuild.start(district.readmodel)
            district.intake()
    assert seen == ["running", "cancelling"] * (rebuilding.ATTEMPTS_MAX + 1)
    assert asked_rebuild.told(district.readmodel).state == "none"
    assert contents(district) == before
    district.send(visit(7))
    district.intake()
    assert contents(district) != before


def test_a_rebuild_that_is_called_off_before_it_began_is_not_begun(
    district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    district.send(visit(1))
    district.intake()
    asked_rebuild.start(district.readmodel)
    asked_rebuild.call_off(district.readmodel)
    monkeypatch.setattr(rebuilding, "count_records", lambda _: pytest.fail("it was begun"))
    district.intake()
    assert asked_rebuild.told(district.readmodel).state == "none"


def test_a_recheck_does_not_take_the_place_of_a_rebuild_that_waits(district: District) -> None:
    district.intake()
    ask(district.readmodel, rebuilding.RECHECK)
    asked_rebuild.start(district.readmodel)
    with pytest.raises(RebuildWaits):
        ask(district.readmodel, rebuilding.RECHECK)
    assert asked_rebuild.told(district.readmodel).state == "asked"
    asked_rebuild.call_off(district.readmodel)
    with pytest.raises(RebuildWaits):
        ask(district.readmodel, rebuilding.RECHECK)
    assert asked_rebuild.told(district.readmodel).state == "cancelling"
    district.intake()
    ask(district.readmodel, rebuilding.RECHECK)
    assert asked_rebuild.told(district.readmodel).state == "none"


def test_a_rebuild_that_nobody_asked_for_cannot_be_called_off(district: District) -> None:
    district.intake()
    with pytest.raises(asked_rebuild.NotAskedFor):
        asked_rebuild.call_off(district.readmodel)
    district.follower.rebuild()


def test_a_failure_is_told_until_the_next_rebuild_is_asked_for(
    district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    district.intake()
    asked_rebuild.start(district.readmodel)
    with pytest.raises(asked_rebuild.UnderWay):
        asked_rebuild.start(district.readmodel)

    with monkeypatch.context() as patch:
        patch.setattr(rebuilding, "count_records", NoRoom())
        district.intake()
    told = asked_rebuild.told(district.readmodel)
    assert told.state == "failed" and "no space left" in str(told.failure)
    asked_rebuild.start(district.readmodel)
    assert asked_rebuild.told(district.readmodel).failure is None
    district.intake()
    assert asked_rebuild.told(district.readmodel).state == "none"
