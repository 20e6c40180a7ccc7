"""What is left of an answer for a reader who need not know who it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.api import masking


@pytest.mark.parametrize(
    ("mask", "given_text", "left"),
    [
        (masking.mask_name, "张三", "张**"),
        (masking.mask_name, "张三丰", "张**"),
        (masking.mask_name, "欧阳修", "欧阳**"),
        (masking.mask_name, "欧阳", "欧**"),
        (masking.mask_name, "张**", "张**"),
        (masking.mask_name, "欧阳**", "欧阳**"),
        (masking.mask_name, "John Smith", "J**"),
        (masking.mask_name, "", ""),
        (masking.mask_phone, "13812345678", "138****5678"),
        (masking.mask_phone, "+86 138 1234 5678", "138****5678"),
        (masking.mask_phone, "0533-4110011", "0533-***0011"),
        (masking.mask_phone, "4110011", "***0011"),
        (masking.mask_phone, "无", "***"),
        (masking.mask_id, "11010519491231002X", "110105********002X"),
        (masking.mask_id, "E12345678", "*******78"),
        (masking.mask_id, "1234", "***"),
        (masking.mask_address, "幸福小区3号楼2单元501室", "幸福小区3号楼***"),
        (masking.mask_address, "西山街12号", "西山街***"),
        (masking.mask_address, "501", "***"),
        (masking.mask_plate, "鲁C12345", "鲁C***45"),
        (masking.mask_text, "任何话", "***"),
    ],
)
def test_a_mask_leaves_what_the_rules_say(mask, given_text, left) -> None:
    assert mask(given_text) == left


@given(st.text())
def test_no_mask_fails_on_any_text(text: str) -> None:
    for mask in masking.MASKS.values():
        assert isinstance(mask(text), str)


@given(st.from_regex(r"[1-9]\d{16}[\dX]", fullmatch=True))
def test_the_birth_date_never_survives_in_a_masked_id(number: str) -> None:
    assert masking.mask_id(number)[6:14] == "********"


@given(st.from_regex(r"1[3-9]\d{9}", fullmatch=True), st.sampled_from("号电话：, "))
def test_free_text_loses_the_numbers_that_people_write_into_it(phone: str, before: str) -> None:
    assert phone not in masking.mask_numbers_within(f"联系{before}{phone}。")


FORM = [
    {
        "type": "begin_group",
        "name": "g",
        "children": [
            {"type": "text", "name": "new_head_name", "pii": "P1"},
            {"type": "select_one", "name": "visit_result", "list": "visit_result", "pii": "P0"},
            {"type": "text", "name": "product_name", "pii": "P0"},
        ],
    },
    {
        "type": "begin_repeat",
        "name": "rep_person",
        "children": [
            {"type": "text", "name": "person_name", "pii": "P1"},
            {"type": "text", "name": "id_number", "pii": "P2"},
            {"type": "text", "name": "phone", "pii": "P1"},
            {"type": "decimal", "name": "temp_c", "pii": "P2"},
            {"type": "calculate", "name": "id_birth_date", "pii": "P2"},
            {"type": "calculate", "name": "fever", "pii": "P2"},
            {"type": "text", "name": "travel_detail", "pii": "P2"},
        ],
    },
]


def test_a_record_keeps_what_the_district_works_with_and_loses_who_it_was() -> None:
    answers = {
        "new_head_name": "李小明",
        "visit_result": "met",
        "product_name": "84消毒液",
        "rep_person": [
            {
                "person_name": "司马光",
                "id_number": "11010519491231002X",
                "phone": "13812345678",
                "temp_c": 38.2,
                "id_birth_date": "1949-12-31",
                "fever": "yes",
                "travel_detail": "武昌站附近",
            }
        ],
    }
    assert masking.mask_answers(FORM, answers) == {
        "new_head_name": "李**",
        "visit_result": "met",
        "product_name": "84消毒液",
        "rep_person": [
            {
                "person_name": "司马**",
                "id_number": "110105********002X",
                "phone": "138****5678",
                "temp_c": 38.2,
                "id_birth_date": "***",
                "fever": "yes",
                "travel_detail": "***",
            }
        ],
    }


def test_an_answer_that_no_question_knows_is_hidden_whole() -> None:
    assert masking.mask_answers(FORM, {"stranger": "李小明 13812345678"}) == {"stranger": "***"}


@pytest.mark.parametrize("value", [{"a": "李小明"}, 13812345678, ["李小明"], [["李小明"]], [{"x": "李小明"}]])
def test_a_name_of_the_wrong_type_does_not_slip_through(value: object) -> None:
    masked = masking.mask_answers(FORM, {"new_head_name": value})
    assert "李小明" not in str(masked) and "13812345678" not in str(masked)


@pytest.mark.parametrize("value", ["李小明", {"person_name": "李小明"}, ["李小明"], 5])
def test_a_repeat_of_the_wrong_type_does_not_slip_through(value: object) -> None:
    assert "李小明" not in str(masking.mask_answers(FORM, {"rep_person": value}))


def test_a_choice_answered_with_prose_does_not_slip_through() -> None:
    masked = masking.mask_answers(FORM, {"visit_result": "李小明 身份证11010519491231002X"})
    assert "11010519491231002X" not in str(masked)


def test_a_household_entry_loses_name_phone_door_search_keys_and_position() -> None:
    entry = {
        "household_id": "H1",
        "head_name": "王五",
        "head_search": "wangwu ww",
        "phone": "13812345678",
        "door_no": "3-2",
        "address": "幸福小区3号楼2单元501室",
        "lon": 117.8,
        "lat": 36.5,
        "residents": 3,
    }
    assert masking.mask_register_entry(entry) == {
        "household_id": "H1",
        "head_name": "王**",
        "phone": "138****5678",
        "door_no": "***",
        "address": "幸福小区3号楼***",
        "residents": 3,
    }
