"""Nil reports: staff put on record that a village has nothing to report on a day, in the village's name.

    office / nil:<yyyymmdd>:<village_code>:<n>
    {"_id", "type": "nil_report", village_code, day, n, what: "said" | "withdrawn", note?, at,
     by: {staff_id, name}}

Documents are only added; the last one by the moment asked about holds. `n` counts from 1, so of two who write
at once one finds the number taken and is told what the other did.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from server import clock
from server.people.staff import Staff
from server.readmodel.moments import BEIJING, beijing_day
from sync.store import Conflict, NotFound, Store

DATABASE = "office"
SAID, WITHDRAWN = "said", "withdrawn"
MOVES = (SAID, WITHDRAWN)
NOTE_LENGTH_MAX = 200
STEPS_MAX = 99  # of a village and day


class NilRefused(Exception):
    """`code` names the reason in the API's catalogue, `fields` fill its sentence."""

    def __init__(self, code: str, **fields: Any) -> None:
        super().__init__(f"{code} {fields}")
        self.code, self.fields = code, fields


@dataclass(frozen=True, slots=True)
class NilStep:
    """`day` is Beijing's, `at` RFC 3339 UTC, `by` {staff_id, name}."""

    village_code: str
    day: str
    n: int
    what: str
    at: str
    by: Mapping[str, str]
    note: str = ""


def steps(store: Store, day: str, village_code: str = "") -> list[NilStep]:
    """Of a day, or of one village on it; a village's earlier ones first."""
    prefix = f"nil:{day.replace('-', '')}:" + (f"{village_code}:" if village_code else "")
    try:
        documents = list(store.open(DATABASE).documents(prefix))
    except NotFound:
        return []
    return [NilStep(**{name: doc[name] for name in NilStep.__slots__ if name in doc}) for doc in documents]


def standing(store: Store, day: str, as_of: str | None = None, village_code: str = "") -> dict[str, NilStep]:
    """{village: what was said} of the villages whose nil report holds; `as_of` (RFC 3339 UTC, inclusive)
    leaves out what was written later."""
    last: dict[str, NilStep] = {}
    for step in steps(store, day, village_code):
        if as_of is None or step.at <= as_of:
            last[step.village_code] = step
    return {code: step for code, step in last.items() if step.what == SAID}


_kept: dict[tuple[str, str], tuple[Any, frozenset[str]]] = {}
KEPT_MAX = 100


def villages_of(store: Store, day: str) -> frozenset[str]:
    """The villages whose nil report holds now; read again when the office's documents have moved."""
    try:
        moved = store.open(DATABASE).seq()
    except NotFound:
        return frozenset()
    before = _kept.get((store.uuid, day))
    if before is None or before[0] != moved:
        if len(_kept) >= KEPT_MAX:
            _kept.clear()
        before = _kept[store.uuid, day] = moved, frozenset(standing(store, day))
    return before[1]


def add(
    store: Store, village_code: str, day: date, what: str, note: str, member: Staff, now: datetime
) -> NilStep:
    """Say it, or take it back. Raises NilRefused: a day to come, said already, not said, somebody was
    quicker."""
    on, note = day.isoformat(), " ".join(note.split())
    if on > beijing_day(now):
        raise NilRefused("nil-future", day=on)
    before = steps(store, on, village_code)
    _refuse_repeated(before, what)
    step = NilStep(
        village_code=village_code,
        day=on,
        n=len(before) + 1,
        what=what,
        at=clock.stamp(now),
        by={"staff_id": member.staff_id, "name": member.name},
        note=note[:NOTE_LENGTH_MAX],
    )
    body = {name: value for name, value in asdict(step).items() if value != ""}
    document = {"_id": f"nil:{on.replace('-', '')}:{village_code}:{step.n:02}", "type": "nil_report", **body}
    try:
        store.ensure(DATABASE).put(document, writer=member.writer)
    except Conflict:
        _refuse_repeated(steps(store, on, village_code), what)
        raise NilRefused("nil-moved") from None
    return step


def _refuse_repeated(before: list[NilStep], what: str) -> None:
    last = before[-1] if before else None
    if last is None or last.what == WITHDRAWN:
        if what == WITHDRAWN:
            raise NilRefused("nil-not-said")
    elif what == SAID:
        at = datetime.fromisoformat(last.at).astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")
        raise NilRefused("nil-said", name=last.by["name"], at=at)
    if len(before) >= STEPS_MAX:
        raise NilRefused("nil-too-often", count=STEPS_MAX)
