"""What a device is for, in words: its villages and fillers as the registers know them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from server.people.devices import Device
from server.register.upsert import ids_with
from sync.store import NotFound, Store

DISTRICT_UNKNOWN = {"zh": "", "en": ""}


def describe(store: Store, device: Device) -> dict[str, Any]:
    """{device_id, villages: [{code, name}], fillers: [{filler_id, name, role, village_code}], server_uuid,
    district: {zh, en}}"""
    return {
        "device_id": device.device_id,
        "villages": [{"code": code, "name": village_name(store, code)} for code in device.villages],
        "fillers": [filler for code in device.villages for filler in _fillers(store, device, code)],
        "server_uuid": store.uuid,
        "district": _district(store),
    }


def village_name(store: Store, code: str) -> str:
    """The village's name, or its code when the register does not know it."""
    try:
        return str(store.open(f"register-{code}").get(f"village:{code}")["name"])
    except NotFound:
        return code


def filler_ids(store: Store, village_code: str) -> list[str]:
    """The fillers of a village, by id."""
    return [
        doc_id.removeprefix("filler:") for doc_id in ids_with(store, f"register-{village_code}", "filler:")
    ]


def _fillers(store: Store, device: Device, village_code: str) -> Iterator[dict[str, str]]:
    try:
        documents = list(store.open(f"register-{village_code}").documents("filler:"))
    except NotFound:
        return
    for document in documents:
        if not device.filler_ids or document["filler_id"] in device.filler_ids:
            yield {key: document[key] for key in ("filler_id", "name", "role", "village_code")}


def _district(store: Store) -> dict[str, str]:
    try:
        district = store.open("catalogue").get("settings:district")["district"]
    except NotFound:
        return DISTRICT_UNKNOWN
    return {"zh": district["zh"], "en": district["en"]}
