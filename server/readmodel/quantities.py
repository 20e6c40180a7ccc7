"""Amounts as the tables keep them, and in one another's units: 1 jin is 0.5 kg. What cannot be converted
counts as it is written."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from schemas.expressions import to_number
from server.readmodel.tables import MILLIONTHS

VALUE_MAX = 1_000_000_000

MASS = {
    "kg": Fraction(1),
    "公斤": Fraction(1),
    "jin": Fraction(1, 2),
    "斤": Fraction(1, 2),
    "g": Fraction(1, 1000),
    "克": Fraction(1, 1000),
}
VOLUME = {
    "l": Fraction(1),
    "L": Fraction(1),
    "升": Fraction(1),
    "ml": Fraction(1, 1000),
    "mL": Fraction(1, 1000),
    "毫升": Fraction(1, 1000),
}


def convert(amount: int, unit: str, wanted: str) -> int:
    for family in (MASS, VOLUME):
        if unit in family and wanted in family:
            return round(amount * family[unit] / family[wanted])
    return amount


def millionths(value: Any) -> int | None:
    number = to_number(value) if value != "" else math.nan
    return round(number * MILLIONTHS) if abs(number) <= VALUE_MAX else None
