"""Random expressions over random answers give the same value, or the same error, here and on the phone."""

import json
import math
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from schemas.expressions import Environment, Names, Place, TooMuch, compile_expression, evaluate
from schemas.expressions.values import from_answer
from schemas.reading import read_outline

ROOT = Path(__file__).parent.parent.parent
CONTRACTS = ROOT / "tests" / "contracts"
BATCH = 1_500
SEEDS = (1, 2, 3, 20200221)

TEXTS = [
    "",
    "a",
    "b c",
    "张三",
    "𠮷野",
    "12",
    "-3.5",
    " 7 ",
    "1e5",
    "2020-02-21",
    "2020-02-29T10:00:00Z",
    "x.y-z",
    "13812345678",
    "11010519491231002X",
    "０５３３－４１１００００",
    "%Y/%n",
    "true",
    "0533-4110000",
    "a\tb\nc",
]
NUMBERS = [
    "0",
    "1",
    "2",
    "3.5",
    "0.1",
    "100",
    "1000000000000000000000",
    "0.0000001",
    "36.55",
    "18313",
    "1.005",
    "2.5",
    "0.5",
    "-1.5",
]
PATTERNS = [
    r"\d+",
    "[a-c]*",
    r"(a|b)+c?",
    r"\p{Han}{2}",
    ".{0,3}",
    "[^x]+",
    r"^1[3-9]\d{9}$",
    r"\s*",
    "(ab|a)(c|bcd)(d*)",
]
ONE = [
    "string",
    "number",
    "int",
    "round",
    "floor",
    "ceiling",
    "abs",
    "not",
    "boolean",
    "boolean-from-string",
    "string-length",
    "normalize-space",
    "count-selected",
    "date",
    "date-time",
    "decimal-date-time",
    "cn-resident-id",
    "cn-resident-birth-date",
    "cn-resident-sex",
    "normalize-resident-id",
    "normalize-phone",
    "cn-mobile",
    "cn-landline",
]
TWO = [
    "contains",
    "starts-with",
    "ends-with",
    "substring-before",
    "substring-after",
    "selected",
    "selected-at",
    "round",
    "concat",
    "join",
    "coalesce",
    "min",
    "max",
    "days-between",
    "years-between",
    "add-days",
    "format-date",
    "substr",
]
THREE = ["if", "substr", "translate", "concat", "join", "max", "coalesce"]
OPERATORS = ["+", "-", "*", "div", "mod", "=", "!=", "<", "<=", ">", ">=", "and", "or"]
SETS = [
    "${q}",
    "${item}",
    "${z}",
    "${q}[. != '']",
    "${rep}[item = 'a']/q",
    "${rep}[${q} > 1]/item",
    "${z}[. mod 2 = 0]",
]
QUESTIONS = ["t", "u", "n", "m", "d", "e", "dt", "s", "tank", "ms", "ack", "where", "hh", "flag"]


