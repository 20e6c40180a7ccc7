"""A rebuild makes every table as it was, whatever came in whichever order: corrections, withdrawals, voids,
copies in a neighbour's inbox, second revisions, originals after their corrections, entries that moved."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Table, select

from server.intake import ahead, bulk, forking, rebuilding, tools
from server.intake.lookups import Lookups
from server.readmodel.tables import checkpoints, counters, meta, metadata, records
from tests.postgres import Postgres
from tests.searching import searched
from tests.server.intake.district import (
    ALPHA,
    BETA,
    District,
    correction,
    delivery,
    disinfection,
    household,
    naming,
    on_both,
    person,
    visit,
    withdrawal,
)
from tests.server.intake.district import DAY as DAY_OF_VISITS
from tests.server.intake.test_figures_property import (
    _decide,
    a_district,
    histories,
    publish,
)

TABLES = [table for table in metadata.sorted_tables if table not in (checkpoints, counters, meta)]


def contents(district: District) -> dict[str, list[str]]:
    with district.readmodel.engine.connect() as connection:
        return {table.name: _rows(connection, table) for table in TABLES}


def _rows(connection: Any, table: Table) -> list[str]:
    """A cell of which nothing is left is as good as none."""
    rows = [row._mapping for row in connection.execute(select(table))]
    return sorted(repr(dict(row)) for row in rows if row.get("value") != 0)


def documents(district: District) -> dict[str, Any]:
    return {name: district.store.open(name).info()["update_seq"] for name in district.store.names()}


def second_revision(doc: dict[str, Any]) -> dict[str, Any]:
    return {**doc, "_rev": "1-" + "f" * 32, "remark": "another"}


def everything() -> list[dict[str, Any]]:
    first, test, lost = visit(1, residents=3), visit(2), visit(4)
    return [
        correction(first, visit(1, residents=4, at="10:00")),
        first,
        test,
        withdrawal(test),
        correction(lost, visit(4, at="10:00")),
        visit(None),
        withdrawal(visit(None)),
        naming(visit(3, fever="yes"), person(DAY_OF_VISITS, "赵六", "fever", fever="yes")),
        naming(visit(1, code=BETA), person(DAY_OF_VISITS, "赵六", "fever", fever="yes")),
        visit(5, residents=60),
        {**visit(2, at="12:00"), "form_version": "99"},
        {**visit(2), "_id": "not a record", "type": "note"},
        disinfection(1),
        delivery(1),
        delivery(1, phone="phone-a2"),
        *(visit(number, "no_answer", at=f"1{number}:30") for number in range(1, 6)),
    ]


def fill(district: District) -> dict[str, list[str]]:
    """Everything, one by one; and what the tables are then."""
    docs = everything()
    for doc in docs:
        district.send(doc)
        district.intake()
    district.send(second_revision(docs[1]), docs[2])
    district.send(docs[5], village=BETA, phone="phone-ab")
    alpha = district.register(ALPHA)
    gone = alpha.get("point:P2")
    alpha.put({"_id": gone["_id"], "_rev": gone["_rev"], "_deleted": True}, writer="server")
    district.put(district.register(BETA), household(BETA, 5))
    district.intake()
    return contents(district)


@pytest.fixture
def helped(district: District, monkeypatch: pytest.MonkeyPatch) -> District:
    """A district whose rebuild has two helpers for every few changes."""
    monkeypatch.setattr(rebuilding, "BATCH_CHANGES_MAX", 4)
    monkeypatch.setattr(bulk, "UNITS_AT_ONCE", 5)
    return district


@on_both
def test_a_rebuild_with_helpers_makes_every_table_as_it_was(helped: District) -> None:
    before, written = fill(helped), documents(helped)
    helped.new_follower(judges=2).rebuild()
    assert contents(helped) == before
    assert documents(helped) == written
    assert helped.intake() == 0


def test_helpers_that_die_are_done_without(helped: District, monkeypatch: pytest.MonkeyPatch) -> None:
    before, parent, fork = fill(helped), os.getpid(), forking.fork

    def dies(work: Any) -> Any:
        return fork(lambda: os.kill(os.getpid(), signal.SIGKILL) if os.getpid() != parent else work())

    monkeypatch.setattr(forking, "fork", dies)
    helped.new_follower(judges=2).rebuild()
    assert contents(helped) == before


def test_a_helper_that_dies_when_it_has_written_everything_leaves_no_verdict_untold(
    helped: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    docs = everything()
    helped.send(*docs)
    parent, write = os.getpid(), bulk.Bulk._write

    def dies_then(self: bulk.Bulk, *arguments: Any) -> Any:
        written = write(self, *arguments)
        if os.getpid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
        return written

    monkeypatch.setattr(bulk.Bulk, "_write", dies_then)
    helped.new_follower(judges=2).rebuild()
    assert {helped.verdict(doc)["record_id"] for doc in docs if doc["village_code"] == ALPHA} == {
        doc["_id"] for doc in docs if doc["village_code"] == ALPHA
    }


def test_what_a_helper_has_not_at_hand_is_judged_by_intake_itself(
    helped: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = fill(helped)
    monkeypatch.setattr(ahead, "looked_up", lambda *_: ())
    monkeypatch.setattr(ahead, "_devices", lambda _: ())
    helped.new_follower(judges=2).rebuild()
    assert contents(helped) == before


def test_a_rebuild_that_is_broken_off_leaves_no_helper_behind(
    helped: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, begun, fork = fill(helped), [], forking.fork
    monkeypatch.setattr(forking, "fork", lambda work: begun.extend(made := fork(work)) or made)

    def stops(*_: Any) -> None:
        if len(begun) > 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(rebuilding.Progress, "add", stops)
    with pytest.raises(KeyboardInterrupt):
        helped.new_follower(judges=2).rebuild()
    for pid, _ in begun:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert contents(helped) == before


def test_a_verdict_that_stands_is_not_judged_again(
    district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = fill(district)
    judged: list[str] = []
    judge = tools.judge
    monkeypatch.setattr(
        tools, "judge", lambda bench, arrived: judged.append(arrived.doc["_id"]) or judge(bench, arrived)
    )
    district.new_follower().rebuild()
    assert contents(district) == before
    with district.readmodel.engine.connect() as connection:
        uncountable = connection.execute(select(records.c.record_id).where(records.c.unit_key.is_(None)))
        assert sorted(judged) == sorted(uncountable.scalars()) != []


def test_a_verdict_that_stands_does_not_hide_what_the_server_calculates(district: District) -> None:
    before = fill(district)
    lookups = Lookups()
    with district.readmodel.engine.connect() as connection:
        form = lookups.form(connection, "household_visit", "1")
    assert form is not None and form.compiled.calculated, "the form calculates something"
    district.new_follower().rebuild()
    assert contents(district)["records"] == before["records"]


def tables_agree(docs: list[dict[str, Any]], data: st.DataObject, url: str | None = None) -> None:
    with a_district(url) as district, pytest.MonkeyPatch.context() as patch:
        # First: what an answer takes from a register's entry it takes from the entry of that moment.
        publish(district)
        voided: set[str] = set()
        repeats = data.draw(st.lists(st.sampled_from(docs), max_size=4))
        for doc in [*data.draw(st.permutations(docs)), *repeats]:
            again = data.draw(st.sampled_from([False, False, False, True]))
            district.send(second_revision(doc) if again else doc)
            if data.draw(st.sampled_from([False, False, False, True])):
                district.send(doc, village=data.draw(st.sampled_from([ALPHA, BETA])))
            if data.draw(st.sampled_from([False, False, True])):
                _decide(district, data.draw(st.sampled_from(docs))["_id"], voided)
            if data.draw(st.sampled_from([False, False, True])):
                district.intake()
        district.intake()
        before, written = contents(district), documents(district)
        patch.setattr(rebuilding, "BATCH_CHANGES_MAX", data.draw(st.integers(1, 9)))
        patch.setattr(bulk, "UNITS_AT_ONCE", data.draw(st.integers(1, 9)))
        district.new_follower(judges=data.draw(st.sampled_from([0, 0, 2]))).rebuild()
        assert contents(district) == before
        assert documents(district) == written


@searched(10)
@given(docs=histories(), data=st.data())
def test_a_rebuild_makes_every_table_as_it_was_after_whatever_history(
    docs: list[dict[str, Any]], data: st.DataObject
) -> None:
    tables_agree(docs, data)


@searched(2)
@given(docs=histories(), data=st.data())
def test_a_rebuild_makes_every_table_as_it_was_on_postgresql_too(
    postgres: Postgres, docs: list[dict[str, Any]], data: st.DataObject
) -> None:
    tables_agree(docs, data, postgres.new_database())
