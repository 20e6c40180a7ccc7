"""Household visits of about 0.9 KB in Chinese, as phones send them: the first revision of each."""

from __future__ import annotations

import hashlib
import random
import uuid
from dataclasses import dataclass

import orjson

VILLAGES = ("示范一村", "示范二村", "示范三村")
REMARKS = (
    "家中老人独居，已嘱咐邻居照看",
    "上门未遇，已留温馨提示",
    "体温正常，无外出史",
    "需代购米面和常用药品",
    "楼道已消毒，通风半小时",
)
NO = ("q_fever", "q_symptom", "q_key_area", "q_contact", "q_outside", "roster_changed")


@dataclass(frozen=True, slots=True)
class Record:
    """`json` is the document as _bulk_docs takes it, `_revisions` included."""

    id: str
    rev: str
    json: bytes


def pile(seed: int, phone: int, count: int, day: int | None = None) -> list[Record]:
    """The records that one phone has to send; another seed, other ids. They are of `day` in February, or of
    its first twenty.
    """
    rng = random.Random(f"{seed}/{phone}")
    return [_record(rng, phone, number, day or rng.randrange(1, 21)) for number in range(count)]


def _record(rng: random.Random, phone: int, number: int, day: int) -> Record:
    moment = f"2020-02-{day:02d}T{rng.randrange(8, 18):02d}:{rng.randrange(60):02d}:00+08:00"
    name = uuid.UUID(int=rng.getrandbits(128), version=4)
    doc_id = f"record:household_visit:202002{day:02d}:{name}"
    body = _body(rng, phone, number, moment)
    digest = hashlib.md5(orjson.dumps([doc_id, body]), usedforsecurity=False).hexdigest()
    special = {"_id": doc_id, "_rev": f"1-{digest}", "_revisions": {"start": 1, "ids": [digest]}}
    return Record(doc_id, f"1-{digest}", orjson.dumps(special | body))


def _body(rng: random.Random, phone: int, number: int, moment: str) -> dict[str, object]:
    return {
        "type": "record",
        "form_id": "household_visit",
        "form_version": "1",
        "work_date": moment[:10],
        "captured_at": moment,
        "started_at": moment,
        "ended_at": moment,
        "entry_mode": "on_spot",
        "device_id": f"bench-{phone}",
        "filler_id": f"F{phone:04d}",
        "filler_role": "grid_volunteer",
        "town_code": "370304001",
        "village_code": "370304001901",
        "remark": "；".join(rng.choices(REMARKS, k=3)),
        "answers": {
            "household_id": f"370304001901-{number:04d}",
            "register_status": "on_register",
            "visit_method": "door",
            "visit_result": "met",
            "resident_count": rng.randrange(1, 7),
            **dict.fromkeys(NO, "no"),
            "publicity": ["oral", "leaflet"],
            "place": rng.choice(VILLAGES),
        },
    }
