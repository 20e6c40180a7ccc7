"""`forms/cross_rules.json` read and checked: rules that only several records together can break.

Each flags records of one unit by one of a few kinds; `server/readmodel/flagging.py` has a function for each
kind. Those with `suspects` also pair records that may say the same (`server/readmodel/suspects.py`);
`repeated_on_a_day` does only that.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

FILE = "cross_rules.json"
# Kind -> what a rule of that kind must declare.
NEEDS: Mapping[str, tuple[str, ...]] = {
    "differ_on_a_day": ("value",),
    "repeated_on_a_day": ("value", "suspects"),
    "crowded": ("value", "more_than", "within_min"),
    "over_entitlement": ("items",),
    "listed_twice": (),
    "balance_below": ("items", "least"),
    "count_differs": ("items", "more_than"),
    "median_below": ("value", "least", "of_at_least"),
    "alike_in_one_place": ("apart_from", "of_at_least", "within_m"),
}


PAIRING = ("repeated_on_a_day", "crowded", "over_entitlement")


class CrossRuleError(ValueError):
    """What is wrong with the declaration, naming the rule."""


@dataclass(frozen=True, slots=True)
class CrossRule:
    """`name` is unique, `rule` is what the flag is called. `where` and `value` are expressions over a
    record; the bounds are in `bounds`: a number, or the name of a district setting."""

    name: str
    rule: str
    unit: str
    kind: str
    form: str | None
    where: str | None
    value: str | None
    items: str | None
    differ: str | None
    apart_from: tuple[str, ...]
    bounds: Mapping[str, float | str]
    path: str
    message: Mapping[str, str]
    suspects: bool = False

    def bound(self, name: str, settings: Mapping[str, Any]) -> float | None:
        """None when the setting has no number: the rule then flags nothing."""
        value = self.bounds[name]
        found = settings.get(value) if isinstance(value, str) else value
        return found if isinstance(found, int | float) and not isinstance(found, bool) else None

    def problem(self) -> dict[str, Any]:
        return {"rule": self.rule, "severity": "F", "path": self.path, "message": dict(self.message)}


BOUNDS = ("more_than", "within_min", "within_m", "least", "of_at_least")


def load_rules(rows: Collection[Mapping[str, Any]], units: Collection[str]) -> dict[str, CrossRule]:
    """Raises CrossRuleError."""
    rules = {row["name"]: _rule(row, units) for row in rows}
    if len(rules) != len(rows):
        raise CrossRuleError("two rules have one name")
    return rules


def _rule(row: Mapping[str, Any], units: Collection[str]) -> CrossRule:
    name, kind = row["name"], row["kind"]
    if kind not in NEEDS:
        raise CrossRuleError(f"rule {name}: unknown kind {kind}")
    missing = [need for need in NEEDS[kind] if need not in row]
    if missing:
        raise CrossRuleError(f"rule {name}: {kind} needs {', '.join(missing)}")
    if row["unit"] not in units:
        raise CrossRuleError(f"rule {name}: there is no unit {row['unit']}")
    if row.get("suspects") and kind not in PAIRING:
        raise CrossRuleError(f"rule {name}: {kind} pairs no records; {', '.join(PAIRING)} do")
    return CrossRule(
        name,
        row["rule"],
        row["unit"],
        kind,
        row.get("form"),
        row.get("where"),
        row.get("value"),
        row.get("items"),
        row.get("differ"),
        tuple(row.get("apart_from", ())),
        {bound: row[bound] for bound in BOUNDS if bound in row},
        row["path"],
        row["message"],
        row.get("suspects") is True,
    )
