"""Answers are written fast, and as Flask writes them."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from server.json_provider import COMPACT, FastJson

TEXT = st.text(st.characters(codec="utf-8"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(-1e15, 1e15, allow_subnormal=False) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
)


@given(JSON)
def test_what_is_written_reads_as_what_was_given(found: Any) -> None:
    assert json.loads(FastJson(Flask(__name__)).dumps(found, **COMPACT)) == found


@pytest.mark.parametrize(
    ("found", "text"),
    [
        ({"b": 1, "a": "中"}, '{"a":"中","b":1}'),
        ({"at": date(2020, 2, 21)}, '{"at":"Fri, 21 Feb 2020 00:00:00 GMT"}'),
        ({"n": 2**70}, '{"n":1180591620717411303424}'),
        ({1: "one"}, '{"1":"one"}'),
        ("\ud800", '"\ud800"'),
    ],
)
def test_what_only_flask_can_write_is_left_to_it(found: Any, text: str) -> None:
    assert FastJson(Flask(__name__)).dumps(found, **COMPACT) == text


def test_what_no_json_can_hold_is_an_error() -> None:
    with pytest.raises(TypeError):
        FastJson(Flask(__name__)).dumps({"x": object()}, **COMPACT)
