"""Mango selectors, as the changes feed uses them."""

from __future__ import annotations

from typing import Any

import pytest

from sync.endpoint.selector import compiled
from sync.store import BadRequest

DOC = {"n": 5, "s": "text", "list": [1, {"k": "v"}], "o": {"deep": {"x": True}}, "null": None, "a.b": 1}


@pytest.mark.parametrize(
    "selector",
    [
        {},
        {"n": 5},
        {"n": {"$eq": 5.0}},
        {"n": {"$gt": 4, "$lt": 6}},
        {"n": {"$gte": 5, "$lte": 5}},
        {"n": {"$ne": 4}},
        {"n": {"$gt": None}},
        {"n": {"$lt": ""}},
        {"n": {"$in": [1, 5]}},
        {"n": {"$nin": [1, 2]}},
        {"n": {"$mod": [3, 2]}},
        {"n": {"$exists": True}},
        {"x": {"$exists": False}},
        {"n": {"$type": "number"}},
        {"null": {"$type": "null"}},
        {"null": None},
        {"s": {"$beginsWith": "te"}},
        {"o.deep.x": True},
        {"o": {"deep": {"x": True}}},
        {"a\\.b": 1},
        {"list": {"$size": 2}},
        {"list": {"$all": [1]}},
        {"list": {"$elemMatch": {"k": "v"}}},
        {"list": {"$allMatch": {"$exists": True}}},
        {"list": [1, {"k": "v"}]},
        {"$or": [{"n": 1}, {"n": 5}]},
        {"$and": [{"n": 5}, {"s": "text"}]},
        {"$nor": [{"n": 1}, {"n": 2}]},
        {"$not": {"n": 1}},
        {"n": {"$not": {"$gt": 9}}},
    ],
)
def test_these_match(selector: dict[str, Any]) -> None:
    assert compiled(selector)(DOC) is True


@pytest.mark.parametrize(
    "selector",
    [
        {"n": "5"},
        {"n": True},
        {"x": None},
        {"x": {"$ne": 1}},
        {"x": {"$gt": None}},
        {"x": {"$nin": [1]}},
        {"n": {"$gt": ""}},
        {"n": {"$gt": 4, "$lt": 5}},
        {"list": {"$size": 3}},
        {"list": {"$all": [1, 2]}},
        {"list": {"$elemMatch": {"k": "w"}}},
        {"s": {"$mod": [2, 1]}},
        {"o": {"deep": {"y": True}}},
        {"$or": []},
        {"$not": {"n": 5}},
    ],
)
def test_these_do_not_match(selector: dict[str, Any]) -> None:
    assert compiled(selector)(DOC) is False


@pytest.mark.parametrize(
    "selector",
    [
        None,
        5,
        [],
        "x",
        {"$regex": "a"},
        {"n": {"$regex": "(a+)+$"}},
        {"n": {"$unknown": 1}},
        {"$or": 5},
        {"n": {"$in": 5}},
        {"n": {"$mod": [0, 1]}},
        {"n": {"$mod": "x"}},
        {"n": {"$type": "text"}},
        {"n": {"$exists": "yes"}},
        {"n": {"$size": "x"}},
        {"n": {"$beginsWith": 5}},
        {"n": {"$all": 5}},
    ],
)
def test_these_are_no_selectors(selector: object) -> None:
    with pytest.raises(BadRequest, match="Selector error"):
        compiled(selector)


def test_a_selector_may_not_be_nested_without_end() -> None:
    selector: dict[str, Any] = {"n": 1}
    for _ in range(400):
        selector = {"$not": selector}
    with pytest.raises(BadRequest, match="nested too deeply"):
        compiled(selector)
