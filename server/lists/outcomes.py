"""The eight outcomes that a name of a list can have, and where a list stands: pure.

Decisions are a log: the last one of a row by the moment asked about says its outcome. A row without one, or
whose last one names no outcome, is open. So the outcomes and the open rows sum to the list at any moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

OUTCOMES: Mapping[str, Mapping[str, str]] = {
    "already_managed": {"zh": "前期已排查", "en": "screened already"},
    "missed": {"zh": "漏排（现补管）", "en": "had been missed"},
    "wrong_info": {"zh": "信息有误", "en": "wrong information"},
    "not_here": {"zh": "不在本地居住", "en": "does not live here"},
    "past_window": {"zh": "超过排查期", "en": "past the period"},
    "stay_hubei": {"zh": "在湖北（武汉）停留或中转", "en": "stayed in or passed through Hubei"},
    "stay_other_key": {
        "zh": "在其他重点地区停留或中转",
        "en": "stayed in or passed through another key area",
    },
    "no_key_area": {"zh": "未到重点地区", "en": "was in no key area"},
}
OPEN = "open"
STATES = (*OUTCOMES, OPEN)


@dataclass(frozen=True, slots=True)
class Decision:
    """The `n`th about its row, from 1. `by` is {staff_id, name}; without it the match itself decided.

    `candidate` is the key of whom the name was found to be; `rejected` are keys of whom it is not.
    """

    row: int
    n: int
    decided_at: str
    by: Mapping[str, str] | None = None
    outcome: str | None = None
    candidate: str | None = None
    rejected: Sequence[str] = ()
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where each row stands: the decision that holds, none when nobody has decided."""

    rows: Sequence[int]
    last: Mapping[int, Decision] = field(default_factory=dict)

    def state(self, row: int) -> str:
        decision = self.last.get(row)
        return decision.outcome if decision and decision.outcome and decision.outcome in OUTCOMES else OPEN

    def counts(self) -> dict[str, int]:
        """Every outcome and `open`; they sum to the list."""
        found = dict.fromkeys(STATES, 0)
        for row in self.rows:
            found[self.state(row)] += 1
        return found


def standing(rows: Sequence[int], decisions: Iterable[Decision], as_of: str | None = None) -> Standing:
    """`as_of` (RFC 3339 UTC, inclusive) leaves out what was decided later."""
    known, last = set(rows), dict[int, Decision]()
    for decision in decisions:
        if decision.row not in known or (as_of is not None and decision.decided_at > as_of):
            continue
        if decision.row not in last or decision.n > last[decision.row].n:
            last[decision.row] = decision
    return Standing(rows, last)


def words(outcome: str, language: str, own: Mapping[str, Any]) -> str:
    """What an outcome is called; `own` are a template's words for its superior."""
    return str(own.get(outcome) or OUTCOMES[outcome][language])
