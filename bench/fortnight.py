"""The records of a made-up fortnight: what the phones of one village hand in on one day.

Everything follows from the seed, the village and the day. Of a hundred visits eighty-five are uneventful;
the rest are nobody at home, fevers, corrections, withdrawals, faults that intake must refuse, clocks that are
wrong, entries that come days late, and documents that are pushed twice.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

Doc = dict[str, Any]

RESULTS = {
    "met": 78,
    "phone_ok": 8,
    "no_answer": 6,
    "absent_known": 3,
    "vacant": 2,
    "refused": 1,
    "appointment": 2,
}
FEVER, CORRECTED, WITHDRAWN, FAULTY, LATE, SKEWED, AGAIN, PUSHED_TWICE = (
    0.004, 0.012, 0.002, 0.005, 0.02, 0.01, 0.01, 0.005,
)  # fmt: skip
LATE_DAYS = 3
SKEW_S = 1200
DELIVERIES_TWICE = 0.02
HOUSEHOLDS_A_PHONE = 55


@dataclass
class Village:
    """Register documents of one village, and the ids of its phones."""

    code: str
    households: list[Doc]
    points: list[Doc]
    roster: list[Doc]
    fillers: list[Doc]
    phones: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Day:
    """`number` counts from 0, of `of` days."""

    date: date
    number: int
    of: int


def records_of(village: Village, day: Day, seed: int) -> dict[str, list[Doc]]:
    """{phone: its documents in the order in which it pushes them}."""
    dice = random.Random(f"{seed}/{village.code}/{day.date}")
    maker = _Maker(village, day, dice)
    pushed: dict[str, list[Doc]] = {phone: [] for phone in village.phones}
    for at, household in enumerate(village.households):
        phone = village.phones[at * len(village.phones) // len(village.households)]
        pushed[phone] += maker.visits(household, phone)
    for at, point in enumerate(village.points):
        phone = village.phones[at % len(village.phones)]
        pushed[phone] += maker.disinfections(point, phone)
    for at, entry in enumerate(_due(village.roster, day)):
        phone = village.phones[at % len(village.phones)]
        pushed[phone] += maker.deliveries(entry, phone)
    return pushed


def _due(roster: Sequence[Doc], day: Day) -> Sequence[Doc]:
    """Every entry is served once in the fortnight."""
    return roster[day.number :: day.of]


class _Maker:
    def __init__(self, village: Village, day: Day, dice: random.Random) -> None:
        self.village, self.day, self.dice = village, day, dice
        self.results, self.weights = list(RESULTS), list(RESULTS.values())
        volunteers = [filler for filler in village.fillers if filler["role"] == "grid_volunteer"]
        self.fillers = {filler.get("grid_code"): filler["filler_id"] for filler in volunteers}
        self.first_filler = volunteers[0]["filler_id"]

    def chance(self, share: float) -> bool:
        return self.dice.random() < share

    def record(self, form_id: str, phone: str, hour: int, grid_code: str | None = None) -> Doc:
        day = self.day.date - timedelta(days=LATE_DAYS + self.day.number if self.chance(LATE) else 0)
        minute, second = self.dice.randrange(60), self.dice.randrange(60)
        number = uuid.UUID(int=self.dice.getrandbits(128))
        at = f"{day}T{hour:02}:{minute:02}:{second:02}+08:00"
        doc: Doc = {
            "_id": f"record:{form_id}:{day:%Y%m%d}:{number}",
            "_rev": f"1-{self.dice.getrandbits(128):032x}",
            "type": "record",
            "form_id": form_id,
            "form_version": "1",
            "work_date": day.isoformat(),
            "captured_at": at,
            "started_at": at,
            "ended_at": at,
            "entry_mode": "on_spot",
            "device_id": phone,
            "filler_id": self.fillers.get(grid_code, self.first_filler),
            "filler_role": "grid_volunteer",
            "town_code": self.village.code[:9],
            "village_code": self.village.code,
            **({"grid_code": grid_code} if grid_code else {}),
            "confirmed": [],
        }
        if self.chance(SKEWED):
            doc["clock_skew_s"] = SKEW_S
        return doc

    def visits(self, household: Doc, phone: str) -> Iterator[Doc]:
        first = self.visit(household, phone, 8 + self.dice.randrange(8))
        yield first
        if self.chance(PUSHED_TWICE):
            yield first
        if self.chance(AGAIN):
            yield self.visit(household, phone, 17)
        if self.chance(CORRECTED):
            yield self.corrected(first, {**first["answers"], "visit_method": "phone"}, "typo")
        elif self.chance(WITHDRAWN):
            yield self.corrected(first, first["answers"], "test") | {"voided": True}

    def corrected(self, first: Doc, answers: Doc, reason: str) -> Doc:
        number = f"{self.dice.getrandbits(128):032x}"
        day = first["work_date"]
        return {
            **first,
            "_id": first["_id"].rpartition(":")[0] + f":{number}",
            "_rev": f"1-{number}",
            "captured_at": f"{day}T18:00:00+08:00",
            "supersedes": first["_id"],
            "correction_reason": reason,
            "answers": answers,
        }

    def visit(self, household: Doc, phone: str, hour: int) -> Doc:
        doc = self.record("household_visit", phone, hour, household.get("grid_code"))
        (result,) = self.dice.choices(self.results, self.weights)
        answers: Doc = {
            "register_status": "on_register",
            "household_id": household["household_id"],
            "visit_method": "phone" if result == "phone_ok" else "door",
            "visit_result": result,
        }
        if result in ("met", "phone_ok"):
            answers |= self.met(household, doc["work_date"])
        if result in ("absent_known", "vacant"):
            answers["absent_source"] = "neighbour"
        if result in ("no_answer", "vacant", "absent_known"):
            answers["left_notice"] = "notice"
        if result == "refused":
            answers["refuse_reason"] = "privacy"
        if result == "appointment":
            answers["next_visit_at"] = f"{doc['work_date']}T23:59:00+08:00"
        return {**doc, "answers": answers}

    def met(self, household: Doc, day: str) -> Doc:
        fever = self.chance(FEVER)
        answers: Doc = {
            "informant": "head",
            "resident_count": 60 if self.chance(FAULTY) else int(household.get("residents", 3)),
            "roster_changed": "no",
            "q_fever": "yes" if fever else "no",
            "q_symptom": "no",
            "q_key_area": "no",
            "q_contact": "no",
            "q_outside": "no",
        }
        return answers | ({"rep_person": [self.feverish(day)]} if fever else {})

    def feverish(self, day: str) -> Doc:
        celsius = round(self.dice.uniform(37.4, 39.5), 1)
        return {
            "privacy_ack": True,
            "person_name": "赵六",
            "sex": self.dice.choice(("male", "female")),
            "age": self.dice.randrange(3, 90),
            "person_reason": ["fever"],
            "id_type": "none",
            "phone": f"1540000{self.dice.randrange(10_000):04}",
            "temp_status": "measured",
            "temp_method": "forehead",
            "temp_c": celsius,
            "temp2_c": celsius,
            "temp2_method": "axillary",
            "symptoms": ["fever"],
            "onset_date": day,
            "observe_type": "home",
            "actions": ["reported_village"],
        }

    def disinfections(self, point: Doc, phone: str) -> Iterator[Doc]:
        for hour in (8, 20)[: 2 if point.get("interval_h") == 12 else 1]:
            doc = self.record("disinfection_log", phone, hour)
            started = doc["captured_at"]
            ended = f"{doc['work_date']}T{hour + 2:02}:30:00+08:00"
            answers = {
                "point_known": "yes",
                "point_id": point["point_id"],
                "place_type": point["place_type"],
                "disinfect_kind": "preventive",
                "indoor_outdoor": point["indoor_outdoor"],
                "objects": ["floor"],
                "agent": "ethanol",
                "alcohol_pct": 75,
                "method": "wipe",
                "solution_l": round(point["area_m2"] / 50, 1),
                "area_m2": point["area_m2"],
                **({"ventilated": "yes"} if point["indoor_outdoor"] == "indoor" else {"weather": "clear"}),
                "ppe": ["mask", "gloves"],
                "operator_count": 1,
                "started_at": started,
                "ended_at": ended,
                "incident": "none",
            }
            yield {**doc, "answers": answers}

    def deliveries(self, entry: Doc, phone: str) -> Iterator[Doc]:
        for hour in (10, 15)[: 2 if self.chance(DELIVERIES_TWICE) else 1]:
            doc = self.record("supply_delivery", phone, hour)
            items = [
                {
                    "item_code": item["item_code"],
                    "qty": item["qty"],
                    "unit": item["unit"],
                    "condition": "good",
                }
                for item in entry["entitlement"]
            ]
            answers = {
                "campaign_id": entry["campaign_id"],
                "on_roster": "yes",
                "roster_entry_id": entry["roster_entry_id"],
                "delivery_result": "delivered_self",
                "rep_item": items,
                "receiver_kind": "head",
                "handover": "face",
                "proof_kind": "code",
                "pickup_code": f"{self.dice.randrange(10_000):04}",
                "delivered_at": doc["captured_at"],
            }
            yield {**doc, "answers": answers}