class Writer:
    """Writes random expressions; what the compiler refuses for its kinds is simply written again."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def expression(self, depth: int) -> str:
        pick = self.random.choice
        if depth == 0 or self.random.random() < 0.1:
            return self.leaf()
        inner = [self.expression(depth - 1) for _ in range(3)]
        kind = self.random.randrange(1, 8)
        if kind <= 2:
            return f"({inner[0]} {pick(OPERATORS)} {inner[1]})"
        return {
            3: f"{pick(ONE)}({inner[0]})",
            4: f"{pick(TWO)}({inner[0]}, {inner[1]})",
            5: f"{pick(THREE)}({inner[0]}, {inner[1]}, {inner[2]})",
            6: f"regex({inner[0]}, '{pick(PATTERNS)}')",
            7: pick(
                [
                    f"sum({pick(SETS)})",
                    f"count({pick(SETS)})",
                    f"max({pick(SETS)}, {inner[0]})",
                    f"-{inner[0]}",
                    f"join('|', {pick(SETS)})",
                    f"indexed-repeat(${{q}}, ${{rep}}, {inner[0]})",
                ]
            ),
        }[kind]

    def leaf(self) -> str:
        quoted = self.random.choice(TEXTS)
        return self.random.choice(
            [
                f"'{quoted}'",
                f"'{quoted}'",
                self.random.choice(NUMBERS),
                self.random.choice(NUMBERS),
                "today()",
                "now()",
                "true()",
                f"${{{self.random.choice(QUESTIONS)}}}",
                f"${{{self.random.choice(QUESTIONS)}}}",
                "setting('fever_threshold')",
                "setting('over_area_lpm2')",
                "pulldata('households', 'residents', 'household_id', ${hh})",
                "jr:choice-name(${ms}, '${ms}')",
            ]
        )

    def frame(self) -> dict[str, Any]:
        answers: dict[str, Any] = {
            "t": self.random.choice(TEXTS),
            "u": self.random.choice(TEXTS),
            "n": self.random.choice([0, -4, 7, 12345678901]),
            "m": self.random.choice([0.1, 36.5, 1e-7, -2.5, 1e21]),
            "d": self.random.choice(["2020-02-29", "1969-12-31"]),
            "e": "2019-03-01",
            "dt": self.random.choice(["2020-02-21T23:59:59.999+08:00", "2020-02-21T16:00Z"]),
            "s": self.random.choice(["a", "c"]),
            "tank": "15",
            "ms": self.random.choice([["a"], ["a", "b", "c"]]),
            "where": {"lat": 36.49, "lon": 117.86, "accuracy_m": 8.5},
            "hh": self.random.choice(["H1", "H9"]),
            "flag": self.random.choice([True, False, "x", 3]),
        }
        frame = {name: from_answer(value) for name, value in answers.items() if self.random.random() < 0.7}
        if self.random.random() < 0.5:
            frame["ack"] = "OK"
        return {**frame, "rep": [self.instance() for _ in range(self.random.randrange(4))]}

    def instance(self) -> dict[str, Any]:
        row = {"q": self.random.choice([1.0, 2.5, ""]), "item": self.random.choice(["a", "b", "", "张"])}
        return {
            **row,
            "inner": [{"z": float(self.random.randrange(5))} for _ in range(self.random.randrange(3))],
        }


def cases_of(seed: int, names: Names) -> list[dict[str, Any]]:
    writer, found = Writer(seed), []
    while len(found) < BATCH:
        frame = writer.frame()
        inside = bool(frame["rep"]) and writer.random.random() < 0.3
        text = writer.expression(writer.random.choice([1, 1, 2, 2, 3, 4]))
        try:
            ast = compile_expression(text, names, Place("", ("rep",) if inside else ())).ast
        except ExceptionGroup:
            continue
        frames = [frame, frame["rep"][0]] if inside else [frame]
        found.append({"text": text, "ast": ast, "frames": frames, "positions": [0, 1][: len(frames)]})
    return found


def here(case: dict[str, Any], scope: dict[str, Any], choices: Any) -> Any:
    def lookup(list_name: str, key_column: str, key: str) -> Any:
        return next(
            (entry for entry in scope["lists"][list_name].values() if entry.get(key_column) == key), None
        )

    environment = Environment(
        {}, today=scope["today"], now=scope["now"], settings=scope["settings"], lists=lookup, choices=choices
    )
    environment.frames, environment.positions = list(case["frames"]), list(case["positions"])
    try:
        return evaluate(case["ast"], environment)
    except TooMuch:
        return {"error": "TooMuch"}


def agrees(value: Any, phone: Any) -> bool:
    if isinstance(value, float):
        there = float(phone["number"]) if isinstance(phone, dict) and "number" in phone else None
        return there is not None and (value == there or (math.isnan(value) and math.isnan(there)))
    return type(value) is type(phone) and value == phone


@pytest.fixture(scope="module")
def phone_evaluator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    bundle = tmp_path_factory.mktemp("phone") / "evaluate.mjs"
    command = [
        "node_modules/.bin/rolldown",
        "src/forms/evaluate.ts",
        "--file",
        str(bundle),
        "--format",
        "esm",
    ]
    subprocess.run(command, cwd=ROOT / "phone", check=True, capture_output=True)
    return bundle


@pytest.mark.parametrize("seed", SEEDS)
def test_random_expressions_agree_on_the_server_and_the_phone(seed: int, phone_evaluator: Path) -> None:
    scope = json.loads((CONTRACTS / "expressions.json").read_text(encoding="utf-8"))["scope"]
    source = json.loads((CONTRACTS / "scope.json").read_text(encoding="utf-8"))
    cases = cases_of(seed, read_outline(source, {}, None).names)
    batch = json.dumps({"scope": scope, "choices": source["choices"], "cases": cases})
    run = subprocess.run(
        ["node", str(Path(__file__).parent / "evaluate.mjs"), str(phone_evaluator)],
        input=batch,
        capture_output=True,
        text=True,
        check=True,
    )
    phone = json.loads(run.stdout)
    values = [here(case, scope, source["choices"]) for case in cases]
    different = [
        (case["text"], value, there)
        for case, value, there in zip(cases, values, phone, strict=True)
        if not agrees(value, there)
    ]
    assert different == []
    assert len({json.dumps(value) for value in phone}) > BATCH / 10, "the expressions say too little"
