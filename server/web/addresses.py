"""Where the pages show a unit."""

from __future__ import annotations

from flask import url_for

from server.api.registers import KINDS
from server.readmodel import queries

REGISTERS = {kind: name for name, kind in KINDS.items()}


def unit_href(kind: str, unit_id: str, village_code: str) -> str:
    """The page of a household, point or roster entry. What is unique in the district needs no village: a
    record about it may come from another."""
    unique = queries.indicators().units[kind].scope == "district"
    return url_for(
        "web.unit", name=REGISTERS[kind], unit_id=unit_id, village=None if unique else village_code
    )
