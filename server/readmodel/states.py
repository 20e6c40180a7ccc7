"""What a unit's effective records leave it as: its state for staff, and the short summary that phones
carry."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from server.readmodel.books import lines, tallies
from server.readmodel.contributions import Entry, Unit, add_items, interval_h, is_done, is_over, is_partial
from server.readmodel.declaration import Declaration
from server.readmodel.facts import KEPT, Facts
from server.readmodel.figures import number
from server.readmodel.moments import beijing_stamp, parse, stamp

State = dict[str, Any]
RESULT_OF = {"household": "visit_result", "roster_entry": "delivery_result"}
ITEMS_OF_ENTRY = "items_handed_out"
ENDED_AT = "points_in_interval"
CONTACTED = "households_contacted"
NEVER_DONE = ""  # sorts before every moment


@dataclass(frozen=True, slots=True)
class Left:
    """`summary` is what the register's document shows; {} when there is nothing to show."""

    state: State
    summary: State
    due_at: str


def left(unit: Unit, history: Sequence[Entry], declaration: Declaration, settings: Mapping[str, Any]) -> Left:
    if not history:
        return Left({}, {}, NEVER_DONE)
    if unit.kind in STATES:
        return STATES[unit.kind](unit, history, settings)
    return _other(unit, history, declaration)


def _other(unit: Unit, history: Sequence[Entry], declaration: Declaration) -> Left:
    """A unit that the pages know nothing particular of: its records, and what stands on its books."""
    last = history[-1]
    state: State = {"records": len(history), "last_work_date": last.work_date, "record_id": last.record_id}
    on_books = lines(unit, history, declaration)
    if not on_books:
        return Left(state, {}, NEVER_DONE)
    summary = {
        "balances": [{"name": line["name"], "qty": line["qty"]} for line in on_books],
        "record_id": last.record_id,
    }
    differs = not all(map(tallies, on_books))
    return Left(state | {"balances": on_books, "differs": differs}, summary, NEVER_DONE)


def _kept(facts: Facts) -> Mapping[str, Any]:
    kept = facts.get(KEPT)
    return kept if isinstance(kept, dict) else {}


def _household(unit: Unit, history: Sequence[Entry], settings: Mapping[str, Any]) -> Left:
    last = history[-1]
    state: State = {"visits": len(history), "last_visit_date": last.work_date}
    state |= _named(_kept(last.facts), {"visit_result": "last_result", "next_visit_at": "next_visit_at"})
    contacted = [entry for entry in history if CONTACTED in entry.facts]
    if contacted:
        state["last_contacted_date"] = contacted[-1].work_date
        state |= _named(_kept(contacted[-1].facts), {"resident_count": "resident_count"})
    state["record_id"] = last.record_id
    return Left(state | {"first_visit_date": history[0].work_date}, state, NEVER_DONE)


def _named(answers: Mapping[str, Any], names: Mapping[str, str]) -> State:
    return {target: answers[name] for name, target in names.items() if name in answers}


def _point(unit: Unit, history: Sequence[Entry], settings: Mapping[str, Any]) -> Left:
    done = [(entry.facts[ENDED_AT], entry.record_id) for entry in history if ENDED_AT in entry.facts]
    if not done:
        return Left({"disinfections": len(history)}, {}, NEVER_DONE)
    moment, record_id = max(done)
    ended = parse(moment)
    if ended is None:
        return Left({"disinfections": len(history)}, {}, NEVER_DONE)
    due = ended + timedelta(hours=interval_h(unit, settings))
    summary = {"last_ended_at": beijing_stamp(ended), "next_due": beijing_stamp(due), "record_id": record_id}
    return Left(summary | {"disinfections": len(history)}, summary, stamp(due))


def _roster_entry(unit: Unit, history: Sequence[Entry], settings: Mapping[str, Any]) -> Left:
    got: dict[str, int] = {}
    for entry in history:
        add_items(got, entry.facts.get(ITEMS_OF_ENTRY, ()), unit)
    state = "done" if is_done(got, unit) else "partial" if is_partial(got, unit) else "open"
    last = history[-1]
    summary: State = {
        "delivered": [{"item_code": code, "qty": number(quantity)} for code, quantity in sorted(got.items())],
        "state": state,
        **_named(_kept(last.facts), {"delivery_result": "last_result"}),
        "record_id": last.record_id,
    }
    more: State = {"deliveries": len(history)} | ({"over": True} if is_over(got, unit) else {})
    more |= _named(_kept(last.facts), {"undelivered_reason": "last_reason", "retry_at": "retry_at"})
    return Left(summary | more, summary, NEVER_DONE)


STATES: Mapping[str, Callable[[Unit, Sequence[Entry], Mapping[str, Any]], Left]] = {
    "household": _household,
    "point": _point,
    "roster_entry": _roster_entry,
}
