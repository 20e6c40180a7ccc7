"""forms/README.md documents the whole language, and its examples are true."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from schemas import compile_form, load_form
from schemas.expressions import Environment, Place, compile_expression, evaluate
from schemas.expressions.signatures import SIGNATURES
from schemas.expressions.values import from_answer
from schemas.messages import MESSAGES
from schemas.reading import read_outline
from schemas.registers import KEY_COLUMNS
from schemas.types import COLUMNS, KINDS

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "forms" / "README.md").read_text(encoding="utf-8")
SCOPE = json.loads((ROOT / "tests" / "contracts" / "scope.json").read_text(encoding="utf-8"))
CASES = json.loads((ROOT / "tests" / "contracts" / "expressions.json").read_text(encoding="utf-8"))["scope"]
EXAMPLES = re.findall(r"^\| .* \| `(.+?)` \| `(.+)` \|$", README, re.MULTILINE)
ANSWERS = {"n": 5.0, "hh": "H1", "ms": "a b", "rep": [{"q": 1.0, "item": "veg"}, {"q": 2.5, "item": "rice"}]}


def blocks(kind: str) -> list[Any]:
    return [
        json.loads(block)
        for block in re.findall(rf"^```json {kind}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    ]


@pytest.mark.parametrize("function", sorted(SIGNATURES))
def test_every_function_is_documented_with_an_example(function: str) -> None:
    in_example = any(re.search(rf"(?<![\w-]){re.escape(function)}\(", example) for example, _ in EXAMPLES)
    assert in_example or function == "position", f"{function}() has no example in forms/README.md"
    assert f"`{function}(" in README


@pytest.mark.parametrize("question_type", sorted(KINDS))
def test_every_question_type_is_documented_with_an_example(question_type: str) -> None:
    assert re.search(rf"^\| .*`{question_type}[` ]", README, re.MULTILINE)
    assert f'"type": "{question_type}' in README


@pytest.mark.parametrize("column", sorted(COLUMNS))
def test_every_column_is_documented_with_an_example(column: str) -> None:
    assert re.search(rf"^\| .*`{column}`", README, re.MULTILINE)
    assert f'"{column}":' in README


@pytest.mark.parametrize("word", sorted({*KEY_COLUMNS, *MESSAGES} - {"ENVELOPE"}))
def test_every_register_list_and_built_in_rule_is_named(word: str) -> None:
    assert f"`{word}`" in README


def test_the_example_form_is_valid() -> None:
    (form,) = blocks("form")
    envelope = json.loads((ROOT / "forms" / "envelope.json").read_text(encoding="utf-8"))
    assert compile_form(load_form(form, envelope))["form_id"] == "water_check"


@pytest.mark.parametrize("rows", blocks("rows"), ids=["types", "columns"])
def test_the_example_rows_are_valid(rows: list[Any]) -> None:
    (form,) = blocks("form")
    choices = {**form["choices"], **SCOPE["choices"]}
    load_form({**form, "choices": choices, "survey": rows}, {"survey": []})


@pytest.mark.parametrize(("example", "value"), EXAMPLES)
def test_an_example_gives_what_the_page_says(example: str, value: str) -> None:
    names = read_outline(SCOPE, {}, None).names
    environment = Environment(
        dict(ANSWERS),
        today=CASES["today"],
        now=CASES["now"],
        settings=CASES["settings"],
        choices=SCOPE["choices"],
        lists=lambda list_name, key_column, key: CASES["lists"][list_name].get(key),
    )
    ast = compile_expression(example, names, Place("t")).ast
    assert evaluate(ast, environment) == from_answer(json.loads(value))


def test_the_page_has_examples() -> None:
    assert len(EXAMPLES) >= len(SIGNATURES) - 5
