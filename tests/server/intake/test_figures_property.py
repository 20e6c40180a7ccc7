"""Random histories in random order, with repeats, corrections, withdrawals, voids and late arrival, against
the slow recomputation."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from server.intake import review
from server.readmodel import queries
from tests.postgres import Postgres
from tests.searching import searched
from tests.server.intake.district import (
    ALPHA,
    BETA,
    CAMPAIGN,
    DISTRICT,
    TOWN,
    District,
    campaign,
    correction,
    delivery,
    disinfection,
    household,
    movement,
    naming,
    person,
    point,
    roster_entry,
    rules,
    visit,
    withdrawal,
)
from tests.server.intake.slow_figures import (
    effective,
    in_two_villages,
    relief,
    slow_figures,
    slow_week,
    stock,
)

DAYS = [f"2020-02-{number:02}" for number in range(8, 13)]
TIMES = st.tuples(st.integers(6, 20), st.integers(0, 59)).map(lambda at: f"{at[0]:02}:{at[1]:02}")
RESULTS = [
    "met",
    "phone_ok",
    "no_answer",
    "absent_known",
    "vacant",
    "moved",
    "refused",
    "appointment",
    "wrong_address",
]
SHARES = ("A4", "A5")
OTHER_CAMPAIGN = "rice"


@st.composite
def one_record(draw: st.DrawFn) -> dict[str, Any]:
    code = draw(st.sampled_from([ALPHA, BETA]))
    skew = draw(st.sampled_from([None, None, 3600, -7200]))
    common: dict[str, Any] = {"code": code, "day": draw(st.sampled_from(DAYS)), "at": draw(TIMES)}
    common |= {"phone": draw(st.sampled_from(["phone-ab", "phone-a" if code == ALPHA else "phone-b"]))}
    common |= {} if skew is None else {"clock_skew_s": skew}
    kind = draw(
        st.sampled_from(["visit", "visit", "visit", "disinfection", "delivery", "movement", "movement"])
    )
    if kind == "visit":
        number = draw(st.sampled_from([1, 1, 2, 3, None]))
        result = draw(st.sampled_from([*RESULTS, *["met"] * 6]))
        record = visit(number, result, draw(st.integers(4, 9)), **common)
        record["ended_at"] = f"{record['work_date']}T{draw(TIMES)}:20+08:00"
        return _naming_somebody(draw, record) if result in ("met", "phone_ok") else record
    if kind == "disinfection":
        area = draw(st.integers(1, 30_000)) / 10
        return disinfection(
            draw(st.integers(1, 2)), area, draw(TIMES.filter(lambda at: at > common["at"])), **common
        )
    if kind == "movement":
        return _movement(draw, common)
    amounts = draw(st.integers(0, 2)), draw(st.integers(1, 2))
    return _of_campaign(delivery(draw(st.integers(1, 2)), *amounts, **common))


def _of_campaign(record: dict[str, Any]) -> dict[str, Any]:
    """Every village's second entry is another campaign's."""
    if record["answers"]["roster_entry_id"].endswith("02"):
        record["answers"]["campaign_id"] = OTHER_CAMPAIGN
    return record


def _movement(draw: st.DrawFn, common: dict[str, Any]) -> dict[str, Any]:
    item, units = draw(st.sampled_from([("MASK", ["piece"]), ("MASK", ["piece"]), ("FLOUR", ["kg", "jin"])]))
    move, unit = draw(st.sampled_from(MOVES)), draw(st.sampled_from(units))
    made = movement(move, draw(st.integers(1, 9)), item, unit, draw(st.integers(1, 2)), **common)
    if move == "purchase" and (price := draw(st.sampled_from([None, 1.25, 3.5, 40]))):
        made["answers"]["unit_price"] = price
    return made


MOVES = [
    "purchase", "purchase", "donation", "allocate_in", "return", "allocate_out", "issue", "use", "damage",
    "stocktake", "stocktake",
]  # fmt: skip


def _naming_somebody(draw: st.DrawFn, record: dict[str, Any]) -> dict[str, Any]:
    people = draw(st.sampled_from([[], ["钱七"], ["钱七"], ["孙八"], ["钱七", "赵六"]]))
    rows = [_person(draw, record["work_date"], name) for name in people]
    return naming(record, *rows) if rows else record


def _person(draw: st.DrawFn, day: str, name: str) -> dict[str, Any]:
    reasons = draw(st.lists(st.sampled_from(REASONS), min_size=1, max_size=2, unique=True))
    more: dict[str, Any] = {}
    if {"fever", "key_area"} & set(reasons):
        more["observe_type"] = draw(st.sampled_from(["home", "central", "done", "none"]))
    if "fever" in reasons:
        more["actions"] = draw(st.sampled_from([["reported_village"], ["reported_village", "sent_clinic"]]))
    if {"key_area", "outside_return"} & set(reasons):
        more |= draw(st.sampled_from(STAYS))
    return person(day, name, *reasons, **more)


REASONS = ["fever", "fever", "key_area", "outside_return", "moved_out"]
STAYS = [
    {},
    {"travel_city": "420500"},
    {"travel_province": "330000", "travel_city": "330300"},
    {"left_place_date": "2020-01-07", "arrive_date": "2020-01-07"},
]


@st.composite
def histories(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Facts, then corrections and withdrawals of some, also of corrections."""
    docs = draw(st.lists(one_record(), min_size=1, max_size=14))
    for _ in range(draw(st.integers(0, 5))):
        old = draw(st.sampled_from(docs))
        if old.get("voided") or old.get("supersedes"):
            continue  # a household that is not on the register is named by the record that found it
        docs.append(withdrawal(old) if draw(st.booleans()) else _corrected(draw, old))
    return docs


