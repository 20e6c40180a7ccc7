"""Calculated again without a check, a record is what the check makes of it."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import Context, calculate_record, check_record
from tests.schemas.test_hostile_records import CLINIC, JSON, QUESTIONS, TODAY
from tests.schemas.test_settled import FORMS, SETTINGS, records
from tests.server.intake.district import visit


@given(records(), st.sampled_from(SETTINGS))
def test_a_record_is_calculated_as_its_check_calculates_it(
    record: dict[str, Any], district: dict[str, Any]
) -> None:
    form = FORMS[record["form_id"]]
    context = Context("2020-02-10", "2020-02-10T10:00:00+08:00", district, _listed)
    assert calculate_record(form, record, context) == check_record(form, record, context).record


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(QUESTIONS, JSON, max_size=6),
    st.lists(st.dictionaries(QUESTIONS, JSON, max_size=6), max_size=3),
)
def test_so_is_one_with_anything_for_answers(answers: dict[str, Any], people: list[dict[str, Any]]) -> None:
    record = {"answers": {"visit_result": "met", "q_fever": "yes", "rep_person": people, **answers}}
    assert calculate_record(CLINIC, record, TODAY) == check_record(CLINIC, record, TODAY).record


def test_persons_in_a_repeat_keep_what_is_not_calculated() -> None:
    person = {"person_name": "Wang", "id_number": "11010519491231002X", "fever": "yes", "temp_c": 38.2}
    record = visit(fever="yes")
    record["answers"]["rep_person"] = [person, {"person_name": "Li"}]
    context = Context("2020-02-10", "2020-02-10T10:00:00+08:00", SETTINGS[0], _listed)
    form = FORMS["household_visit"]
    found = calculate_record(form, record, context)
    assert found == check_record(form, record, context).record
    assert [each["person_name"] for each in found["answers"]["rep_person"]] == ["Wang", "Li"]


def test_most_answers_are_not_needed_for_a_visits_calculations() -> None:
    form = FORMS["household_visit"]
    assert len(form.calculations.questions) * 2 < len(form.questions)


def _listed(list_name: str, key_column: str, key: str) -> dict[str, Any] | None:
    return {"head_name": "欧阳大明", "grid_code": "37030410101", "role": "grid_volunteer"} if key else None
