"""The cases that the phone's tests run too: see tests/contracts/compiled.py."""

import importlib.util
import math
from pathlib import Path
from typing import Any

import pytest

from schemas import Context, check_record
from schemas.expressions import Environment, evaluate
from schemas.expressions.values import from_answer

CONTRACTS = Path(__file__).parent.parent / "contracts"
_spec = importlib.util.spec_from_file_location("contracts_compiled", CONTRACTS / "compiled.py")
assert _spec is not None and _spec.loader is not None
contracts = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(contracts)

EXPRESSIONS = contracts.expression_cases()
RECORDS = contracts.record_cases()
FORMS = {name: contracts.load_contract_form(name) for name in RECORDS["forms"]}


def frame_of(answers: dict[str, Any]) -> dict[str, Any]:
    frame: dict[str, Any] = {}
    for name, value in answers.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            frame[name] = [frame_of(item) for item in value]
        else:
            frame[name] = "OK" if name == "ack" else from_answer(value)
    return frame


def environment_of(case: dict[str, Any], scope: dict[str, Any]) -> Environment:
    frame = frame_of(case.get("answers", {}))
    environment = Environment(
        frame,
        today=scope["today"],
        now=scope["now"],
        settings=scope["settings"],
        lists=lookup(scope["lists"]),
        choices=EXPRESSIONS["choices"],
    )
    for repeat, at in case.get("at", ()):
        environment.frames.append(environment.frames[-1][repeat][at])
        environment.positions.append(at + 1)
    return environment


def lookup(lists: dict[str, dict[str, Any]]) -> Any:
    def find(list_name: str, key_column: str, key: str) -> Any:
        return next(
            (entry for entry in lists.get(list_name, {}).values() if entry.get(key_column) == key), None
        )

    return find


def same(value: Any, expected: Any) -> bool:
    if isinstance(expected, dict):
        number = float(expected["number"])
        return isinstance(value, float) and (value == number or (math.isnan(number) and math.isnan(value)))
    if isinstance(expected, bool) or isinstance(value, bool):
        return value is expected
    return type(value) is type(expected if isinstance(expected, str) else 0.0) and value == expected


@pytest.mark.parametrize(
    "case", EXPRESSIONS["cases"], ids=lambda case: f"{case['group']}: {case['expr']}"[:90]
)
def test_an_expression_gives_what_the_contract_says(case: dict[str, Any]) -> None:
    if "error" in case:
        assert any(case["error"] in complaint for complaint in case.get("refused", ())), case.get("refused")
    else:
        assert "ast" in case, case["refused"]
        value = evaluate(case["ast"], environment_of(case, EXPRESSIONS["scope"]))
        assert same(value, case["value"]), value


@pytest.mark.parametrize("case", RECORDS["cases"], ids=lambda case: f"{case['form']}: {case['name']}"[:90])
def test_a_record_gets_the_problems_that_the_contract_says(case: dict[str, Any]) -> None:
    scope = {**RECORDS["scope"], **case}
    context = Context(
        scope["today"],
        scope["now"],
        {**RECORDS["scope"]["settings"], **case.get("settings", {})},
        lookup(scope["lists"]),
    )
    record = {
        **RECORDS["scope"]["envelope"].get(case["form"], {}),
        **case.get("envelope", {}),
        "answers": case["answers"],
    }
    report = check_record(FORMS[case["form"]], record, context)
    assert [[problem.rule, problem.severity, problem.path] for problem in report.problems] == case["problems"]
    for path, value in case.get("calculated", {}).items():
        assert at_path(report.record["answers"], path) == value, path


def at_path(answers: dict[str, Any], path: str) -> Any:
    found: Any = answers
    for step in path.replace("]", "").replace("[", ".").split("."):
        found = found[int(step)] if isinstance(found, list) else found.get(step)
    return found


def test_there_are_at_least_300_contract_cases() -> None:
    assert len(EXPRESSIONS["cases"]) + len(RECORDS["cases"]) >= 300
