"""Each sample record gets exactly the problems that it says: no fewer, no more."""

from pathlib import Path
from typing import Any

import pytest

from tests.forms.definitions import FORM_IDS, definition, read, rows
from tests.forms.judging import judge, samples

Found = set[tuple[str, str, str]]


def named(problems: list[Any]) -> Found:
    return {(problem["rule"], problem["path"], problem["severity"]) for problem in problems}


def found(record: dict[str, Any]) -> Found:
    return {(problem.rule, problem.path, problem.severity) for problem in judge(record).problems}


def label(path: Path) -> str:
    return f"{path.parent.parent.name}-{path.stem}"


@pytest.mark.parametrize("path", samples("pass"), ids=label)
def test_a_good_record_has_no_problem(path: Path) -> None:
    sample = read(path)
    assert sample["problems"] == []
    assert found(sample["record"]) == set()


@pytest.mark.parametrize("path", samples("fail"), ids=label)
def test_a_faulty_record_has_just_the_problems_it_was_made_for(path: Path) -> None:
    sample = read(path)
    assert sample["problems"], "a sample that fails names its problem"
    assert found(sample["record"]) == named(sample["problems"])


@pytest.mark.parametrize("path", [*samples("pass"), *samples("fail")], ids=label)
def test_a_problem_speaks_both_languages_and_leaves_no_gap(path: Path) -> None:
    for problem in judge(read(path)["record"]).problems:
        for text in problem.message.values():
            assert text.strip() and "${" not in text and "NaN" not in text, problem


@pytest.mark.parametrize("form_id", [*FORM_IDS, "envelope"])
def test_every_rule_of_a_form_has_a_sample_that_breaks_it(form_id: str) -> None:
    rules = {
        (rule["id"], row["name"], rule["severity"])
        for _, row in rows(definition(form_id)["survey"])
        for rule in row.get("constraint", [])
    }
    broken = {
        (problem["rule"], problem["path"].rsplit(".", 1)[-1], problem["severity"])
        for path in samples("fail")
        if form_id in ("envelope", path.parent.parent.name)
        for problem in read(path)["problems"]
    }
    assert rules - broken == set()


def test_synthetic_identities_only() -> None:
    """Sequence code 000 is never issued, 154 has no subscribers; 440524188001010014 is the standard's own."""
    for path in [*samples("pass"), *samples("fail")]:
        for person in read(path)["record"]["answers"].get("rep_person", []):
            number = person.get("id_number", "")
            assert len(number) < 18 or number[14:17] == "000" or number == "440524188001010014", path
            phone = person.get("phone", "")
            assert not phone.startswith("1") or phone.startswith("154"), path
