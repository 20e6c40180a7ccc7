"""Loads the demo district: tables written as CSV and imported as any other, a few movements of stock, then
people and codes.

Every step may be repeated; `demo-credentials.json`, written last, says that all of them are done.
"""

from __future__ import annotations

import csv
import json
import secrets
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

from server import clock, datafolder
from server.app import Gridbook
from server.people import enrolment, staff, tokens
from server.register.demo import movements
from server.register.demo.district import DISTRICT, SINCE, Demo, generate
from server.register.importer import import_file
from server.register.kinds import KINDS, OFFICE
from server.register.report import Report
from server.register.upsert import ids_with

USERNAME = "district"
CREDENTIALS_DAYS = 365
PHONES = {"370304001901": 4, "370304103901": 3, "370304111901": 3}  # village code: enrolment codes


class NotEmpty(Exception):
    """The data folder holds a district of its own; a demo does not belong there."""


def credentials_file(data: Path) -> Path:
    return data / "demo-credentials.json"


def credentials(data: Path) -> dict[str, Any] | None:
    """What `demo-credentials.json` holds; None when this is no demo."""
    path = credentials_file(data)
    return json.loads(path.read_text("utf-8")) if path.exists() else None


def load(gridbook: Gridbook) -> dict[str, Report]:
    """Make the demo district; {kind: report}, empty when it was there. Raises NotEmpty."""
    data = gridbook.settings.data
    if credentials_file(data).exists():
        keep_addresses(gridbook)
        return {}
    folder = data / "demo"
    if not folder.exists() and any(ids_with(gridbook.store, OFFICE, "area:")):
        raise NotEmpty
    folder.mkdir(exist_ok=True, mode=0o700)
    reports = {}
    for kind, table in tables(generate()).items():
        path = write_csv(folder, kind, table)
        reports[kind] = import_file(gridbook.store, KINDS[kind], path, today=SINCE)
    movements.load(gridbook.store, clock.now())
    datafolder.write_private(credentials_file(data), _json(_make_credentials(gridbook)))
    return reports


def tables(demo: Demo) -> dict[str, list[dict[str, Any]]]:
    """By import kind, in the order in which they must be imported."""
    return {field.name.replace("_", "-"): getattr(demo, field.name) for field in fields(demo)}


def write_csv(folder: Path, kind: str, table: list[dict[str, Any]]) -> Path:
    """With the Chinese headers, as an office would keep it."""
    used = {name for row in table for name in row}
    headers = {column.name: column.zh[0] for column in KINDS[kind].columns if column.name in used}
    path = folder / f"{kind}.csv"
    with open(path, "w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, headers)
        writer.writerow(headers)
        writer.writerows(table)
    return path


def _make_credentials(gridbook: Gridbook) -> dict[str, Any]:
    password = secrets.token_urlsafe(12)
    member = _member(gridbook, password)
    token = tokens.create(
        gridbook.people,
        member,
        label="demo",
        scopes=[*tokens.READING, "records.review"],
        days=CREDENTIALS_DAYS,
    )
    return {
        "url": gridbook.settings.public_url,
        "staff": {"username": USERNAME, "password": password},
        "api_token": token,
        "enrolment": [
            _code(gridbook, village, number) for village, count in PHONES.items() for number in range(count)
        ],
    }


def _member(gridbook: Gridbook, password: str) -> staff.Staff:
    """The demo's staff member; the password of a broken-off attempt is replaced, as nobody was told it."""
    member = staff.by_username(gridbook.people, USERNAME)
    if member is not None:
        staff.set_password(gridbook.people, member, password)
        return member
    roles = ("district_staff", "administrator")
    return staff.add(
        gridbook.people,
        username=USERNAME,
        password=password,
        name="指挥部（演示）",
        roles=roles,
        area=DISTRICT[0],
    )


def _code(gridbook: Gridbook, village: str, number: int) -> dict[str, str]:
    offer = enrolment.Offer(villages=[village])
    code = enrolment.create_code(gridbook.people, offer, valid_for=timedelta(days=CREDENTIALS_DAYS))
    return {
        "code": code,
        "village_code": village,
        "url": enrolment.link(gridbook.settings.public_url, code),
        "filler_id": f"{village}-F{1 + number % 3}",
    }


def keep_addresses(gridbook: Gridbook) -> None:
    """The server may have moved to another port; everything else in the file stays."""
    data, url = gridbook.settings.data, gridbook.settings.public_url
    kept = credentials(data)
    if kept is None or kept["url"] == url:
        return
    kept["url"] = url
    for entry in kept["enrolment"]:
        entry["url"] = enrolment.link(url, entry["code"])
    datafolder.write_private(credentials_file(data), _json(kept))


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"
