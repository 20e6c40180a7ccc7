"""Gives the compiled forms and the judged samples as JSON on stdout: the phone has no compiler of its own."""

import json
import sys
from pathlib import Path
from typing import Any

from schemas import compile_form, load_form
from tests.forms.definitions import FORM_IDS, definition, read
from tests.forms.judging import REGISTER, SETTINGS, judge, samples


def forms() -> dict[str, Any]:
    envelope = definition("envelope")
    return {form_id: compile_form(load_form(definition(form_id), envelope, SETTINGS)) for form_id in FORM_IDS}


def case(path: Path) -> dict[str, Any]:
    """What the server says about a sample, and the answers as it understands them."""
    record = read(path)["record"]
    report = judge(record)
    problems = [
        {"rule": problem.rule, "severity": problem.severity, "path": problem.path, "message": problem.message}
        for problem in report.problems
    ]
    name = f"{path.parent.parent.name}/{path.stem}"
    return {"name": name, "record": record, "problems": problems, "answers": report.record["answers"]}


def contract() -> dict[str, Any]:
    cases = [case(path) for path in [*samples("pass"), *samples("fail")]]
    return {"forms": forms(), "settings": SETTINGS, "register": REGISTER, "cases": cases}


if __name__ == "__main__":
    json.dump(contract(), sys.stdout, ensure_ascii=False)
