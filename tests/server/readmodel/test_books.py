"""A store's books: what each movement leaves, what a stocktake settles, and what is flagged."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from server.readmodel.books import lines, tallies
from server.readmodel.contributions import Entry, Unit, contributions, order
from server.readmodel.declaration import load_declaration
from server.readmodel.facts import FactMaker
from server.readmodel.flagging import flags
from server.readmodel.states import left
from server.readmodel.tables import MILLIONTHS
from tests.server.readmodel.test_declaration import RULES, SOURCE

DECLARATION = load_declaration(SOURCE, RULES)
FACTS = FactMaker(DECLARATION, b"a key")
STORE = Unit("station", "v/S1", "S1", "v", True)
SETTINGS = {"stock_variance_max": 0.05}
MASKS = "MASK piece"


def history(*moves: tuple[str, float], form: str = "stock_movement") -> list[Entry]:
    """A movement a day from 1 February 2020 on, of masks; a stocktake's amount is what it counted."""
    return [entry(number, move, qty, form) for number, (move, qty) in enumerate(moves, start=1)]


def entry(number: int, move: str, qty: float, form: str = "stock_movement") -> Entry:
    directions = {"stocktake": "count"} | dict.fromkeys(("allocate_out", "issue", "use", "damage"), "out")
    answers: dict[str, Any] = {
        "move_type": move,
        "item_code": "MASK",
        "stock_unit": "piece",
        "stock_qty": qty,
    }
    answers["direction"] = directions.get(move, "in")
    day, at = f"2020-02-{number:02}", f"2020-02-{number:02}T01:00:00.000Z"
    return Entry(
        f"r{number}", day, at, "phone", FACTS.read({"form_id": form, "answers": answers}, "v/S1", at).facts
    )


def line(*moves: tuple[str, float]) -> dict[str, Any]:
    (found,) = lines(STORE, history(*moves), DECLARATION)
    assert found["name"] == MASKS
    return found


def flagged(*moves: tuple[str, float]) -> list[tuple[str, str]]:
    return [
        (record, problem["rule"]) for record, problem in flags(STORE, history(*moves), DECLARATION, SETTINGS)
    ]


def test_what_comes_in_less_what_leaves_is_the_balance() -> None:
    found = line(
        ("purchase", 100), ("donation", 20), ("issue", 30), ("allocate_out", 5), ("use", 10), ("damage", 1)
    )
    assert found["qty"] == 74 and "counted" not in found and tallies(found)
    assert found["since"] == {"stock_in": 120, "stock_out": 35, "stock_used": 10, "stock_damaged": 1}


def test_a_stocktake_sets_the_balance_and_begins_the_sums_anew() -> None:
    found = line(("purchase", 100), ("issue", 30), ("stocktake", 66), ("return", 4), ("use", 6))
    assert found["qty"] == 64
    assert found["since"] == {"stock_in": 4, "stock_used": 6}
    assert found["counted"] == {
        "qty": 66,
        "before": 70,
        "difference": -4,
        "work_date": "2020-02-03",
        "record_id": "r3",
    }
    assert found["counted"]["qty"] + 4 - 6 == found["qty"] and not tallies(found)


def test_a_first_count_has_no_books_to_differ_from() -> None:
    found = line(("stocktake", 66))
    assert "difference" not in found["counted"] and tallies(found)
    assert flagged(("stocktake", 66)) == []


@pytest.mark.parametrize(
    ("moves", "expected"),
    [
        ([("purchase", 100), ("stocktake", 95)], []),
        ([("purchase", 100), ("stocktake", 94.9)], [("r2", "STOCK_DIFFERS")]),
        ([("purchase", 100), ("stocktake", 106)], [("r2", "STOCK_DIFFERS")]),
        ([("purchase", 100), ("use", 100), ("stocktake", 1)], [("r3", "STOCK_DIFFERS")]),
        ([("issue", 1)], [("r1", "STOCK_NEGATIVE")]),
        ([("purchase", 1), ("issue", 1)], []),
        (
            [("issue", 2), ("purchase", 1), ("purchase", 5)],
            [("r1", "STOCK_NEGATIVE"), ("r2", "STOCK_NEGATIVE")],
        ),
        ([("issue", 2), ("stocktake", 0)], [("r1", "STOCK_NEGATIVE"), ("r2", "STOCK_DIFFERS")]),
    ],
)
def test_stock_below_nothing_and_counts_far_from_the_books_are_flagged(
    moves: list[tuple[str, float]], expected: list[tuple[str, str]]
) -> None:
    assert sorted(flagged(*moves)) == sorted(expected)


def test_a_setting_that_is_no_number_flags_nothing() -> None:
    moves = history(("purchase", 100), ("stocktake", 1))
    assert flags(STORE, moves, DECLARATION, {"stock_variance_max": "much"}) == []


def test_the_order_of_arrival_cannot_matter() -> None:
    moves = history(("purchase", 100), ("stocktake", 80), ("use", 5), ("stocktake", 70))
    expected = contributions(STORE, moves, DECLARATION, {})[f"stock|{MASKS}"]
    assert sum(expected.values()) == 70 * MILLIONTHS
    for shuffled in itertools.permutations(moves):
        assert (
            contributions(STORE, sorted(shuffled, key=order), DECLARATION, {})[f"stock|{MASKS}"] == expected
        )


def test_the_state_shows_the_books_and_phones_get_the_balances() -> None:
    found = left(STORE, history(("purchase", 100), ("stocktake", 80)), DECLARATION, SETTINGS)
    assert found.summary == {"balances": [{"name": MASKS, "qty": 80}], "record_id": "r2"}
    assert found.state["differs"] and found.state["records"] == 2


def test_another_form_of_the_same_shape_needs_no_python() -> None:
    """Fuel, kept at the same stations, declared here and nowhere else."""
    fuel = {
        "form": "fuel",
        "kind": "balance",
        "by": "${item_code}",
        "value": "${stock_qty}",
        "counts": "${move_type} = 'stocktake'",
    }
    units = SOURCE["units"] | {
        "tank": {
            "name": {"zh": "油罐", "en": "tank"},
            "register": "station",
            "forms": {"fuel": "warehouse_id"},
            "unlisted": "apart",
        }
    }
    declared = load_declaration(
        SOURCE | {"units": units, "components": SOURCE["components"] | {"fuel": fuel}}, RULES
    )
    facts, moves = FactMaker(declared, b"a key"), []
    for day, move, qty in ((1, "in", 40), (2, "stocktake", 35), (3, "in", -5)):
        at = f"2020-02-0{day}T01:00:00.000Z"
        answers = {"item_code": "diesel", "stock_qty": qty, "move_type": move}
        said = facts.read({"form_id": "fuel", "answers": answers}, "v/T1", at).facts
        moves.append(Entry(f"r{day}", at[:10], at, "phone", said))
    tank = Unit("tank", "v/T1", "T1", "v", True)
    assert left(tank, moves, declared, {}).state["balances"][0]["qty"] == 30
