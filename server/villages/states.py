"""The three states of a village on a day: reported, nil, silent (indicator J3). Records outweigh a nil
report."""

from __future__ import annotations

from datetime import date
from typing import Any

from server import clock
from server.app import Gridbook
from server.people.staff import Staff
from server.readmodel import queries
from server.readmodel.kept import kept
from server.villages import nil_reports
from server.villages.nil_reports import NilRefused, NilStep

STATES = ("reported", "nil", "silent")


def villages(shared: Gridbook, area_code: str, day: str) -> list[dict[str, Any]]:
    """Every village of an area: [{area, state, counts: {component: number}, quarantined,
    last_received_at?, nil?: {at, by, note?}}]; `nil` is there while the nil report holds, also when records
    came after it."""
    said = nil_reports.standing(shared.store, day)
    return [_with_nil(row, said.get(row["area"]["code"])) for row in _rows(shared, area_code, day)]


def counts(shared: Gridbook, area_code: str, day: str) -> dict[str, int]:
    """{state: how many villages of an area}, as `villages` has them."""
    rm = shared.readmodel
    there, reported = kept(rm).get(
        ("reported", area_code, day), lambda: queries.villages_reported(rm, area_code, day)
    )
    nil = (nil_reports.villages_of(shared.store, day) & there) - reported
    found = {"reported": len(reported), "nil": len(nil)}
    return found | {"silent": len(there) - sum(found.values())}


def _rows(shared: Gridbook, area_code: str, day: str) -> list[dict[str, Any]]:
    return queries.villages_status(shared.readmodel, area_code, day)


def _with_nil(row: dict[str, Any], step: NilStep | None) -> dict[str, Any]:
    if step is None:
        return row
    told = {"at": step.at, "by": dict(step.by)} | ({"note": step.note} if step.note else {})
    return row | {"state": "nil" if row["state"] == "silent" else row["state"], "nil": told}


def say(
    shared: Gridbook, member: Staff, village_code: str, day: date, what: str, note: str = ""
) -> dict[str, Any]:
    """A step of the village's nil report; returns the village as `villages` has it. Raises NilRefused, also
    where records of the day count: such a village has something to report."""
    on = day.isoformat()
    found = _rows(shared, village_code, on)
    if not found:
        raise NilRefused("nil-no-village", area=village_code)
    if what == nil_reports.SAID and found[0]["state"] == "reported":
        raise NilRefused("nil-reported", day=on)
    nil_reports.add(shared.store, village_code, day, what, note, member, clock.now())
    return villages(shared, village_code, on)[0]
