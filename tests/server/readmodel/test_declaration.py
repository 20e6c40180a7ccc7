"""The declaration is sound, and its page says what it says."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from server.readmodel.cross_rules import BOUNDS, NEEDS
from server.readmodel.cross_rules import FILE as RULES_FILE
from server.readmodel.declaration import (
    DAY_KINDS,
    FILE,
    LEVEL_KINDS,
    SHIPPED,
    DeclarationError,
    load_declaration,
    read_declaration,
)
from server.readmodel.relief_queries import INDICATORS

SOURCE: dict[str, Any] = json.loads((SHIPPED / FILE).read_text("utf-8"))
RULES: list[dict[str, Any]] = json.loads((SHIPPED / RULES_FILE).read_text("utf-8"))["rules"]
PAGE = (SHIPPED.parent / "docs" / "indicators.md").read_text("utf-8")


@pytest.mark.parametrize("indicator", SOURCE["indicators"], ids=lambda row: row["id"])
def test_the_page_states_every_indicator_in_words(indicator: dict[str, Any]) -> None:
    scope = "cumulative" if indicator["cumulative"] else "of the day"
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| {indicator['id']} |"))
    for text in (
        *indicator["name"].values(),
        *indicator["note"].values(),
        indicator["unit"]["en"],
        f"| {scope} |",
    ):
        assert text in row


def test_the_page_knows_every_component_and_kind_and_no_other() -> None:
    components = PAGE.partition("## Components")[2]
    rows = {line.split("`")[1] for line in components.splitlines() if line.startswith("| `")}
    assert rows == set(SOURCE["components"]) | DAY_KINDS | LEVEL_KINDS


def test_every_component_feeds_an_indicator_or_settles_a_unit() -> None:
    declaration = read_declaration()
    used = {name for indicator in declaration.indicators.values() for name in indicator.components()}
    # The page of relief divides what is counted by campaign.
    by_campaign = {component.name for component in declaration.components.values() if component.of}
    assert set(declaration.components) - used == by_campaign
    divided = {component.said for component in declaration.components.values() if component.of}
    assert divided == {name for each in INDICATORS for name in declaration.indicators[each].components()}


def spoil(*path: Any, value: Any) -> dict[str, Any]:
    source = copy.deepcopy(SOURCE)
    at = source
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return source


def place(indicator: str) -> int:
    return [row["id"] for row in SOURCE["indicators"]].index(indicator)


def test_the_declaration_as_it_is_can_be_read() -> None:
    assert load_declaration(SOURCE, RULES).indicators.keys() == {row["id"] for row in SOURCE["indicators"]}


@pytest.mark.parametrize(
    "source",
    [
        spoil("components", "visits", "kind", value="counting"),
        spoil("components", "visits", "form", value="no_such_form"),
        spoil("components", "households_refused", "rank", value="no_such_answer"),
        spoil("units", "household", "unlisted", value="maybe"),
        spoil("indicators", 0, "value", value=["so_far no_such_component"]),
        spoil("indicators", 0, "value", value=["day households"]),
        spoil("indicators", 1, "value", value=["so_far households_visited"]),
        spoil("indicators", 1, "id", value="A1"),
        spoil("indicators", 0, "cumulative", value=False),
        spoil("components", "visits_timed", "like", value="no_such_component"),
        spoil("components", "visits_timed", "of", value="${campaign_id}"),
        spoil("components", "done_of_campaign", value={"of": "${campaign_id}"}),
        spoil("mentioned", "person", "identity", value="face"),
        spoil("components", "visits_delay", "bounds", value=[5, 2]),
        spoil("components", "visits_delay", "bounds", value=[]),
        spoil("components", "visits_delay", "bounds", value=["5"]),
        spoil("components", "visits", "bounds", value=[5]),
        spoil("components", "deliveries_delay", "bounds", value=[5]),
        spoil("components", "visits_disputed", "rules", value=["V016"]),
        spoil("components", "visits_disputed", "rules", value=[]),
        spoil("indicators", place("J1_p95"), "percentile", value=100),
        spoil("indicators", place("J1_p95"), "spread", value=[]),
        spoil("indicators", place("J1_p95"), "spread", value=["day visits"]),
        spoil("mentioned", "person", "form", value="no_such_form"),
        spoil("indicators", 0, "more", value="merrier"),
        spoil("indicators", 0, "group", value="no_such_group"),
        spoil("groups", 0, "columns", value=["C1"]),
        spoil("groups", 1, "id", value="visits"),
        spoil("reports", value={"households": {"zh": "户", "en": "Households"}}),
        spoil("reports", value={"no_such_component": {"zh": "无", "en": "None"}}),
    ],
)
def test_a_wrong_declaration_is_refused(source: dict[str, Any]) -> None:
    with pytest.raises(DeclarationError):
        load_declaration(source, RULES)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "guess"},
        {"unit": "no_such_unit"},
        {"kind": "crowded", "value": "1"},
        {"suspects": True},
        {"kind": "repeated_on_a_day"},
        {"name": RULES[1]["name"]},
    ],
)
def test_a_wrong_cross_rule_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(DeclarationError):
        load_declaration(SOURCE, [RULES[0] | change, *RULES[1:]])


def test_the_page_knows_every_cross_rule_kind_and_bound() -> None:
    first = {line.split("|")[1].strip() for line in PAGE.splitlines() if line.startswith("| ")}
    assert {rule["rule"] for rule in RULES} | set(NEEDS) <= first
    settings = json.loads((SHIPPED / "settings.json").read_text("utf-8"))
    for name in (rule[bound] for rule in RULES for bound in BOUNDS if isinstance(rule.get(bound), str)):
        assert f"`{name}`" in PAGE
        assert isinstance(settings[name], int | float)
        assert name in settings["about"]
