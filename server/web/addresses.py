"""Where the pages show a unit."""

from __future__ import annotations

from typing import Any

from flask import url_for

from server.api.registers import KINDS
from server.app import gridbook
from server.people.permissions import may
from server.people.staff import Staff

REGISTERS = {kind: name for name, kind in KINDS.items()}


def history_href(member: Staff, kind: str, unit_id: str, village_code: str) -> str:
    """Where a member may look at what was found at a unit: its page, for those who may read the register, its
    records, or nowhere."""
    if not may(member, "records.read"):
        return ""
    if may(member, "register.read"):
        return unit_href(kind, unit_id, village_code)
    of_unit: dict[str, Any] = {kind: unit_id}
    return url_for("web.records", **of_unit)


def unit_href(kind: str, unit_id: str, village_code: str) -> str:
    """The page of a household, point or roster entry. What is unique in the district needs no village: a
    record about it may come from another."""
    unique = gridbook().declaration.units[kind].scope == "district"
    return url_for(
        "web.unit", name=REGISTERS[kind], unit_id=unit_id, village=None if unique else village_code
    )
