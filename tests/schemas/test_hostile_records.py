"""Whatever arrives as a record gets problems, never an exception, and in bounded time."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import CompiledForm, Context, check_record, compile_form, load_form, record_schema
from schemas.expressions import Environment, TooMuch, compile_expression, evaluate
from schemas.expressions.names import Name, Names
from schemas.loading import load_record
from schemas.marshalling import shape_faults

RECORDS = Path(__file__).parent.parent / "contracts" / "records"
CLINIC = CompiledForm.from_dict(
    compile_form(load_form(json.loads((RECORDS / "clinic.json").read_text(encoding="utf-8")), {"survey": []}))
)
TODAY = Context("2020-02-21", "2020-02-21T09:30:00+08:00", {"fever_threshold": 37.3, "observe_days": 14})
SOUND: dict[str, Any] = {"work_date": "2020-02-21", "answers": {"visit_result": "no_answer"}}

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=10)
    | st.sampled_from(["\0", "\ud800", "__proto__"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
QUESTIONS = st.sampled_from(sorted(CLINIC.questions))


def rules(record: Any, context: Context = TODAY) -> list[tuple[str, str]]:
    return [(problem.rule, problem.path) for problem in check_record(CLINIC, record, context).problems]


@settings(max_examples=200, deadline=None)
@given(JSON)
def test_anything_is_judged_as_a_record(record: Any) -> None:
    assert check_record(CLINIC, record, TODAY).problems


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(QUESTIONS, JSON, max_size=6),
    st.lists(st.dictionaries(QUESTIONS, JSON, max_size=6), max_size=3),
)
def test_anything_is_judged_as_an_answer(answers: dict[str, Any], people: list[dict[str, Any]]) -> None:
    record = {"answers": {"visit_result": "met", "q_fever": "yes", "rep_person": people, **answers}}
    report = check_record(CLINIC, record, TODAY)
    json.dumps([problem.as_dict() for problem in report.problems], ensure_ascii=False).encode()


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(QUESTIONS, JSON, max_size=4),
    st.dictionaries(st.sampled_from(["work_date", "answers", "confirmed", "odd"]), JSON),
)
def test_a_record_is_sound_exactly_when_marshmallow_finds_no_fault(
    answers: dict[str, Any], more: dict[str, Any]
) -> None:
    record = {"answers": answers, **more}
    assert load_record(CLINIC, record).sound == (shape_faults(CLINIC, record) == [])


def test_a_sound_record_has_no_problems() -> None:
    assert rules(SOUND) == []


@pytest.mark.parametrize("record", [None, [], "record", 5, True])
def test_what_is_no_object_is_malformed(record: Any) -> None:
    assert rules(record) == [("SHAPE", "")]


@pytest.mark.parametrize("depth", [25, 10_000])
def test_a_deep_record_is_malformed(depth: int) -> None:
    deep: Any = 1
    for _ in range(depth):
        deep = [deep]
    assert rules({**SOUND, "answers": {"visit_result": deep}}) == [("SHAPE", "")]


@pytest.mark.parametrize(
    ("answers", "problem"),
    [
        ({"visit_result": 1}, ("TYPE", "visit_result")),
        ({"visit_result": None}, ("TYPE", "visit_result")),
        ({"visit_result": "\0"}, ("TYPE", "visit_result")),
        ({"visit_result": "x" * 10_000}, ("TYPE", "visit_result")),
        ({"rep_person": {}}, ("TYPE", "rep_person")),
        ({"rep_person": [1]}, ("TYPE", "rep_person[0]")),
        ({"rep_person": [{}] * 501}, ("TOO_MANY", "rep_person")),
        ({"rep_person": [{"age": "5"}]}, ("TYPE", "rep_person[0].age")),
        ({"rep_person": [{"visit_result": "met"}]}, ("UNKNOWN_FIELD", "rep_person[0].visit_result")),
        ({"age": 5}, ("UNKNOWN_FIELD", "age")),
        ({"visit": {}}, ("UNKNOWN_FIELD", "visit")),
        ({"work_date": "2020-02-21"}, ("UNKNOWN_FIELD", "work_date")),
    ],
)
def test_a_wrong_answer_is_named(answers: dict[str, Any], problem: tuple[str, str]) -> None:
    assert problem in rules({**SOUND, "answers": answers})


def test_messages_name_the_label_in_both_languages() -> None:
    (problem,) = check_record(CLINIC, {**SOUND, "answers": {"visit_result": 1}}, TODAY).problems
    assert problem.message == {
        "zh": "「走访结果」的内容格式不对，请重新填写。",
        "en": "“Result” has the wrong form. Enter it again.",
    }


def test_a_thousand_foreign_answers_are_told_in_part() -> None:
    found = rules({**SOUND, "answers": {f"x{number}": 1 for number in range(1_000)}})
    assert len(found) <= 210


def test_a_full_repeat_is_checked_in_bounded_time() -> None:
    person = {"person_name": "张三", "reason": ["fever"], "temp_status": "measured", "temp_c": 36.5}
    record = {
        **SOUND,
        "answers": {"visit_result": "met", "q_fever": "yes", "q_contact": "no", "rep_person": [person] * 500},
    }
    began = time.perf_counter()
    assert ("REQUIRED", "rep_person[0].privacy") in rules(record)
    assert time.perf_counter() - began < 5


def test_nested_walks_over_a_repeat_give_up() -> None:
    names = Names({"r": Name("r", "repeat"), "q": Name("q", "number", ("r",))})
    text = "count(${r}[count(${r}[count(${r}[${q} = 1]) > 0]) > 0])"
    frame = {"r": [{"q": 2.0} for _ in range(500)]}
    with pytest.raises(TooMuch):
        evaluate(compile_expression(text, names).ast, Environment(frame))


def test_a_text_cannot_grow_without_end() -> None:
    names = Names({"t": Name("t", "text")})
    text = "concat(" + ", ".join(["${t}"] * 30) + ")"
    with pytest.raises(TooMuch):
        evaluate(compile_expression(text, names).ast, Environment({"t": "长" * 5_000}))


@pytest.mark.parametrize(
    "pattern", ["(a+)+b", "(a|a)*b", "(a*)*b", "(a|aa)+b", ".*.*.*.*.*b", "(a?){30}a{30}"]
)
def test_no_pattern_runs_away(pattern: str) -> None:
    ast = compile_expression(f"regex(${{t}}, '{pattern}')", Names({"t": Name("t", "text")})).ast
    began = time.perf_counter()
    evaluate(ast, Environment({"t": "a" * 5_000 + "!"}))
    assert time.perf_counter() - began < 2


def test_the_schema_describes_the_record() -> None:
    schema = record_schema(CLINIC)()
    assert schema.validate(SOUND) == {}
    assert schema.fields["answers"].schema.fields["visit_result"].metadata["enum"] == [
        "met",
        "no_answer",
        "phone_ok",
    ]
