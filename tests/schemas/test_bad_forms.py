"""A broken form is refused with everything that is wrong with it: place, complaint, remedy."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import FormErrors, load_form

FORMS = Path(__file__).parent.parent.parent / "forms"
LABEL = {"zh": "问", "en": "Question"}
YES_NO = [{"name": "yes", "label": LABEL}, {"name": "no", "label": LABEL}]


def form_of(*rows: Any, **more: Any) -> dict[str, Any]:
    head = {"form_id": "demo", "settings": {"title": LABEL, "version": "1"}, "choices": {"yes_no": YES_NO}}
    return {**head, "survey": [{"type": "text", "name": "first", "label": LABEL}, *rows], **more}


def question(**columns: Any) -> dict[str, Any]:
    return {"type": "integer", "name": "q", "label": LABEL, **columns}


def rule(**parts: Any) -> dict[str, Any]:
    return {"id": "R1", "severity": "E", "expr": ". > 0", "message": LABEL, **parts}


def complaints(form: Any, envelope: Any = None) -> list[str]:
    with pytest.raises(FormErrors) as caught:
        load_form(form, {"survey": []} if envelope is None else envelope)
    assert all(error.place and error.message and error.remedy for error in caught.value.errors)
    return [str(error) for error in caught.value.errors]


BROKEN = {
    "an unknown type": (question(type="integr"), "no question type 'integr'. Did you mean “integer”?"),
    "no type": ({"name": "q", "label": LABEL}, "no question type None"),
    "an unknown list": (question(type="select_one yesno"), "no choice list “yesno”. Did you mean “yes_no”?"),
    "an unknown register": (question(type="select_one_from_file houses"), "no choice list “houses”"),
    "a list where none belongs": (question(type="text yes_no"), "takes no list"),
    "a duplicate name": (question(name="first"), "the name “first” is taken by survey › first"),
    "a reserved name": (question(name="answers"), "the name “answers” is reserved"),
    "a name with a space": (question(name="a b"), "the name 'a b' is not usable"),
    "no name": ({"type": "text", "label": LABEL}, "survey › 3: the name None is not usable"),
    "an unknown column": (question(relevent="1"), "no column “relevent”. Did you mean “relevant”?"),
    "no label": ({"type": "text", "name": "q"}, "the label is missing"),
    "a label in one language": (question(label={"zh": "问"}), "the text is missing in en"),
    "a label without languages": (question(label="问"), "has no languages"),
    "a third language": (question(label={**LABEL, "fr": "Q"}), "the language 'fr' is unknown"),
    "a hint in one language": (question(hint={"en": "x"}), "survey › q › hint: the text is missing in zh"),
    "a label that names nobody": (question(label={"zh": "${who}", "en": "x"}), "no question “who”"),
    "an unknown reference": (
        question(relevant="${frst} = 1"),
        "q › relevant, line 1, column 1: there is no question “frst”",
    ),
    "a place in the second line": (
        question(relevant="${first} = 1\n  or foo()"),
        "line 2, column 6: there is no function “foo”",
    ),
    "a wrong number of arguments": (
        question(relevant="selected(${first})"),
        "selected() takes 2 arguments, not 1",
    ),
    "a syntax error": (question(relevant="${first} = "), "ends too early"),
    "an expression that is a number": (question(relevant=5), "the expression is not a text"),
    "a bad regular expression": (
        question(constraint=[rule(expr="regex(., '(a')")]),
        "a bracket is not closed",
    ),
    "a circle with itself": (question(calculation="${q} + 1"), "this goes in a circle: q → q"),
    "a constraint without id": (question(constraint=[{"expr": "1"}]), "the constraint has no id"),
    "an unknown severity": (question(constraint=[rule(severity="X")]), "no severity 'X'"),
    "a constraint without message": (
        question(constraint=[rule(message=None)]),
        "constraint R1 › message: the text is missing",
    ),
    "a constraint that is a number": (question(constraint=5), "neither a list nor an expression"),
    "an unknown part of a constraint": (
        question(constraint=[rule(expression="1")]),
        "no column “expression”",
    ),
    "a constraint on a group": (
        {
            "type": "begin_group",
            "name": "g",
            "label": LABEL,
            "children": [question()],
            "constraint": [rule(expr="1")],
        },
        "a begin_group has no value to constrain",
    ),
    "an unknown pii class": (question(pii="P9"), "no pii class 'P9'"),
    "a default of another type": (question(default="five"), "'five' is no answer of this type"),
    "a default that is no choice": (
        question(type="select_one yes_no", default="maybe"),
        "'maybe' is no answer",
    ),
    "a default beside a calculation": (question(calculation="1", default=1), "has no default"),
    "a calculate without calculation": ({"type": "calculate", "name": "q"}, "the calculation is missing"),
    "a required note": (question(type="note", required=True), "a note cannot be required"),
    "required, neither true nor false": (question(required="${first"), "q › required, line 1, column 1"),
    "a filter without choices": (question(choice_filter="1"), "no choices to filter"),
    "a filter over no column": (
        question(type="select_one yes_no", choice_filter="town = 'a'"),
        "the choice list has no column “town”",
    ),
    "an incomplete offer": (question(coerce={"when": "1"}), "the offer is incomplete"),
    "parameters that are no texts": (question(parameters={"a": 1}), "this is not an object of texts"),
    "decimals that are no number": (question(decimals="1"), "this is not a whole number"),
    "a group without rows": ({"type": "begin_group", "name": "g", "label": LABEL}, "the rows are not a list"),
    "a row that is no object": ("text", "the row is not an object"),
    "an unknown choice": (question(relevant="${yn} = 'maybe'"), "no code 'maybe'"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_row_is_refused_with_its_place(name: str) -> None:
    row, complaint = BROKEN[name]
    found = complaints(form_of({"type": "select_one yes_no", "name": "yn", "label": LABEL}, row))
    assert any(complaint in each for each in found), found


def test_a_long_circle_is_shown() -> None:
    names = ["a", "b", "c"]
    rows = [
        question(name=name, relevant=f"${{{other}}} = 1")
        for name, other in zip(names, ["b", "c", "a"], strict=True)
    ]
    assert any("a → b → c → a" in each for each in complaints(form_of(*rows)))


def test_a_circle_through_a_group_is_shown() -> None:
    group = {
        "type": "begin_group",
        "name": "g",
        "label": LABEL,
        "relevant": "${q} = 1",
        "children": [question()],
    }
    assert any("circle" in each for each in complaints(form_of(group)))


def test_all_mistakes_come_at_once() -> None:
    rows = [row for row, _ in BROKEN.values()]
    assert len(complaints(form_of(*rows))) >= len(rows)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"form_id": "a b"}, "form_id: 'a b' is not usable"),
        ({"settings": {}}, "settings › version"),
        ({"settings": 1}, "settings › title"),
        ({"survey": []}, "the form has no questions"),
        ({"survey": {}}, "the rows are not a list"),
        ({"choices": []}, "the choices are not an object"),
        ({"choices": {"l": []}}, "choices › l"),
        ({"choices": {"l": [{"name": "a b", "label": LABEL}]}}, "is not usable"),
        ({"choices": {"l": [YES_NO[0], YES_NO[0]]}}, "stands twice"),
        ({"choices": {"l": [{"name": "a"}]}}, "choices › l › 1"),
        ({"extra": 1}, "no part “extra”"),
    ],
)
def test_a_broken_head_is_refused(change: dict[str, Any], complaint: str) -> None:
    found = complaints({**form_of(), **change})
    assert any(complaint in each for each in found), found


@pytest.mark.parametrize("form", [None, [], "form", 5])
def test_what_is_no_object_is_no_form(form: Any) -> None:
    assert complaints(form) == ["form: the form is not an object. Write {“form_id”: …, “survey”: […]}."]


def test_groups_nested_too_deep_are_refused() -> None:
    row = question()
    for level in range(1_000):
        row = {"type": "begin_group", "name": f"g{level}", "label": LABEL, "children": [row]}
    assert any("nested deeper" in each for each in complaints(form_of(row)))


def test_too_many_rows_are_refused() -> None:
    rows = [question(name=f"q{number}") for number in range(3_000)]
    assert any("more than 2000 rows" in each for each in complaints(form_of(*rows)))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)
HOUSEHOLD_VISIT = json.loads((FORMS / "household_visit.json").read_text(encoding="utf-8"))
ENVELOPE = json.loads((FORMS / "envelope.json").read_text(encoding="utf-8"))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_form_with_anything_anywhere_is_taken_or_refused(data: st.DataObject) -> None:
    form = copy.deepcopy(HOUSEHOLD_VISIT)
    owner: Any = form
    key: Any = data.draw(st.sampled_from(sorted(form)))
    while isinstance(owner[key], dict | list) and owner[key] and data.draw(st.integers(0, 5)):
        owner = owner[key]
        key = data.draw(st.sampled_from(sorted(owner) if isinstance(owner, dict) else range(len(owner))))
    owner[key] = data.draw(JSON)
    try:
        load_form(form, ENVELOPE)
    except FormErrors as refused:
        assert refused.errors


@pytest.mark.parametrize("name", ["household_visit", "disinfection_log", "supply_delivery", "stock_movement"])
def test_the_forms_of_the_product_are_sound(name: str) -> None:
    district = json.loads((FORMS / "settings.json").read_text(encoding="utf-8"))
    form = json.loads((FORMS / f"{name}.json").read_text(encoding="utf-8"))
    assert load_form(form, ENVELOPE, district).form_id == name
