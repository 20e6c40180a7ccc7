"""What a record's choices settle is remembered; a record must be judged as if nothing were."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas import CompiledForm, Context, check_record
from schemas.compiled import Question
from schemas.loading import Instance
from schemas.quiet import Quiet
from schemas.settled import Settled
from tests.server.intake.district import COMPILED, disinfection, visit

FORMS = {source["form_id"]: CompiledForm.from_dict(source) for source in COMPILED}


def without_memory(form: CompiledForm) -> CompiledForm:
    nothing = Settled([], form.questions)
    nothing.rest = nothing.rest_outside = form.order
    return replace(form, settled=nothing, quiet=EveryQuestion(form))


class EveryQuestion(Quiet):
    def __init__(self, form: CompiledForm) -> None:
        self.every = form.flat

    def to_look_at(self, record: Instance, settings: Mapping[str, Any]) -> Sequence[Question]:
        return self.every


FORGETFUL = {form_id: without_memory(form) for form_id, form in FORMS.items()}
SETTINGS: list[dict[str, Any]] = [{"lookback_days": 14}, {"lookback_days": 21, "backlog_days": 10_000}]


@st.composite
def records(draw: st.DrawFn) -> dict[str, Any]:
    """A sound record with some choices changed, taken away or added."""
    record = draw(
        st.sampled_from([visit(), visit(fever="yes"), visit(None), visit(result="vacant"), disinfection()])
    )
    form = FORMS[record["form_id"]]
    chosen = [question for question in form.questions.values() if question.kind in ("choice", "choices")]
    answers = {name: value for name, value in record["answers"].items() if draw(st.integers(0, 9))}
    top = {**record, "answers": answers}
    for question in draw(st.lists(st.sampled_from([q for q in chosen if not q.chain]), max_size=6)):
        codes = sorted(form.codes.get(question.list_name, {"x"}))
        value: Any = draw(st.sampled_from(codes))
        if question.kind == "choices":
            value = draw(st.lists(st.sampled_from(codes), min_size=1, max_size=3))
        (top if question.in_envelope else answers)[question.name] = value
    return top


@given(st.lists(records(), min_size=1, max_size=5), st.sampled_from(SETTINGS))
def test_a_remembered_settlement_is_what_working_it_out_again_would_give(
    sent: list[dict[str, Any]], settings: dict[str, Any]
) -> None:
    context = Context("2020-02-10", "2020-02-10T10:00:00+08:00", settings)
    for record in [*sent, *sent]:
        form_id = record["form_id"]
        assert check_record(FORMS[form_id], record, context) == check_record(
            FORGETFUL[form_id], record, context
        )


def test_most_of_a_visits_conditional_questions_are_settled_by_its_choices() -> None:
    form = FORMS["household_visit"]
    outside_repeats = [question for question in form.order if not question.chain]
    by_record = [question for question in form.settled.rest if not question.chain]
    assert len(by_record) * 4 < len(outside_repeats)


def test_of_an_uneventful_visit_few_questions_are_looked_at() -> None:
    form, record = FORMS["household_visit"], visit()
    seen = Instance("", {**record["answers"]}, {**record["answers"]})
    assert len(form.quiet.to_look_at(seen, SETTINGS[0])) * 3 < len(form.flat)


def test_a_choice_that_its_list_does_not_have_is_looked_at_each_time() -> None:
    form, record = FORMS["household_visit"], visit()
    record["answers"]["visit_method"] = "by_pigeon"
    context = Context("2020-02-10", "2020-02-10T10:00:00+08:00", SETTINGS[0])
    found = [check_record(form, record, context).problems for _ in range(2)]
    assert found[0] == found[1]
    assert ("CHOICE", "visit_method") in [(problem.rule, problem.path) for problem in found[0]]


def test_another_districts_settings_are_not_mixed_up() -> None:
    form, record = FORMS["household_visit"], visit()
    texts = [
        check_record(form, record, Context("2020-02-10", "2020-02-10T10:00:00+08:00", settings)).record[
            "answers"
        ]
        for settings in SETTINGS
    ]
    assert [answers["lookback_days_text"] for answers in texts] == [14, 21]
