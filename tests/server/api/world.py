"""A small real district for the tests: two towns, three villages, real forms, the real store, follower and
people.

The cast: Dong works for the district, Bai for the town of the records, Ba for another town, Cun is a
village cadre who only reads, and a phone is enrolled in the first village.
"""

from __future__ import annotations

import copy
import json
import shutil
import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from server import clock
from server.app import Gridbook, create_app, gridbook
from server.forms.publish import publish
from server.intake.commands import make_follower
from server.jobs.kinds import KINDS
from server.jobs.worker import Worker
from server.people import enrolment, staff, tokens
from server.people.permissions import ACTIONS
from server.settings import Settings

ROOT = Path(__file__).parents[3]
FORMS = ROOT / "forms"
SAMPLES = FORMS / "samples"
BEIJING = timezone(timedelta(hours=8))
PASSWORD = "a long enough password"

DISTRICT, TOWN, OTHER_TOWN = "370304", "370304102", "370304103"
VILLAGE, VILLAGE_2, OTHER_VILLAGE = "370304102901", "370304102902", "370304103901"
AREAS = {
    DISTRICT: "博山区",
    TOWN: "域城镇",
    OTHER_TOWN: "白塔镇",
    VILLAGE: "示范一村",
    VILLAGE_2: "示范二村",
    OTHER_VILLAGE: "示范三村",
}
STAFF = {
    "dong": ("district_staff", DISTRICT),
    "bai": ("town_staff", TOWN),
    "ba": ("town_staff", OTHER_TOWN),
    "cun": ("village_cadre", VILLAGE),
    "admin": ("administrator", DISTRICT),
}


# Midnight may pass during a run: the run's day stays the day on which it began.
DAY = datetime.now(BEIJING).date()
LAST_MOMENT = datetime.combine(DAY, time.max, BEIJING)


def today() -> date:
    return DAY


def hold_the_day(patches: pytest.MonkeyPatch) -> None:
    """The pages' clock runs, but never into the day after."""
    patches.setattr(clock, "now", lambda: min(datetime.now(UTC), LAST_MOMENT.astimezone(UTC)))


def filled(folder: Path, **environ: str) -> World:
    """The district with records of today and yesterday, followed."""
    made = build(folder, **environ)
    made.ids = fill_records(made)
    made.follow()
    return made


def followed(folder: Path, **environ: str) -> World:
    """The district with registers and nobody's records."""
    made = build(folder, **environ)
    made.follow()
    return made


def close(world: World) -> None:
    """Its files are at rest and its databases unused."""
    shared = world.gridbook
    shared.store.close()
    for engine in (shared.people.engine, shared.readmodel.engine):
        engine.dispose()


def copied(world: World, folder: Path, **environ: str) -> World:
    """The same district in another folder, of one that is closed."""
    shutil.copytree(
        world.gridbook.settings.data, folder, ignore=shutil.ignore_patterns("run"), dirs_exist_ok=True
    )
    return replace(world, app=_app(folder, **environ), ids=dict(world.ids))


