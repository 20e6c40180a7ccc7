"""The registers and the forms must speak the same codes."""

import json
from pathlib import Path

import pytest

from server.people.permissions import ROLES
from server.register import choices

FORMS = Path(__file__).parents[3] / "forms"


def form_list(form: str, name: str) -> dict[str, str]:
    entries = json.loads((FORMS / f"{form}.json").read_text("utf-8"))["choices"][name]
    return {entry["name"]: entry["label"]["zh"] for entry in entries}


@pytest.mark.parametrize(
    ("form", "name", "ours"),
    [
        ("disinfection_log", "place_type", choices.PLACE_TYPE),
        ("disinfection_log", "in_out", choices.IN_OUT),
        ("supply_delivery", "item", choices.ITEM),
        ("supply_delivery", "unit", choices.UNIT),
    ],
)
def test_a_list_is_the_forms_list(form, name, ours) -> None:
    assert ours == form_list(form, name)


def test_special_groups_are_the_forms_without_its_answer_none() -> None:
    assert form_list("household_visit", "special_group") == {"none": "无", **choices.SPECIAL_GROUP}


def test_fillers_have_the_roles_of_the_field() -> None:
    assert {
        role: label for role, (label, _) in ROLES.items() if role != "administrator"
    } == choices.FILLER_ROLE