def _corrected(draw: st.DrawFn, old: dict[str, Any]) -> dict[str, Any]:
    common = {
        "code": old["village_code"],
        "day": draw(st.sampled_from(DAYS)),
        "at": draw(TIMES),
        "phone": old["device_id"],
    }
    if old["form_id"] == "household_visit":
        result = draw(st.sampled_from([*RESULTS, "met", "met"]))
        again = visit(draw(st.sampled_from([1, 2, 3])), result, 9, **common)
        return correction(old, _naming_somebody(draw, again) if result in ("met", "phone_ok") else again)
    if old["form_id"] == "disinfection_log":
        return correction(old, disinfection(draw(st.integers(1, 2)), 50, "22:00", **common))
    if old["form_id"] == "stock_movement":
        return correction(old, _movement(draw, common))
    return correction(old, _of_campaign(delivery(draw(st.integers(1, 2)), 1, 1, **common)))


@cache
def template() -> Path:
    """A district's folder to copy: publishing forms and registers takes longer than an example."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    district = District(folder)
    for code in (ALPHA, BETA):
        district.put(district.register(code), campaign(OTHER_CAMPAIGN))
        district.put(district.register(code), roster_entry(code, 2, campaign_id=OTHER_CAMPAIGN))
    district.intake()
    district.close()
    return folder


@contextmanager
def a_district(url: str | None = None) -> Iterator[District]:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(template(), folder, dirs_exist_ok=True)
        district = District(Path(folder), url=url)
        try:
            yield district
        finally:
            district.close()


def registers() -> list[dict[str, Any]]:
    """H3 leaves, P2 has a long interval, H2 joins late."""
    return [
        doc
        for code in (ALPHA, BETA)
        for doc in (
            household(code, 1),
            household(code, 2, active_from="2020-02-10"),
            household(code, 3, active_to="2020-02-10"),
            point(code, 1),
            point(code, 2, interval_h=48),
            roster_entry(code, 1),
            roster_entry(code, 2, active_from="2020-02-09", campaign_id=OTHER_CAMPAIGN),
        )
    ]


def publish(district: District) -> None:
    for code in (ALPHA, BETA):
        for number in (4, 5):
            register = district.register(code)
            standing = register.get(f"household:H{number}")
            register.put(
                {"_id": standing["_id"], "_rev": standing["_rev"], "_deleted": True}, writer="server"
            )
    for doc in registers():
        district.put(district.register(doc["village_code"]), doc)


def agree(district: District, docs: list[dict[str, Any]], voided: Collection[str] = ()) -> None:
    areas = {ALPHA: {ALPHA}, BETA: {BETA}, TOWN: {ALPHA, BETA}, DISTRICT: {ALPHA, BETA}}
    for code, villages in areas.items():
        for day in DAYS:
            figures = queries.figures(district.readmodel, code, day)
            expected = slow_figures(docs, registers(), villages, day, voided)
            got = {name: figures[name]["numerator" if name in SHARES else "value"] for name in expected}
            assert got == rounded(expected), (code, day)
            week = slow_week(docs, registers(), villages, day, voided)
            got = {name: figures[name]["seven_days"]["value"] for name in week}
            assert got == rounded(week), (code, day)
            for campaign_id in (None, CAMPAIGN, OTHER_CAMPAIGN):
                assert relief_of(district, code, day, campaign_id) == relief(
                    docs, registers(), villages, day, campaign_id, voided
                ), (code, day, campaign_id)
            assert stock_of(figures) == {
                name: {part: qty for part, qty in parts.items() if qty}
                for name, parts in stock(docs, villages, day, voided).items()
            }, (code, day)
        trends_agree(district, code)
    found = queries.records(district.readmodel, queries.RecordFilters(rule="V016"), limit=200).items
    assert {item["record_id"] for item in found} == in_two_villages(effective(docs, voided))


def _decide(district: District, record_id: str, voided: set[str]) -> None:
    """Void the record, or take its void back."""
    status: review.Status = "restored" if record_id in voided else "voided"
    review.write(district.store, record_id, status, "重复填报", "chen")
    voided ^= {record_id}


def rounded(figures: dict[str, Any]) -> dict[str, Any]:
    return {name: None if value is None else round(value, 6) for name, value in figures.items()}


def trends_agree(district: District, code: str) -> None:
    """A trend says of each day what is said of the day alone."""
    for name in ("A10_filler", "A4", "A9", "C6"):
        points = queries.trend(district.readmodel, code, name, DAYS[1], DAYS[-1])
        alone = [queries.figures(district.readmodel, code, day, [name])[name] for day in DAYS[1:]]
        assert [point["value"] for point in points] == [figure["value"] for figure in alone]
        weeks = [figure["seven_days"]["value"] for figure in alone if "seven_days" in figure]
        assert [point["seven_days"] for point in points if "seven_days" in point] == weeks


def stock_of(figures: dict[str, Any]) -> dict[str, Any]:
    names = [name for name in figures if name.startswith("D7")]
    return {name: {part: each["value"] for part, each in figures[name]["parts"].items()} for name in names}


def relief_of(district: District, code: str, day: str, campaign_id: str | None) -> dict[str, Any]:
    figures = queries.relief_figures(district.readmodel, [code], day, campaign_id)[code]
    parts = figures["D3"]["parts"]
    got = {name: figure["value"] for name, figure in figures.items() if name != "D3"}
    return got | {"items": {item: (part["numerator"], part["denominator"]) for item, part in parts.items()}}


def figures_agree(docs: list[dict[str, Any]], data: st.DataObject, url: str | None = None) -> None:
    with a_district(url) as district:
        late_register = data.draw(st.booleans())
        if not late_register:
            publish(district)
        sending = data.draw(st.permutations(docs))
        repeats = data.draw(st.lists(st.sampled_from(docs), max_size=4))
        voided: set[str] = set()
        for doc in [*sending, *repeats]:
            district.send(doc)
            # Staff may decide about a record that intake has not seen yet.
            if data.draw(st.sampled_from([False, False, True])):
                _decide(district, data.draw(st.sampled_from(docs))["_id"], voided)
            if data.draw(st.sampled_from([False, False, True])):
                district.intake()
        if late_register:
            publish(district)
        district.intake()
        assert {
            doc["_id"]: rules(district.verdict(doc))
            for doc in docs
            if district.verdict(doc)["status"] == "quarantined"
        } == {}
        agree(district, docs, voided)
        before = queries.version(district.readmodel)
        district.follower.rebuild()
        agree(district, docs, voided)
        assert queries.version(district.readmodel) > before


@searched(10)
@given(docs=histories(), data=st.data())
def test_figures_agree_with_a_slow_recomputation_in_whatever_order_records_come(
    docs: list[dict[str, Any]], data: st.DataObject
) -> None:
    figures_agree(docs, data)


@searched(2)
@given(docs=histories(), data=st.data())
def test_figures_agree_on_postgresql_too(
    postgres: Postgres, docs: list[dict[str, Any]], data: st.DataObject
) -> None:
    figures_agree(docs, data, postgres.new_database())
