"""Other processes judge the next batch while one is written. Alice's phone is `phone-a`."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from server.intake import ahead, forking, inbox
from server.intake.ahead import Ahead
from server.readmodel.tables import cells, flags, mentioned, mentions, records, units
from tests.server.intake.district import (
    ALPHA,
    BETA,
    District,
    correction,
    delivery,
    disinfection,
    movement,
    naming,
    on_both,
    person,
    visit,
    withdrawal,
)
from tests.server.intake.district import DAY as DAY_OF_VISITS

TABLES = (records, units, cells, flags, mentions, mentioned)
OF_THE_MOMENT = ("decided_at", "received_at")


def history() -> list[dict[str, Any]]:
    """What phones send, and what they should not."""
    first = visit(1, residents=3)
    test = visit(2)
    return [
        first,
        correction(first, visit(1, residents=4, at="10:00")),
        test,
        withdrawal(test),
        naming(visit(3, fever="yes"), person(DAY_OF_VISITS, "赵六", "fever", fever="yes")),
        visit(None),
        visit(4, filler_id="nobody"),
        visit(5, residents=60),
        visit(99),
        visit(1, code=BETA),
        {**visit(2, at="12:00"), "form_version": "99"},
        {**visit(2, at="13:00"), "device_id": "phone-a2"},
        {**visit(2), "_id": "not a record", "type": "note"},
        disinfection(1),
        disinfection(1, ended="10:40"),
        delivery(1),
        delivery(1, phone="phone-a2"),
        movement(),
        *(visit(number, "no_answer", at=f"1{number}:30") for number in range(1, 6)),
    ]


def contents(district: District) -> dict[str, list[Any]]:
    with district.readmodel.engine.connect() as connection:
        return {
            table.name: sorted(
                repr([value for name, value in row._mapping.items() if name not in OF_THE_MOMENT])
                for row in connection.execute(select(table))
            )
            for table in TABLES
        }


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Callable[[list[dict[str, Any]]], dict[str, list[Any]]]]:
    """What intake by itself makes of documents, in a district of its own."""
    folder = tmp_path / "alone"
    folder.mkdir()
    district = District(folder)

    def take_in(docs: list[dict[str, Any]]) -> dict[str, list[Any]]:
        district.send(*docs)
        district.intake()
        return contents(district)

    yield take_in
    district.close()


@pytest.fixture
def helped(district: District, monkeypatch: pytest.MonkeyPatch) -> District:
    """A district whose intake lets two others judge every batch, however small."""
    monkeypatch.setattr(ahead, "RECORDS_MIN", 1)
    district.intake()
    district.follower = district.new_follower(judges=2, batch_changes_max=4)
    return district


@on_both
def test_what_others_judged_is_what_intake_would_have_judged(
    helped: District, alone: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    docs = history()
    taken = []
    make = inbox.make_ready
    monkeypatch.setattr(inbox, "make_ready", lambda *a: taken.append(a[2][1]) or make(*a))
    helped.send(*docs)
    helped.intake()
    assert len(taken) == 2, "what corrects a record is left to intake"
    assert contents(helped) == alone(docs)


def test_a_rebuild_with_helpers_makes_the_same_tables(helped: District, alone: Any) -> None:
    docs = history()
    helped.send(*docs)
    helped.intake()
    helped.follower.rebuild()
    assert contents(helped) == alone(docs)
    assert helped.intake() == 0


def test_a_judge_that_dies_is_done_without(
    helped: District, alone: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    docs = history()
    monkeypatch.setattr(ahead, "_made", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    helped.send(*docs)
    helped.intake()
    assert contents(helped) == alone(docs)


def test_a_judge_that_waits_for_ever_is_ended(
    helped: District, alone: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    docs = history()[:4]
    monkeypatch.setattr(forking, "LIFE_S", 1)
    monkeypatch.setattr(ahead, "_made", lambda *_: signal.pause())
    helped.send(*docs)
    helped.intake()
    assert contents(helped) == alone(docs)


def test_a_judge_without_what_it_needs_leaves_the_record_to_intake(
    helped: District, alone: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    docs = history()
    monkeypatch.setattr(ahead, "looked_up", lambda *_: ())
    monkeypatch.setattr(ahead, "_devices", lambda _: ())
    helped.send(*docs)
    helped.intake()
    assert contents(helped) == alone(docs)


def test_without_room_for_a_process_intake_judges_alone(
    helped: District, alone: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    docs = history()

    def full() -> int:
        raise BlockingIOError("no more processes")

    monkeypatch.setattr(ahead.os, "fork", full)
    helped.send(*docs)
    helped.intake()
    assert contents(helped) == alone(docs)


def test_what_staff_decided_meanwhile_counts(helped: District, monkeypatch: pytest.MonkeyPatch) -> None:
    """The verdict that stood when others judged is not the one that stands when their work is used."""
    doc = visit(1)
    begin = Ahead.begin

    def and_then_returned(self: Ahead, *arguments: Any) -> None:
        begin(self, *arguments)
        verdict = {
            "type": "verdict", "record_id": doc["_id"], "record_rev": "1-x", "status": "returned",
            "problems": [], "decided_at": "2020-02-22T00:00:00.000Z", "decided_by": "staff:ann",
        }  # fmt: skip
        helped.put(helped.register(ALPHA), {"_id": f"verdict:{doc['_id']}", **verdict})

    monkeypatch.setattr(Ahead, "begin", and_then_returned)
    helped.send(doc)
    helped.intake()
    with helped.readmodel.engine.connect() as connection:
        assert connection.execute(select(records.c.status)).scalar_one() == "returned"


def test_a_small_batch_is_judged_by_intake_itself(
    district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead.os, "fork", lambda: pytest.fail("a process for five records"))
    district.follower = district.new_follower(judges=2)
    district.send(*(visit(number) for number in range(1, 6)))
    district.intake()
    assert all(district.verdict(row)["status"] == "accepted" for row in record_ids(district))


def record_ids(district: District) -> list[str]:
    with district.readmodel.engine.connect() as connection:
        return list(connection.execute(select(records.c.record_id)).scalars())


def test_a_batch_that_fails_leaves_no_process_behind(
    helped: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise RuntimeError("the disk is gone")

    begun: list[tuple[int, int]] = []
    fork = ahead.fork
    monkeypatch.setattr(ahead, "fork", lambda work: begun.extend(made := fork(work)) or made)
    helped.send(*history())
    with monkeypatch.context() as broken:
        broken.setattr(inbox, "upsert", fails)
        with pytest.raises(RuntimeError):
            helped.intake()
    assert len(begun) == 4, "two for the batch that failed, two for the next one"
    for pid, _ in begun:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    helped.intake()
    assert len(record_ids(helped)) == len(history())
