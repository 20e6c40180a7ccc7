"""A folder's `indicators.json` read and checked: which units there are, which components they feed, which
indicators sum them. The rules of its `cross_rules.json` come along: they flag records of the same units; and
of its `exceptions.json` who of those who are mentioned stands out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from server.readmodel.cross_rules import FILE as RULES_FILE
from server.readmodel.cross_rules import CrossRule, CrossRuleError, load_rules
from server.readmodel.groups import Group, GroupError, load_groups
from server.readmodel.standing_out import StandingOut, load_standing_out
from server.readmodel.tables import SCHEMA

SHIPPED = Path(__file__).parent.parent.parent / "forms"
FILE, EXCEPTIONS_FILE = "indicators.json", "exceptions.json"

# Day kinds count within a day; level kinds change a value that holds from a day on.
DAY_KINDS = {
    "count_records",
    "count_units_day",
    "sum",
    "rules",
    "max_per_day",
    "best_rank_day",
    "within_interval",
    "new_units",
    "new_without",
    "new_from_area",
    "spread",
    "flagged",
}
# Day kinds that may also be added up over all days so far: amounts, which count nothing twice.
ADDED_UP = {"sum"}
LEVEL_KINDS = {
    "register",
    "first_day",
    "best_rank",
    "latest",
    "fulfilled",
    "handed_out",
    "balance",
    "from_area",
    "from_area_then",
}
# Whom a record mentions besides its own unit.
IDENTITIES = ("person", "filler_day")


class DeclarationError(ValueError):
    """What is wrong with the declaration, naming the component or indicator."""


@dataclass(frozen=True, slots=True)
class UnitKind:
    """`forms` maps a form to the answer that names the unit. `unlisted` units, which the register does not
    know, `join` the
    denominators from their first record on, or stay `apart`. `scope` says within what an id is unique:
    village or district."""

    name: str
    register: str
    forms: Mapping[str, str]
    unlisted: str
    scope: str
    keep: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mentioned:
    """A unit that records mention besides the one they are about, and that no register lists: with `each`,
    one for every instance of that repeat. `identity` says how it is recognized, `stays_unless` which
    mentions do not say where it is."""

    name: str
    form: str
    each: str | None
    identity: str
    stays_unless: str | None


@dataclass(frozen=True, slots=True)
class Component:
    name: str
    unit: str
    kind: str
    form: str | None
    where: str | None
    value: str | None
    each: str | None
    by: str | None
    ranks: Mapping[str, int]
    answer: str | None  # the answer that `ranks` grades
    wanted: str | None
    settles: bool
    rules: tuple[str, ...]
    then: str | None  # what is to follow, or follows
    on: str | None  # the day that decides which areas are key areas
    within_h: str | None  # the setting that says within how many hours
    bounds: tuple[int, ...]  # the ranges that values are counted in, each by its upper end
    counts: str | None  # which records count what is there
    since_count: tuple[str, ...]  # sums that are told beside a balance, from the last count on
    of: str | None  # what of the register's entry goes before the part
    said: str  # the component under whose name records say it: itself, or the one that it divides


@dataclass(frozen=True, slots=True)
class Term:
    sign: int
    scope: str  # day | so_far
    component: str
    at: Mapping[str, tuple[str, str]] = field(compare=False)  # {span: what `figures.Sums` knows it by}


@dataclass(frozen=True, slots=True)
class Indicator:
    """`more` says whether a larger figure is "better" or "worse", or is "" for neither. `worked_on` is the
    page on which staff work with what is counted, {page, and what narrows it}, or empty."""

    id: str
    name: Mapping[str, str]
    unit: Mapping[str, str]
    note: Mapping[str, str]
    cumulative: bool
    value: tuple[Term, ...]
    numerator: tuple[Term, ...]
    denominator: tuple[Term, ...]
    parts_numerator: tuple[Term, ...]
    parts_denominator: tuple[Term, ...]
    parts_value: tuple[Term, ...]
    mean: bool  # numerator ÷ denominator as it is, not in percent
    spread: tuple[Term, ...]
    percentile: int | None  # of the values that `spread` counts
    bounds: tuple[int, ...]
    group: str
    more: str
    worked_on: Mapping[str, str]

    def terms(self) -> tuple[Term, ...]:
        return (
            *self.spread,
            *self.value,
            *self.numerator,
            *self.denominator,
            *self.parts_numerator,
            *self.parts_denominator,
            *self.parts_value,
        )

    def components(self) -> set[str]:
        return {term.component for term in self.terms()}


@dataclass(frozen=True, eq=False)
class Declaration:
    units: Mapping[str, UnitKind]
    mentioned: Mapping[str, Mentioned]
    components: Mapping[str, Component]
    indicators: Mapping[str, Indicator]
    rules: Mapping[str, CrossRule]
    standing_out: tuple[StandingOut, ...]
    groups: Mapping[str, Group]
    reports: Mapping[str, Mapping[str, str]]  # components of which any says that a village reported, by name
    digest: str  # of everything that the tables depend on
    whole_digest: str  # of everything that figures and their words depend on

    @cached_property
    def first_lead(self) -> Indicator | None:
        """The figure that is looked at first."""
        leads = [group.lead for group in self.groups.values() if group.lead]
        return self.indicators[leads[0]] if leads else None

    @cached_property
    def overdue(self) -> Indicator | None:
        """The count of what was not done again within its interval: it is another at each moment of a day."""
        done = self.within_interval
        counts = (each for each in self.indicators.values() if each.value)
        return next((each for each in counts if done and done.name in each.components()), None)

    @cached_property
    def within_interval(self) -> Component | None:
        return next((each for each in self.components.values() if each.kind == "within_interval"), None)

    def unit_of_form(self, form_id: str | None) -> UnitKind | None:
        return self._by_form.get(form_id)

    @cached_property
    def _by_form(self) -> dict[str | None, UnitKind]:
        return {form_id: unit for unit in reversed(list(self.units.values())) for form_id in unit.forms}

    def unit_of_register(self, kind: str) -> UnitKind | None:
        return next((unit for unit in self.units.values() if unit.register == kind), None)

    def of_unit(self, unit: str) -> list[Component]:
        return self._by_unit.get(unit, [])

    @cached_property
    def _by_unit(self) -> dict[str, list[Component]]:
        found: dict[str, list[Component]] = {}
        for component in self.components.values():
            found.setdefault(component.unit, []).append(component)
        return found

    def standing_out_of(self, unit: str) -> list[StandingOut]:
        return [each for each in self.standing_out if each.unit == unit]

    def rules_of(self, unit: str) -> list[CrossRule]:
        return self._rules_by_unit.get(unit, [])

    @cached_property
    def _rules_by_unit(self) -> dict[str, list[CrossRule]]:
        found: dict[str, list[CrossRule]] = {}
        for rule in self.rules.values():
            found.setdefault(rule.unit, []).append(rule)
        return found


def read_declaration(folder: Path = SHIPPED) -> Declaration:
    """Of a folder of definitions. Raises DeclarationError, which names the file."""
    source = _read(folder / FILE, {"units": dict, "components": dict, "reports": dict, "groups": list,
                                   "indicators": list})  # fmt: skip
    rules = _read(folder / RULES_FILE, {"rules": list})["rules"]
    exceptions = _read(folder / EXCEPTIONS_FILE, {"exceptions": list})["exceptions"]
    try:
        return load_declaration(source, rules, exceptions)
    except DeclarationError as error:
        raise DeclarationError(f"{FILE}: {error}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise DeclarationError(
            f"{FILE}, {RULES_FILE} or {EXCEPTIONS_FILE}: a row is not of its shape: {error!r}"
        ) from error


def _read(path: Path, members: Mapping[str, type]) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise DeclarationError(f"{path.name}: there is no such file in {path.parent}.") from None
    except (ValueError, RecursionError) as error:
        raise DeclarationError(f"{path.name}: not valid JSON ({error}).") from error
    if not isinstance(content, dict):
        raise DeclarationError(f"{path.name}: the file should hold one JSON object.")
    for name, kind in members.items():
        if not isinstance(content.get(name), kind):
            written = "{…}" if kind is dict else "[…]"
            raise DeclarationError(f'{path.name}: it needs "{name}": {written}.')
    return content


def load_declaration(
    source: Mapping[str, Any],
    rules: Sequence[Mapping[str, Any]] = (),
    exceptions: Sequence[Mapping[str, Any]] = (),
) -> Declaration:
    """Raises DeclarationError."""
    units = {name: _unit(name, row) for name, row in source["units"].items()}
    mentioned = {name: _mentioned(name, row, units) for name, row in source.get("mentioned", {}).items()}
    ranks = source.get("ranks", {})
    components = {
        name: _component(name, _like(row, source["components"]), units, mentioned, ranks)
        for name, row in source["components"].items()
    }
    for component in components.values():
        if not set(component.since_count) <= {
            each.name for each in components.values() if each.kind == "sum"
        }:
            raise DeclarationError(f"component {component.name}: since_count names sums")
    indicators = {row["id"]: _indicator(row, components) for row in source["indicators"]}
    if len(indicators) != len(source["indicators"]):
        raise DeclarationError("two indicators have one id")
    try:
        cross = load_rules(rules, {*units, *mentioned})
        groups = load_groups(
            source["groups"], {name: indicator.group for name, indicator in indicators.items()}
        )
    except (CrossRuleError, GroupError) as error:
        raise DeclarationError(str(error)) from error
    _check_flagged(components, cross, units)
    out = load_standing_out(exceptions)
    reports = source["reports"]
    for name in reports:
        if name not in components or components[name].kind != "count_records":
            raise DeclarationError(f"reports: {name} is not a component that counts records")
    digest = _digest(_counted(source, rules, out))
    whole = _digest([source, rules, exceptions])
    return Declaration(units, mentioned, components, indicators, cross, out, groups, reports, digest, whole)


def _check_flagged(
    components: Mapping[str, Component], rules: Mapping[str, CrossRule], units: Mapping[str, UnitKind]
) -> None:
    for component in components.values():
        flags = {rule.rule for rule in rules.values() if rule.unit == component.unit}
        wanted = set(component.rules)
        if component.kind == "flagged" and not (component.unit in units and wanted and wanted <= flags):
            raise DeclarationError(
                f"component {component.name}: flagged counts rules across records of its unit"
            )


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _counted(
    source: Mapping[str, Any], rules: Sequence[Mapping[str, Any]], standing_out: Sequence[StandingOut]
) -> list[Any]:
    return [
        SCHEMA,
        *(source.get(name, {}) for name in ("units", "mentioned", "ranks", "components")),
        rules,
        [[each.id, each.unit, each.component, sorted(each.without)] for each in standing_out],
    ]


def _mentioned(name: str, row: Mapping[str, Any], units: Mapping[str, UnitKind]) -> Mentioned:
    if row.get("identity") not in IDENTITIES:
        raise DeclarationError(f"mentioned {name}: identity is one of {', '.join(IDENTITIES)}")
    if not any(row.get("form") in unit.forms for unit in units.values()):
        raise DeclarationError(f"mentioned {name}: no unit counts the form {row.get('form')}")
    return Mentioned(name, row["form"], row.get("each"), row["identity"], row.get("stays_unless"))


def _unit(name: str, row: Mapping[str, Any]) -> UnitKind:
    if row.get("unlisted") not in ("join", "apart"):
        raise DeclarationError(f"unit {name}: unlisted is join or apart")
    return UnitKind(
        name,
        row["register"],
        row["forms"],
        row["unlisted"],
        row.get("scope", "village"),
        tuple(row.get("keep", ())),
    )


def _like(row: Mapping[str, Any], rows: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """A component may take over what another declares; what it says itself holds. One that divides another
    (`of`) takes over everything else, and settles nothing."""
    if "of" in row and row.keys() != {"like", "of"}:
        raise DeclarationError("a component with `of` says what it is like and nothing else")
    if "like" not in row:
        return row
    if row["like"] not in rows:
        raise DeclarationError(f"no component {row['like']} to be like")
    return {**rows[row["like"]], **row, **({"settles": False} if "of" in row else {})}


def _component(
    name: str,
    row: Mapping[str, Any],
    units: Mapping[str, UnitKind],
    mentioned: Mapping[str, Mentioned],
    ranks: Mapping[str, Mapping[str, int]],
) -> Component:
    kind, form = row["kind"], row.get("form")
    if kind not in DAY_KINDS | LEVEL_KINDS:
        raise DeclarationError(f"component {name}: unknown kind {kind}")
    owners = [unit.name for unit in units.values() if form in unit.forms] if form else [row.get("unit")]
    owner = owners[0] if owners else None
    if owner not in units and owner not in mentioned:
        raise DeclarationError(f"component {name}: no unit counts the form {form}")
    answer = row.get("rank")
    if kind.startswith("best_rank") and answer not in ranks:
        raise DeclarationError(f"component {name}: no ranks for {answer}")
    return Component(
        name,
        str(owner),
        kind,
        form,
        row.get("where"),
        row.get("value"),
        row.get("each"),
        row.get("by"),
        ranks.get(answer or "", {}),
        answer,
        row.get("is"),
        bool(row.get("settles")),
        tuple(row.get("rules", ())),
        row.get("then"),
        row.get("on"),
        row.get("within_h"),
        _bounds(name, kind, row.get("bounds", [])),
        row.get("counts"),
        tuple(row.get("since_count", ())),
        row.get("of"),
        row["like"] if "of" in row else name,
    )


BOUNDS_MAX = 60


def _bounds(name: str, kind: str, bounds: Any) -> tuple[int, ...]:
    whole = isinstance(bounds, list) and all(isinstance(each, int) and each > 0 for each in bounds)
    if not whole or sorted(set(bounds)) != bounds or (kind == "spread") != (0 < len(bounds) <= BOUNDS_MAX):
        raise DeclarationError(
            f"component {name}: bounds are 1 to {BOUNDS_MAX} rising whole numbers, and belong to a spread"
        )
    return tuple(bounds)


def _indicator(row: Mapping[str, Any], components: Mapping[str, Component]) -> Indicator:
    def terms(texts: list[str] | None) -> tuple[Term, ...]:
        return tuple(_term(row["id"], text, components) for text in texts or ())

    parts, spread = row.get("parts", {}), terms(row.get("spread"))
    bounds = {components[term.component].bounds for term in spread}
    percentile = row.get("percentile")
    if len(bounds) > 1 or bool(spread) != (percentile in range(1, 100)) or () in bounds:
        raise DeclarationError(
            f"indicator {row['id']}: a percentile is 1 to 99, of spreads with the same bounds"
        )
    indicator = Indicator(
        row["id"],
        row["name"],
        row["unit"],
        row["note"],
        row["cumulative"],
        terms(row.get("value")),
        terms(row.get("numerator")),
        terms(row.get("denominator")),
        terms(parts.get("numerator")),
        terms(parts.get("denominator")),
        terms(parts.get("value")),
        bool(row.get("mean")),
        spread,
        percentile,
        next(iter(bounds), ()),
        row["group"],
        row.get("more", ""),
        row.get("worked_on", {}),
    )
    if indicator.more not in ("", "better", "worse"):
        raise DeclarationError(f"indicator {indicator.id}: more is better or worse")
    if not indicator.cumulative and any(term.scope == "so_far" for term in indicator.terms()):
        raise DeclarationError(f"indicator {indicator.id}: what is counted so far is cumulative")
    return indicator


def _term(indicator: str, text: str, components: Mapping[str, Component]) -> Term:
    words = text.split()
    sign = -1 if words[0] == "-" else 1
    scope, component = words[-2], words[-1]
    if component not in components or scope not in ("day", "so_far"):
        raise DeclarationError(f"indicator {indicator}: cannot read {text!r}")
    kind = components[component].kind
    if (scope == "so_far") is (kind in DAY_KINDS) and not (scope == "so_far" and kind in ADDED_UP):
        raise DeclarationError(
            f"indicator {indicator}: {component} is counted {'by day' if scope == 'so_far' else 'so far'}"
        )
    spans = {span: (span if scope == "day" else scope, component) for span in ("day", "week")}
    return Term(sign, scope, component, spans)
