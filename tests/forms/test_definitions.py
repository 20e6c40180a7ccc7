"""The forms ask what the field needs, in two languages, with codes that stay and care for people's data."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.forms.definitions import FORM_IDS, FORMS, HERE, definition, questions, read, rows

ALL = ["envelope", *FORM_IDS]
TABLES: dict[str, dict[str, list[list[str]]]] = read(HERE / "fields.json")
CODES: dict[str, str] = read(HERE / "codes.json")
SENSITIVE: dict[str, dict[str, str]] = read(HERE / "sensitive.json")
PLACE_NAMES = re.compile("博山|淄博|武汉|Boshan|Zibo|Wuhan|湖北|Hubei")
INVISIBLE = ("calculate", "hidden")


def need(row: dict[str, Any]) -> str:
    required = row.get("required", False)
    return "sometimes" if isinstance(required, str) else "always" if required else "never"


def texts(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every label, hint and message with the name of its column."""
    if isinstance(value, dict):
        if "zh" in value or "en" in value:
            yield key, value
        else:
            for name, inner in value.items():
                yield from texts(inner, name)
    if isinstance(value, list):
        for inner in value:
            yield from texts(inner, key)


@pytest.mark.parametrize(
    ("form", "group", "wanted"),
    [(form, group, wanted) for form, groups in TABLES.items() for group, wanted in groups.items()],
)
def test_every_field_of_the_tables_is_asked_in_its_group_and_order(
    form: str, group: str, wanted: list[list[str]]
) -> None:
    names = {name for name, _, _ in wanted}
    found = [
        [row["name"], row["type"], need(row)]
        for parent, row in questions(form)
        if parent == group and row["name"] in names
    ]
    assert found == wanted


@pytest.mark.parametrize("form", ALL)
def test_every_question_has_a_label_in_both_languages_and_a_privacy_class(form: str) -> None:
    for _, row in rows(definition(form)["survey"]):
        assert row["label"]["zh"].strip(), row["name"]
        assert row["label"]["en"].strip(), row["name"]
        if not row["type"].startswith("begin_"):
            assert row["pii"] in ("P0", "P1", "P2"), row["name"]


@pytest.mark.parametrize("form", ALL)
def test_every_text_is_written_in_both_languages(form: str) -> None:
    for key, text in texts(definition(form)):
        assert set(text) == {"zh", "en"}, (key, text)
        assert text["zh"].strip() and text["en"].strip(), (key, text)
        assert re.search("[\u4e00-\u9fff]|→|mg/L", text["zh"]), f"{text['zh']} is not Chinese"
        assert not re.search("[\u4e00-\u9fff]", text["en"].replace("卫消证字", "").replace("无", "")), (
            f"{text['en']} is not English"
        )


@pytest.mark.parametrize("form", ALL)
def test_a_message_is_one_short_sentence_that_says_what_to_do(form: str) -> None:
    for _, row in questions(form):
        for rule in row.get("constraint", []):
            if rule["severity"] != "F":
                assert re.search("请|不要|不能|应", rule["message"]["zh"]), rule["message"]
            assert len(re.sub(r"\$\{\w+\}", "30", rule["message"]["zh"])) <= 50, rule["message"]
            assert rule["message"]["zh"][-1] not in "。！", rule["message"]


@pytest.mark.parametrize("form", ALL)
def test_no_question_names_the_district_or_its_key_areas(form: str) -> None:
    content = definition(form)
    named = [text for _, text in texts(content["survey"]) if PLACE_NAMES.search(text["zh"] + text["en"])]
    assert named == []


@pytest.mark.parametrize("form", ALL)
def test_every_choice_list_that_a_question_names_exists_and_none_lies_idle(form: str) -> None:
    content = definition(form)
    used = {
        row["type"].split()[1]
        for _, row in questions(form)
        if re.match("select_(one|multiple) ", row["type"])
    }
    assert used == set(content["choices"]), "a list is missing, or no question uses it"


@pytest.mark.parametrize("form", ALL)
def test_choice_codes_are_the_agreed_ones_in_their_order(form: str) -> None:
    for name, choices in definition(form)["choices"].items():
        if name not in ("province", "city"):
            assert [choice["name"] for choice in choices] == CODES[name].split(), name


def test_every_agreed_list_is_in_some_form() -> None:
    assert {name for form in ALL for name in definition(form)["choices"]} == {*CODES, "province", "city"}


