"""Contributions are differences: summed up to a day they are the value on it."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from server.readmodel.chains import Link, resolve
from server.readmodel.contributions import ONE, Entry, Unit, contributions, order
from server.readmodel.declaration import read_declaration
from server.readmodel.facts import FactMaker
from server.readmodel.quantities import convert
from server.readmodel.tables import NEVER

DECLARATION = read_declaration()
FACTS = FactMaker(DECLARATION, b"a key")
DAYS = [f"2020-02-{number:02}" for number in range(1, 9)]


def entry(number: int, day: str, result: str, people: int) -> Entry:
    answers: dict[str, Any] = {"visit_result": result} | (
        {"resident_count": people} if result == "met" else {}
    )
    at = f"{day}T{number:02}:00:00.000Z"
    return Entry(
        f"r{number}",
        day,
        at,
        "phone",
        FACTS.read({"form_id": "household_visit", "answers": answers}, "v/H1", at).facts,
    )


HISTORIES = st.lists(
    st.tuples(
        st.sampled_from(DAYS), st.sampled_from(["met", "vacant", "refused", "no_answer"]), st.integers(0, 9)
    ),
    max_size=8,
).map(lambda rows: [entry(number, *row) for number, row in enumerate(rows)])


@given(
    history=HISTORIES,
    active_from=st.sampled_from(["", *DAYS]),
    active_to=st.sampled_from([*DAYS, NEVER]),
    settled=st.data(),
)
def test_a_level_summed_up_to_a_day_is_the_value_on_that_day(
    history: list[Entry], active_from: str, active_to: str, settled: st.DataObject
) -> None:
    unit = Unit("household", "v/H1", "H1", "v", True, active_from, active_to)
    shuffled = sorted(settled.draw(st.permutations(history)), key=order)
    found = contributions(unit, shuffled, DECLARATION, {})
    for day in [*DAYS, "2020-03-01"]:
        active = active_from <= day <= active_to
        met = [one for one in sorted(history, key=order) if one.work_date <= day and "residents" in one.facts]
        expected = met[-1].facts["residents"] if met and active else 0
        assert sum(value for at, value in found.get("residents", {}).items() if at <= day) == expected
        assert sum(value for at, value in found.get("households", {}).items() if at <= day) == (
            ONE if active else 0
        )


LINKS = st.lists(
    st.tuples(
        st.sampled_from("abcdef"),
        st.none() | st.sampled_from("abcdefz"),
        st.sampled_from(["accepted", "quarantined"]),
        st.booleans(),
        st.integers(0, 3),
    ),
    max_size=6,
    unique_by=lambda row: row[0],
)


@given(rows=LINKS, data=st.data())
def test_of_every_chain_at_most_one_record_counts(rows: list[Any], data: st.DataObject) -> None:
    links = [
        Link(("db", name), target, "w", status, voided, str(at), "")
        for name, target, status, voided, at in rows
    ]
    places = resolve(links)
    assert resolve(data.draw(st.permutations(links))) == places
    for link in links:
        place = places[link.key]
        assert not (place.effective and (link.voided or link.status != "accepted" or place.superseded_by))
        parent = places.get(("db", link.supersedes or ""))
        if place.effective and parent and link.supersedes != link.key[1]:
            assert not parent.effective


def test_half_kilograms_are_converted_and_boxes_are_not() -> None:
    assert convert(3_000_000, "jin", "kg") == 1_500_000
    assert convert(3_000_000, "ml", "l") == 3_000
    assert convert(3_000_000, "box", "bag") == 3_000_000
