"""Intake dies: between any two steps by a fault, anywhere by SIGKILL. After a new start everything is counted
once."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from server.intake import follower, handling, inbox, register_changes, verdicts
from server.intake.follower import Follower
from server.intake.lock import IntakeRunning
from server.readmodel import queries
from server.readmodel.model import write_meta
from sync.embedded.database import EmbeddedDatabase
from sync.store import InsufficientStorage
from tests.server.intake.district import (
    ALPHA,
    BETA,
    DAY,
    DISTRICT,
    PERSON_KEY,
    District,
    correction,
    delivery,
    disinfection,
    visit,
)
from tests.server.intake.following import following

STEPS: list[tuple[Any, str]] = [
    (register_changes, "one_register"),
    (handling, "take_in"),
    (inbox, "resolve_chains"),
    (handling, "recount"),
    (follower, "write_answers"),
    (verdicts, "tell"),
    (verdicts, "read"),
    (verdicts, "_write"),
    (verdicts, "amend"),
    (handling, "upsert"),
    (follower, "raise_version"),
]


class Fault(Exception):
    pass


def failing(function: Callable[..., Any], *, after: bool) -> Callable[..., Any]:
    """Fails once: before doing its work, or after it."""
    left = [True]

    def fails(*args: Any, **options: Any) -> Any:
        if not left:
            return function(*args, **options)
        left.clear()
        if after:
            function(*args, **options)
        raise Fault

    return fails


def history() -> list[dict[str, Any]]:
    first = visit(1, residents=3)
    return [
        first,
        visit(2, "refused"),
        visit(3, fever="yes"),
        visit(None),
        visit(1, residents=4, code=BETA),
        correction(first, visit(1, residents=5, at="11:00")),
        disinfection(1),
        delivery(1),
        delivery(1, phone="phone-a2"),
        visit(4, filler_id="nobody"),
    ]


def expect_counted(district: District) -> None:
    figures = queries.figures(district.readmodel, DISTRICT, DAY)
    names = ("A1", "A2_visits", "A2", "A9", "C1", "D2", "D5")
    assert {name: figures[name]["value"] for name in names} == {
        "A1": 11,
        "A2_visits": 5,
        "A2": 5,
        "A9": 15,
        "C1": 1,
        "D2": 1,
        "D5": 1,
    }
    assert district.register(ALPHA).get("household:H1")["summary"]["resident_count"] == 5


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(("module", "name"), STEPS, ids=[name for _, name in STEPS])
def test_a_fault_at_any_step_loses_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: Any, name: str, after: bool
) -> None:
    district = District(tmp_path)
    district.send(*history())
    monkeypatch.setattr(module, name, failing(getattr(module, name), after=after))
    with pytest.raises(Fault):
        district.intake()
    district.follower = district.new_follower()
    district.intake()
    expect_counted(district)
    district.close()


def test_a_verdict_that_a_full_disk_refuses_is_written_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    district = District(tmp_path)
    district.send(*history())
    with monkeypatch.context() as full:

        def refuse(*_: Any, **__: Any) -> None:
            raise InsufficientStorage("The disk is full.")

        full.setattr(EmbeddedDatabase, "bulk_docs", refuse)
        with pytest.raises(InsufficientStorage):
            district.intake()
    district.follower = district.new_follower()
    district.intake()
    expect_counted(district)
    assert district.register(ALPHA).all_docs(startkey="verdict:", endkey="verdict;")["rows"]
    district.close()


def test_a_follower_that_is_killed_again_and_again_counts_everything_once(tmp_path: Path) -> None:
    district = District(tmp_path)
    chance = random.Random(20200210)
    for doc in history():
        process = following(tmp_path)
        try:
            district.send(doc)
            district.store.wait(district.store.updates()[1], chance.random() / 5)
        finally:
            process.kill()
            process.join()
    district.intake()
    expect_counted(district)
    before = queries.figures(district.readmodel, DISTRICT, DAY)
    district.follower.rebuild()
    assert queries.figures(district.readmodel, DISTRICT, DAY) == before
    district.close()


def test_only_one_process_follows(tmp_path: Path) -> None:
    district = District(tmp_path)
    district.readmodel.create()
    process = following(tmp_path)
    try:
        district.send(visit(1))
        assert wait_for(lambda: queries.version(district.readmodel) > 0, district)
        with pytest.raises(IntakeRunning):
            Follower(district.store, district.readmodel, person_key=PERSON_KEY, data=tmp_path).run_once()
    finally:
        process.kill()
        process.join()
    Follower(district.store, district.readmodel, person_key=PERSON_KEY, data=tmp_path).run_once()
    district.close()


def wait_for(condition: Callable[[], bool], district: District) -> bool:
    for _ in range(200):
        if condition():
            return True
        district.store.wait(district.store.updates()[1], 0.1)
    return False


def test_tables_of_an_older_schema_are_made_anew_and_filled_again(tmp_path: Path) -> None:
    district = District(tmp_path)
    for doc in history():
        district.send(doc)
    district.intake()
    expect_counted(district)
    with district.readmodel.engine.begin() as connection:
        connection.execute(text("ALTER TABLE records ADD COLUMN seq BIGINT NOT NULL DEFAULT 1"))
        write_meta(connection, "schema", "1")
    district.new_follower().run_once()
    expect_counted(district)
    district.close()
