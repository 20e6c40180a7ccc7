"""A small district for intake's tests: a real store, two villages of one town, a phone in each, and records
as phones write them."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from schemas import compile_form, load_form
from server.database import open_engine
from server.intake.follower import Follower
from server.readmodel import ReadModel
from sync.embedded import open_store
from sync.store import Database, Store

ROOT = Path(__file__).parent.parent.parent.parent
FORMS = ("household_visit", "disinfection_log", "supply_delivery", "stock_movement")
DISTRICT, TOWN = "370304", "370304102"
ALPHA, BETA = "370304102901", "370304102902"
VILLAGES = {ALPHA: "示范一村", BETA: "示范二村"}
PHONES = {"phone-a": [ALPHA], "phone-a2": [ALPHA], "phone-b": [BETA], "phone-ab": [ALPHA, BETA]}
CAMPAIGN = "love"
PERSON_KEY = b"the district's key for persons"
DAY = "2020-02-10"


def compiled_forms() -> list[dict[str, Any]]:
    envelope = json.loads((ROOT / "forms" / "envelope.json").read_text("utf-8"))
    sources = [json.loads((ROOT / "forms" / f"{name}.json").read_text("utf-8")) for name in FORMS]
    return [json.loads(json.dumps(compile_form(load_form(source, envelope)))) for source in sources]


COMPILED = compiled_forms()


def settings_doc() -> dict[str, Any]:
    values = json.loads((ROOT / "forms" / "settings.json").read_text("utf-8"))
    # Records of 2020 are checked on the day the tests run.
    return {
        "_id": "settings:district",
        "type": "settings",
        **values,
        "backlog_days": 100_000,
        "late_entry_days": 100_000,
    }


# A test that is decorated with it runs on each database that the read model can live in.
on_both = pytest.mark.parametrize("district", ["sqlite", "postgresql"], indirect=True)


def _ms() -> int:
    """By a clock that no test stops."""
    return time.clock_gettime_ns(time.CLOCK_REALTIME) // 1_000_000


class District:
    def __init__(self, folder: Path, *, url: str | None = None, store: Store | None = None) -> None:
        self.folder = folder
        self.store: Store = store or open_store(folder / "store.sqlite3")
        self.readmodel = ReadModel(open_engine(url or f"sqlite:///{folder / 'readmodel.sqlite3'}"))
        self.phones: dict[str, list[str]] = {name: list(villages) for name, villages in PHONES.items()}
        self.former_ids: dict[str, list[str]] = {}
        self.follower = self.new_follower()
        if not self.store.names():
            self.publish()

    def new_follower(self, readmodel: ReadModel | None = None, **options: Any) -> Follower:
        return Follower(
            self.store,
            readmodel or self.readmodel,
            device_villages=lambda device: self.phones.get(device),
            device_former_ids=lambda device: self.former_ids.get(device, []),
            **{"person_key": PERSON_KEY, **options},
        )

    def publish(self) -> None:
        catalogue, office = self.store.ensure("catalogue"), self.store.ensure("office")
        for form in COMPILED:
            self.put(catalogue, {"_id": f"form:{form['form_id']}:{form['version']}", "type": "form", **form})
        self.put(catalogue, settings_doc())
        self.put(
            office,
            {
                "_id": f"area:{DISTRICT}",
                "type": "area",
                "code": DISTRICT,
                "name": "博山区",
                "level": "district",
            },
        )
        self.put(
            office, {"_id": f"area:{TOWN}", "type": "area", "code": TOWN, "name": "域城镇", "level": "town"}
        )
        for code, name in VILLAGES.items():
            self.put(
                office,
                {"_id": f"area:{code}", "type": "area", "code": code, "name": name, "level": "village"},
            )
            self.store.ensure(f"inbox-{code}")
            self.publish_register(code, name)

    def publish_register(self, code: str, name: str) -> None:
        register = self.register(code)
        self.put(
            register,
            {"_id": f"village:{code}", "type": "village", "code": code, "name": name, "town_code": TOWN},
        )
        for number in range(1, 6):
            self.put(register, household(code, number))
        for number in (1, 2):
            self.put(register, point(code, number))
            self.put(register, roster_entry(code, number))
        self.put(register, campaign())
        for number in (1, 2):
            self.put(register, station(code, number))
        self.put(register, filler(code))

    def register(self, code: str) -> Database:
        return self.store.ensure(f"register-{code}")

    def put(self, database: Database, doc: Mapping[str, Any], writer: str = "server") -> None:
        standing = database.all_docs(keys=[doc["_id"]])["rows"][0].get("value", {})
        database.put({**doc, **({"_rev": standing["rev"]} if "rev" in standing else {})}, writer=writer)

    def send(self, *docs: Mapping[str, Any], village: str | None = None, phone: str | None = None) -> None:
        """Push documents as a phone does: with their revision made on the phone. Each is received in a
        millisecond of its own, so that they have an order."""
        for doc in docs:
            before = _ms()
            while _ms() == before:
                pass
            code = village or str(doc.get("village_code"))
            writer = f"device:{phone or doc.get('device_id')}"
            body = {"_rev": "1-" + uuid.uuid5(uuid.NAMESPACE_OID, str(doc["_id"])).hex, **doc}
            self.store.ensure(f"inbox-{code}").bulk_docs([body], new_edits=False, writer=writer)

    def close(self) -> None:
        self.follower.close()
        self.readmodel.engine.dispose()
        self.store.close()

    def intake(self) -> int:
        return self.follower.run_once()

    def verdict(self, record: Mapping[str, Any] | str, village: str | None = None) -> dict[str, Any]:
        record_id = record if isinstance(record, str) else str(record["_id"])
        code = village or (ALPHA if isinstance(record, str) else str(record["village_code"]))
        return self.register(code).get(f"verdict:{record_id}")


def rules(verdict: Mapping[str, Any]) -> set[str]:
    return {problem["rule"] for problem in verdict["problems"]}


def household(code: str, number: int, **more: Any) -> dict[str, Any]:
    name = f"H{number}"
    return {
        "_id": f"household:{name}",
        "type": "household",
        "household_id": name,
        "village_code": code,
        "grid_code": code + "01",
        "door_no": str(number),
        "address": f"{number}号",
        "head_name": "张三",
        "head_search": "zhangsan zs",
        "active_from": "2020-01-01",
        **more,
    }


def point(code: str, number: int, **more: Any) -> dict[str, Any]:
    name = f"P{number}"
    return {
        "_id": f"point:{name}",
        "type": "point",
        "point_id": name,
        "village_code": code,
        "name": "村委会",
        "name_search": "cwh",
        "place_type": "committee",
        "indoor_outdoor": "indoor",
        "area_m2": 100,
        "interval_h": 24,
        "active_from": "2020-01-01",
        **more,
    }


def station(code: str, number: int) -> dict[str, Any]:
    name = f"S{number}"
    return {
        "_id": f"station:{name}",
        "type": "station",
        "station_id": name,
        "village_code": code,
        "name": f"健康站{number}",
    }


def roster_entry(code: str, number: int, **more: Any) -> dict[str, Any]:
    entry_no = f"{code[-3:]}{number:02}"
    return {
        "_id": f"roster:{CAMPAIGN}:{entry_no}",
        "type": "roster_entry",
        "roster_entry_id": f"{CAMPAIGN}:{entry_no}",
        "campaign_id": CAMPAIGN,
        "entry_no": entry_no,
        "household_id": f"H{number}",
        "head_name": "张三",
        "head_search": "zs",
        "category": "dibao",
        "village_code": code,
        "active_from": "2020-02-01",
        "entitlement": [
            {"item_code": "VEG_BOX", "qty": 1, "unit": "box"},
            {"item_code": "RICE_BAG", "qty": 1, "unit": "bag"},
        ],
        **more,
    }


def campaign(name: str = CAMPAIGN) -> dict[str, Any]:
    return {
        "_id": f"campaign:{name}",
        "type": "campaign",
        "campaign_id": name,
        "name": {"zh": "送爱心", "en": "Love"},
        "starts_on": "2020-01-01",
        "items": [
            {"item_code": "VEG_BOX", "qty": 1, "unit": "box"},
            {"item_code": "RICE_BAG", "qty": 1, "unit": "bag"},
        ],
    }


def filler(code: str) -> dict[str, Any]:
    name = f"F{code[-3:]}"
    return {
        "_id": f"filler:{name}",
        "type": "filler",
        "filler_id": name,
        "name": "李四",
        "name_search": "lisi ls",
        "role": "grid_volunteer",
        "village_code": code,
    }


def envelope(
    form_id: str, code: str = ALPHA, day: str = DAY, at: str = "09:00", phone: str = "", **more: Any
) -> dict[str, Any]:
    return {
        "_id": f"record:{form_id}:{day.replace('-', '')}:{uuid.uuid4()}",
        "type": "record",
        "form_id": form_id,
        "form_version": "1",
        "work_date": day,
        "captured_at": f"{day}T{at}:00+08:00",
        "started_at": f"{day}T{at}:00+08:00",
        "ended_at": f"{day}T{at}:30+08:00",
        "entry_mode": "on_spot",
        "device_id": phone or ("phone-a" if code == ALPHA else "phone-b"),
        "filler_id": f"F{code[-3:]}",
        "filler_role": "grid_volunteer",
        "town_code": TOWN,
        "village_code": code,
        "confirmed": [],
        **more,
    }


def visit(
    number: int | None = 1, result: str = "met", residents: int = 3, fever: str = "no", **more: Any
) -> dict[str, Any]:
    record = envelope("household_visit", **more)
    answers: dict[str, Any] = {"visit_method": "door", "visit_result": result}
    if number is None:
        answers |= {"register_status": "new", "new_address": "村东头一号院", "new_head_name": "王五"}
    else:
        answers |= {"register_status": "on_register", "household_id": f"H{number}"}
    if result in ("met", "phone_ok"):
        answers |= {
            "informant": "head",
            "resident_count": residents,
            "roster_changed": "no",
            "q_fever": fever,
            "q_symptom": "no",
            "q_key_area": "no",
            "q_contact": "no",
            "q_outside": "no",
        }
        if fever == "yes":
            answers["rep_person"] = [feverish(record["work_date"])]
    if result in ("absent_known", "vacant", "moved"):
        answers["absent_source"] = "neighbour"
    if result in ("no_answer", "vacant", "absent_known"):
        answers["left_notice"] = "notice"
    if result == "refused":
        answers["refuse_reason"] = "privacy"
    if result == "appointment":
        answers["next_visit_at"] = f"{record['work_date']}T23:59:00+08:00"
    return {**record, "answers": answers}


def feverish(day: str) -> dict[str, Any]:
    return {
        "privacy_ack": True,
        "person_name": "赵六",
        "sex": "male",
        "age": 40,
        "person_reason": ["fever"],
        "id_type": "none",
        "phone": "15400001234",
        "temp_status": "measured",
        "temp_method": "forehead",
        "temp_c": 38.0,
        "temp2_c": 38.1,
        "temp2_method": "axillary",
        "symptoms": ["fever"],
        "onset_date": day,
        "observe_type": "home",
        "actions": ["reported_village"],
    }


NUMBERS = {"钱七": ("370304195001010007", 70), "孙八": ("420106198808080006", 31)}
HUBEI, WUHAN = "420000", "420100"


def person(day: str, name: str, *reasons: str, **more: Any) -> dict[str, Any]:
    """Somebody a visit names: 钱七 and 孙八 show an identity number, others do not."""
    number, age = NUMBERS.get(name, ("", 40))
    row: dict[str, Any] = {"person_name": name, "sex": "male", "age": age, "person_reason": list(reasons)}
    row["temp_status"] = "no_device"
    if {"fever", "key_area", "contact", "isolating"} & set(reasons):
        row |= {"id_type": "resident_id", "id_number": number} if number else {"id_type": "none"}
        row |= {"phone": "15400001234", "observe_type": "home"}
    if "fever" in reasons:
        row |= {"symptoms": ["fever"], "onset_date": day, "actions": ["reported_village"]}
    if {"key_area", "outside_return"} & set(reasons):
        row |= {"travel_province": HUBEI, "travel_city": WUHAN, "left_place_date": "2020-02-01"}
        row |= {"arrive_date": "2020-02-02", "transport": "car"}
    return row | more


def naming(record: Mapping[str, Any], *people: Mapping[str, Any]) -> dict[str, Any]:
    """The visit with these people, and the answers that go with their reasons."""
    reasons = {reason for row in people for reason in row["person_reason"]}
    answers = {**record["answers"], "rep_person": [dict(row) for row in people]}
    answers["rep_person"][0]["privacy_ack"] = True
    questions = {"q_fever": "fever", "q_key_area": "key_area", "q_outside": "outside_return"}
    answers |= {question: "yes" if reason in reasons else "no" for question, reason in questions.items()}
    if "moved_out" in reasons:
        answers |= {"roster_changed": "yes", "joined_count": 0, "left_count": 1, "special_groups": ["none"]}
    return {**record, "answers": answers}


def disinfection(number: int = 1, area: float = 100, ended: str = "10:30", **more: Any) -> dict[str, Any]:
    record = envelope("disinfection_log", **more)
    day = record["work_date"]
    start = f"{day}T{record['captured_at'][11:16]}:00+08:00"
    return {
        **record,
        "answers": {
            "point_known": "yes",
            "point_id": f"P{number}",
            "place_type": "committee",
            "disinfect_kind": "preventive",
            "indoor_outdoor": "indoor",
            "objects": ["floor"],
            "agent": "ethanol",
            "alcohol_pct": 75,
            "method": "wipe",
            "solution_l": 2,
            "area_m2": area,
            "ventilated": "yes",
            "ppe": ["mask", "gloves"],
            "operator_count": 1,
            "started_at": start,
            "ended_at": f"{day}T{ended}:00+08:00",
            "incident": "none",
        },
    }


def delivery(number: int = 1, veg: float = 1, rice: float = 1, **more: Any) -> dict[str, Any]:
    record = envelope("supply_delivery", **more)
    code = record["village_code"]
    items = [
        {"item_code": item, "qty": qty, "unit": unit, "condition": "good"}
        for item, qty, unit in (("VEG_BOX", veg, "box"), ("RICE_BAG", rice, "bag"))
        if qty
    ]
    answers = {
        "campaign_id": CAMPAIGN,
        "on_roster": "yes",
        "roster_entry_id": f"{CAMPAIGN}:{code[-3:]}{number:02}",
        "delivery_result": "delivered_self",
        "rep_item": items,
        "receiver_kind": "head",
        "handover": "face",
        "proof_kind": "code",
        "pickup_code": "1234",
        "delivered_at": record["captured_at"],
    }
    return {**record, "answers": answers}


def movement(
    move: str = "purchase",
    qty: float = 10,
    item: str = "MASK",
    unit: str = "piece",
    number: int = 1,
    **more: Any,
) -> dict[str, Any]:
    """A stocktake counts `qty`; any other movement moves it."""
    record = envelope("stock_movement", **more)
    answers = {"move_type": move, "warehouse_id": f"S{number}", "item_code": item, "unit": unit}
    answers |= {"counted_qty": qty} if move == "stocktake" else {"qty": qty}
    answers |= {"donor_name": "示范农场"} if move == "donation" else {}
    return {**record, "answers": answers}


def correction(of: Mapping[str, Any], doc: Mapping[str, Any]) -> dict[str, Any]:
    return {**doc, "supersedes": of["_id"], "correction_reason": "typo"}


def withdrawal(of: Mapping[str, Any]) -> dict[str, Any]:
    number = uuid.uuid4()
    return {
        **of,
        "_id": of["_id"].rpartition(":")[0] + f":{number}",
        "supersedes": of["_id"],
        "correction_reason": "test",
        "voided": True,
        "captured_at": f"{of['work_date']}T23:00:00+08:00",
    }
