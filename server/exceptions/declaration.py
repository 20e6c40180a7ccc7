"""A folder's `exceptions.json` read and checked: which exceptions there are and where each is found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FILE = "exceptions.json"
SLA = "exception_sla_h"  # the setting: hours by exception
SLA_DEFAULT_H = 24
HOURS_MAX = 24 * 400

# What each source needs to be told.
NEEDS: dict[str, tuple[str, ...]] = {
    "mentioned": ("unit", "component"),
    "unit_open": ("unit",),
    "unit_overdue": ("unit",),
    "flag": ("rule",),
    "record_says": ("form", "component"),
    "waiting": ("status",),
    "device_silent": ("after_h",),
}


class ExceptionsError(ValueError):
    """What is wrong with the declaration, naming the exception."""


@dataclass(frozen=True, slots=True)
class Kind:
    """`attempts` and `after_h` name settings of the district; `without` are components of which none may
    hold."""

    id: str
    source: str
    name: Mapping[str, str]
    help: Mapping[str, str]
    unit: str = ""
    component: str = ""
    without: tuple[str, ...] = ()
    form: str = ""
    rule: str = ""
    status: str = ""
    attempts: str = ""
    after_h: str = ""


@cache
def kinds(folder: Path) -> Mapping[str, Kind]:
    """As `read_kinds`, read once in a process."""
    return read_kinds(folder)


def read_kinds(folder: Path) -> dict[str, Kind]:
    """Of a folder of definitions. Raises ExceptionsError, which names the file."""
    try:
        return load(json.loads((folder / FILE).read_text("utf-8")))
    except ExceptionsError as error:
        raise ExceptionsError(f"{FILE}: {error}") from None
    except FileNotFoundError:
        raise ExceptionsError(f"{FILE}: there is no such file in {folder}.") from None
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        raise ExceptionsError(f"{FILE}: not of the right shape ({error!r}).") from error


def load(source: Mapping[str, Any]) -> dict[str, Kind]:
    """The exceptions by id, in their order. Raises ExceptionsError."""
    found = [_kind(row) for row in source["exceptions"]]
    by_id = {kind.id: kind for kind in found}
    if len(by_id) != len(found):
        raise ExceptionsError("an exception is declared twice")
    return by_id


def _kind(row: Mapping[str, Any]) -> Kind:
    try:
        kind = Kind(**{**row, "without": tuple(row.get("without", ()))})
    except TypeError as error:
        raise ExceptionsError(f"{row.get('id')}: {error}") from None
    if kind.source not in NEEDS:
        raise ExceptionsError(f"{kind.id}: a source is one of {', '.join(NEEDS)}")
    missing = [name for name in NEEDS[kind.source] if not getattr(kind, name)]
    if missing:
        raise ExceptionsError(f"{kind.id}: {kind.source} needs {', '.join(missing)}")
    return kind


def bound(name: str, *sources: Mapping[str, Any]) -> float:
    """A setting in hours or times: of the first source that has a usable number."""
    for source in sources:
        value = source.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= HOURS_MAX:
            return value
    return 0


def sla_h(kind: str, *sources: Mapping[str, Any]) -> float:
    """Within how many hours an exception is to be worked off."""
    for source in sources:
        given = source.get(SLA)
        if isinstance(given, Mapping) and kind in given:
            return bound("hours", {"hours": given[kind]}) or SLA_DEFAULT_H
    return SLA_DEFAULT_H