@pytest.mark.parametrize("form", ALL)
def test_choice_codes_are_snake_case_and_items_upper_case(form: str) -> None:
    for name, choices in definition(form)["choices"].items():
        codes = [choice["name"] for choice in choices]
        shape = "[A-Z]+(_[A-Z]+)*" if name == "item" else "[a-z0-9]+(_[a-z0-9]+)*"
        assert len(codes) == len(set(codes)), name
        assert [code for code in codes if not re.fullmatch(shape, code)] == [], name


def test_a_list_that_two_forms_share_is_the_same_in_both() -> None:
    seen: dict[str, Any] = {}
    for form in ALL:
        for name, choices in definition(form)["choices"].items():
            assert seen.setdefault(name, choices) == choices, name


def test_provinces_and_cities_follow_the_division_codes() -> None:
    choices = definition("household_visit")["choices"]
    provinces = [choice["name"] for choice in choices["province"]]
    assert provinces[0] == "420000"
    assert sum(re.fullmatch(r"\d\d0000", code) is not None for code in provinces) == 34
    assert len(choices["city"]) > 330
    for city in choices["city"]:
        assert city["province"] == city["name"][:2] + "0000" and city["province"] in provinces, city


@pytest.mark.parametrize("form", ALL)
def test_only_what_is_sensitive_is_sensitive(form: str) -> None:
    assert {row["name"] for _, row in questions(form) if row["pii"] == "P2"} == set(SENSITIVE[form])


@pytest.mark.parametrize(
    "name", ["new_address", "new_head_name", "person_name", "phone", "contact_proxy", "head_display"]
)
def test_names_addresses_and_phones_are_personal(name: str) -> None:
    assert {row["pii"] for _, row in questions("household_visit") if row["name"] == name} == {"P1"}


@pytest.mark.parametrize("form", FORM_IDS)
def test_thresholds_of_the_district_come_from_its_settings(form: str) -> None:
    settings = set(read(FORMS / "settings.json"))
    used = set(re.findall(r"setting\('([^'.]+)", (FORMS / f"{form}.json").read_text(encoding="utf-8")))
    assert used - settings == set()


@pytest.mark.parametrize("form", FORM_IDS)
def test_the_policy_numbers_stand_in_no_expression(form: str) -> None:
    settings = read(FORMS / "settings.json")
    for _, row in rows(definition(form)["survey"]):
        expressions = [
            row.get("relevant"),
            row.get("calculation"),
            *(rule["expr"] for rule in row.get("constraint", [])),
        ]
        for expression in filter(None, expressions):
            assert str(settings["fever_threshold"]) not in expression, row["name"]
            assert not re.search(r"(?<![\d.])14(?![\d.])", expression), row["name"]


def test_an_uneventful_visit_asks_at_most_eight_things_without_an_answer() -> None:
    """Opening the household, each of these, and one turn of the page or the finish: nine taps."""
    optional_or_prepared = ("default", "dynamic_default", "relevant")
    asked = [
        row["name"]
        for parent, row in questions("household_visit")
        if row.get("required") is True
        and parent != "rep_person"
        and not any(column in row for column in optional_or_prepared)
    ]
    assert asked == ["visit_result", "q_fever", "q_symptom", "q_key_area", "q_contact", "q_outside"]
    pages = [row for row in definition("household_visit")["survey"] if row["type"] == "begin_group"]
    assert len(pages) == 2


@pytest.mark.parametrize("form", ALL)
def test_a_rule_id_is_used_once_for_a_question_and_severity_unless_it_is_of_the_catalogue(form: str) -> None:
    for _, row in rows(definition(form)["survey"]):
        ids = [rule["id"] for rule in row.get("constraint", [])]
        own = [identity for identity in ids if not identity.startswith("V0")]
        assert len(own) == len(set(own)), row["name"]


def test_every_rule_of_the_catalogue_that_a_form_can_hold_is_there() -> None:
    ids = {
        rule["id"]
        for form in ALL
        for _, row in rows(definition(form)["survey"])
        for rule in row.get("constraint", [])
    }
    wanted = {
        "V002",
        *(f"V01{n}" for n in range(6)),
        *(f"V02{n}" for n in range(7)),
        "V030",
        "V032",
        "T1",
        "T2",
    }
    assert wanted - ids == set()