@dataclass
class World:
    app: Flask
    tokens: dict[str, str]
    device_id: str
    device_token: str
    ids: dict[str, str] = field(default_factory=dict)

    @property
    def gridbook(self) -> Gridbook:
        found: Gridbook = self.app.extensions["gridbook"]
        return found

    def get(self, who: str | None, path: str, **more: Any) -> Any:
        return self.app.test_client().get(path, headers=self.headers(who) | more.pop("headers", {}), **more)

    def post(self, who: str | None, path: str, **more: Any) -> Any:
        return self.app.test_client().post(path, headers=self.headers(who), **more)

    def headers(self, who: str | None) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[who]}"} if who else {}

    def signed_in(self, who: str) -> FlaskClient:
        client = self.app.test_client()
        answer = client.post("/sign-in", data={"username": who, "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        return client

    def push(self, record: dict[str, Any], village: str | None = None, writer: str | None = None) -> str:
        inbox = self.gridbook.store.ensure(f"inbox-{village or record['village_code']}")
        rev = record.pop("_rev", "1-" + uuid.uuid4().hex)
        document = {**record, "_rev": rev}
        inbox.bulk_docs([document], new_edits=False, writer=writer or f"device:{self.device_id}")
        return str(record["_id"])

    def follow(self) -> None:
        follow(self.app)

    def work(self) -> None:
        """Every job that waits is done."""
        with self.app.app_context():
            worker = Worker(gridbook().jobs, KINDS, 1 << 30, lambda: False)
            while worker.run_once():
                pass

    def done(self, who: str, ordered: Any) -> dict[str, Any]:
        """A job that was ordered over HTTP, now that it has ended."""
        assert ordered.status_code == 202, ordered.text
        self.work()
        answer = self.get(who, ordered.headers["Location"])
        assert answer.status_code == 200, answer.text
        return dict(answer.json)


def follow(app: Flask) -> None:
    follower = make_follower(app.extensions["gridbook"])
    try:
        follower.run_once()
    finally:
        follower.close()


def sample(
    path: str, *, day: date | None = None, device_id: str = "device-1", **answers: Any
) -> dict[str, Any]:
    """A sample record such as `household_visit/pass/two_people`, moved to `day` (today) with an id of its
    own."""
    record = copy.deepcopy(json.loads((SAMPLES / f"{path}.json").read_text(encoding="utf-8"))["record"])
    shift = (day or today()) - date(2020, 2, 21)
    record = _shifted(record, shift)
    record["_id"] = f"record:{record['form_id']}:{record['work_date'].replace('-', '')}:{uuid.uuid4()}"
    record["device_id"] = device_id
    record["answers"] |= answers
    return record


def _shifted(value: Any, shift: timedelta) -> Any:
    """Every day and moment of the record moved by `shift`; birth years are text in other places and stay."""
    if isinstance(value, dict):
        return {key: _shifted(each, shift) for key, each in value.items()}
    if isinstance(value, list):
        return [_shifted(each, shift) for each in value]
    if isinstance(value, str) and value[:5] == "2020-" and len(value) >= 10:
        return (date.fromisoformat(value[:10]) + shift).isoformat() + value[10:]
    return value


def _app(folder: Path, **environ: str) -> Flask:
    given = {"GRIDBOOK_DATA": str(folder), "GRIDBOOK_FORMS": str(FORMS), **environ}
    app = create_app(Settings.from_environ(given))
    app.testing = True
    return app


def build(folder: Path, **environ: str) -> World:
    app = _app(folder, **environ)
    gridbook: Gridbook = app.extensions["gridbook"]
    publish(gridbook.store, gridbook.settings.forms)
    fill_registers(gridbook)
    with app.app_context():
        handed = {name: add_staff(gridbook, name, role, area) for name, (role, area) in STAFF.items()}
        code = enrolment.create_code(
            gridbook.people, enrolment.Offer([VILLAGE]), valid_for=timedelta(hours=1)
        )
        device, device_token = enrolment.redeem(gridbook.people, code, "老王的手机")
    return World(app, handed, device.device_id, device_token)


def add_staff(gridbook: Gridbook, name: str, role: str, area: str) -> str:
    member = staff.add(
        gridbook.people, username=name, password=PASSWORD, name=name.title(), roles=[role], area=area
    )
    return tokens.create(gridbook.people, member, label="tests", scopes=ACTIONS, days=1)


def fill_registers(gridbook: Gridbook) -> None:
    office = gridbook.store.ensure("office")
    levels = {6: "district", 9: "town", 12: "village"}
    parents = {6: 0, 9: 6, 12: 9}
    for code, name in AREAS.items():
        area = {"type": "area", "code": code, "name": name, "level": levels[len(code)]}
        if parents[len(code)]:
            area["parent_code"] = code[: parents[len(code)]]
        office.put({"_id": f"area:{code}", **area}, writer="server")
    for village in (VILLAGE, VILLAGE_2, OTHER_VILLAGE):
        register = gridbook.store.ensure(f"register-{village}")
        for document in village_documents(village):
            register.put(document, writer="server")


def village_documents(village: str) -> list[dict[str, Any]]:
    """Four households, two points, two roster entries, a station, a filler: in the first village the ids
    that the samples use."""
    prefix = {VILLAGE: "", VILLAGE_2: "B", OTHER_VILLAGE: "C"}[village]
    since = "2020-01-26"
    entitlement = [
        {"item_code": "VEG_BOX", "qty": 1, "unit": "box"},
        {"item_code": "RICE_BAG", "qty": 1, "unit": "bag"},
    ]
    heads = ("示范丙", "欧阳示范", "示范丁", "张三丰")
    documents: list[dict[str, Any]] = [
        {
            "_id": f"village:{village}",
            "type": "village",
            "code": village,
            "name": AREAS[village],
            "town_code": village[:9],
            "town_name": AREAS[village[:9]],
            "grids": [{"code": f"{village}01", "name": "第一网格"}],
        },
        {
            "_id": "campaign:aixin",
            "type": "campaign",
            "campaign_id": "aixin",
            "name": {"zh": "防疫情、送爱心", "en": "Relief parcels"},
            "starts_on": since,
            "items": entitlement,
        },
    ]
    for number, head in enumerate(heads, start=1):
        household = f"{prefix}H{number}"
        documents.append(
            {
                "_id": f"household:{household}",
                "type": "household",
                "household_id": household,
                "village_code": village,
                "grid_code": f"{village}01",
                "door_no": str(number),
                "address": f"幸福小区{number}号楼2单元501室",
                "head_name": head,
                "head_search": "sfb",
                "phone": f"1540000000{number}",
                "residents": 4,
                "active_from": since,
            }
        )
        entry = f"aixin:{prefix}{number}"
        if number in (1, 3):
            documents.append(
                {
                    "_id": f"roster:{entry}",
                    "type": "roster_entry",
                    "roster_entry_id": entry,
                    "campaign_id": "aixin",
                    "entry_no": f"{prefix}{number}",
                    "household_id": household,
                    "head_name": head,
                    "head_search": "sf",
                    "category": "dibao",
                    "village_code": village,
                    "active_from": since,
                    "entitlement": entitlement,
                }
            )
    for number, (name, place) in enumerate((("村委会", "committee"), ("村口", "checkpoint")), start=1):
        point = f"{prefix}P{number}"
        documents.append(
            {
                "_id": f"point:{point}",
                "type": "point",
                "point_id": point,
                "village_code": village,
                "name": name,
                "place_type": place,
                "indoor_outdoor": "indoor",
                "area_m2": 100,
                "interval_h": 24,
                "active_from": since,
            }
        )
    documents.append(
        {
            "_id": f"station:{prefix}S1",
            "type": "station",
            "station_id": f"{prefix}S1",
            "village_code": village,
            "name": f"{AREAS[village]}健康站",
        }
    )
    filler = f"{prefix}filler-1"
    documents.append(
        {
            "_id": f"filler:{filler}",
            "type": "filler",
            "filler_id": filler,
            "name": "示范甲",
            "role": "grid_volunteer",
            "village_code": village,
            "grid_code": f"{village}01",
        }
    )
    return documents


def fill_records(world: World) -> dict[str, str]:
    """Records of today and yesterday in the first village; {what: record id}."""
    yesterday = today() - timedelta(days=1)
    device = world.device_id
    spray = sample("disinfection_log/pass/spray_84", day=yesterday, device_id=device)
    made = {
        "visit": sample("household_visit/pass/uneventful", device_id=device),
        "people": sample("household_visit/pass/two_people", device_id=device, household_id="H3"),
        "no_answer": sample(
            "household_visit/pass/no_answer", day=yesterday, device_id=device, household_id="H2"
        ),
        "too_hot": sample(
            "household_visit/fail/temp_43_1", day=yesterday, device_id=device, household_id="H1"
        ),
        "spray": spray,
        "delivery": sample("supply_delivery/pass/one_box_one_bag", day=yesterday, device_id=device),
    }
    for record in made.values():
        if record["answers"].get("signature"):
            data = (
                "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8"
                "z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
            )
            record["_attachments"] = {
                record["answers"]["signature"]: {"content_type": "image/png", "data": data}
            }
        world.push(record)
    return {name: record["_id"] for name, record in made.items()}
