"""Gives the contract cases with everything compiled, as JSON on stdout: the phone's tests have no compiler
of their own.

The cases are data beside this file: `expressions.json` over the questions of `scope.json`, and
`records.json` over the
forms of the product and of `records/`.
"""

import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT))

from schemas import CompiledForm, compile_form, load_form  # noqa: E402
from schemas.expressions import ExpressionError, Names, Place, compile_expression  # noqa: E402
from schemas.reading import read_outline  # noqa: E402


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def scope_names() -> Names:
    return read_outline(read(HERE / "scope.json"), {}, None).names


def compile_case(case: dict[str, Any], names: Names) -> dict[str, Any]:
    """The case with `ast`, or with `refused`: what the compiler complains about."""
    chain = tuple(repeat for repeat, _ in case.get("at", ()))
    place = Place(case.get("here", ""), chain)
    try:
        return {**case, "ast": compile_expression(case["expr"], names, place).ast}
    except* ExpressionError as group:
        complaints = [
            f"{error.message}. {error.remedy}"
            for error in group.exceptions
            if isinstance(error, ExpressionError)
        ]
    return {**case, "refused": complaints}


def expression_cases() -> dict[str, Any]:
    contract, names = read(HERE / "expressions.json"), scope_names()
    cases = [
        {"group": group, **compile_case(case, names)}
        for group, listed in contract["groups"].items()
        for case in listed
    ]
    return {"scope": contract["scope"], "cases": cases, "choices": read(HERE / "scope.json")["choices"]}


def load_contract_form(name: str) -> CompiledForm:
    own = HERE / "records" / f"{name}.json"
    path = own if own.exists() else ROOT / "forms" / f"{name}.json"
    envelope = {"survey": []} if own.exists() else read(ROOT / "forms" / "envelope.json")
    return CompiledForm.from_dict(json.loads(json.dumps(compile_form(load_form(read(path), envelope)))))


def record_cases() -> dict[str, Any]:
    contract = read(HERE / "records.json")
    names = sorted({case["form"] for case in contract["cases"]})
    return {**contract, "forms": {name: load_contract_form(name).source for name in names}}


if __name__ == "__main__":
    json.dump({"expressions": expression_cases(), "records": record_cases()}, sys.stdout, ensure_ascii=False)
