"""V060 against a slow reading of its three sentences, over random days of one filler."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from server.readmodel.contributions import Entry, Unit, order
from server.readmodel.declaration import read_declaration
from server.readmodel.distances import distance_m
from server.readmodel.facts import FactMaker
from server.readmodel.flagging import flags

DECLARATION = read_declaration()
FACTS = FactMaker(DECLARATION, b"a key")
SETTINGS = {
    "fabrication_visits_per_hour_max": 3,
    "fabrication_median_s_min": 20,
    "fabrication_median_visits": 4,
    "fabrication_alike_households": 3,
    "fabrication_spread_m": 30,
}
DAY = "2020-02-10"
SPOTS = [None, (36.5, 117.8), (36.5001, 117.8), (36.5002, 117.8), (36.51, 117.8)]


@st.composite
def days(draw: st.DrawFn) -> list[dict[str, Any]]:
    return [_visit(draw, number) for number in range(draw(st.integers(0, 12)))]


def _visit(draw: st.DrawFn, number: int) -> dict[str, Any]:
    minute, spot = draw(st.integers(0, 150)), draw(st.sampled_from(SPOTS))
    at = f"{DAY}T{9 + minute // 60:02}:{minute % 60:02}"
    result = draw(st.sampled_from(["met", "met", "met", "phone_ok", "no_answer"]))
    answers = {"household_id": f"H{draw(st.integers(1, 6))}", "visit_result": result}
    record = {
        "_id": f"r{number:02}",
        "form_id": "household_visit",
        "work_date": DAY,
        "entry_mode": draw(st.sampled_from(["on_spot"] * 5 + ["from_paper"])),
        "filler_id": "F1",
        "started_at": f"{at}:00+08:00",
        "captured_at": f"{at}:00+08:00",
        "ended_at": f"{at}:{draw(st.sampled_from([5, 15, 19, 20, 40]))}+08:00".replace(":5+", ":05+"),
        "answers": answers | {"resident_count": draw(st.sampled_from([2, 2, 2, 5]))},
    }
    return record if spot is None else {**record, "gps": {"lat": spot[0], "lon": spot[1], "accuracy_m": 5}}


def entry(record: dict[str, Any]) -> Entry:
    received = "2020-02-11T00:00:00.000Z"
    household = "v/" + record["answers"]["household_id"]
    facts = next(
        mention.facts
        for mention in FACTS.read(record, household, received).mentions
        if mention.kind == "filler_day"
    )
    at = datetime.fromisoformat(record["captured_at"]).isoformat()
    return Entry(record["_id"], DAY, at, "phone", facts, "v", household)


def suspected(records: list[dict[str, Any]]) -> set[str]:
    visits = sorted(
        (one for one in records if one["entry_mode"] == "on_spot"),
        key=lambda one: (one["captured_at"], one["_id"]),
    )
    contacted = [one for one in visits if one["answers"]["visit_result"] in ("met", "phone_ok")]
    return too_many(visits) | too_short(contacted) | alike(contacted)


def moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def too_many(visits: list[dict[str, Any]]) -> set[str]:
    found: set[str] = set()
    for first in visits:
        start = moment(first["started_at"])
        hour = [one["_id"] for one in visits if 0 <= moment(one["started_at"]) - start <= 3600]
        found |= set(hour) if len(hour) > 3 else set()
    return found


def too_short(contacted: list[dict[str, Any]]) -> set[str]:
    quick = [one for one in contacted if moment(one["ended_at"]) - moment(one["started_at"]) < 20]
    is_most = len(contacted) >= 4 and 2 * len(quick) >= len(contacted)
    return {one["_id"] for one in quick} if is_most else set()


def alike(contacted: list[dict[str, Any]]) -> set[str]:
    placed = [one for one in contacted if "gps" in one]
    home = [one["answers"]["household_id"] for one in placed]
    rows = [one for place, one in enumerate(placed) if home[place] not in home[place + 1 :]]
    found: set[str] = set()
    for start in range(len(rows)):
        run = rows[start : start + 3]
        said = {json.dumps({**one["answers"], "household_id": ""}, sort_keys=True) for one in run}
        apart = max(
            distance_m((a["gps"]["lat"], a["gps"]["lon"]), (b["gps"]["lat"], b["gps"]["lon"]))
            for a in run
            for b in run
        )
        if len(run) == 3 and len(said) == 1 and apart < 30:
            found |= {one["_id"] for one in run}
    return found


@given(records=days(), data=st.data())
def test_a_filler_s_day_is_suspected_as_its_three_sentences_say(
    records: list[dict[str, Any]], data: st.DataObject
) -> None:
    history = sorted(map(entry, data.draw(st.permutations(records))), key=order)
    found = flags(Unit("filler_day", "F1/" + DAY, "", "v", True), history, DECLARATION, SETTINGS)
    assert {problem["rule"] for _, problem in found} <= {"V060"}
    assert len(found) == len({record_id for record_id, _ in found})
    assert {record_id for record_id, _ in found} == suspected(records)


def test_without_its_setting_a_rule_flags_nothing() -> None:
    records = [
        {
            "_id": f"r{number}",
            "form_id": "household_visit",
            "work_date": DAY,
            "entry_mode": "on_spot",
            "filler_id": "F1",
            "started_at": f"{DAY}T09:00:00+08:00",
            "captured_at": f"{DAY}T09:00:00+08:00",
            "ended_at": f"{DAY}T09:00:01+08:00",
            "gps": {"lat": 36.5, "lon": 117.8},
            "answers": {"household_id": f"H{number}", "visit_result": "met"},
        }
        for number in range(40)
    ]
    unit = Unit("filler_day", "F1/" + DAY, "", "v", True)
    history = [entry(record) for record in records]
    assert len(flags(unit, history, DECLARATION, SETTINGS)) == 40
    assert flags(unit, history, DECLARATION, dict.fromkeys(SETTINGS, "many")) == []
