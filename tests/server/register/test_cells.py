import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.register import cells, choices
from server.register.kinds import KINDS
from server.register.refusals import CellRefused


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("370304001901", "370304001901"),
        (" 370304001901\u3000", "370304001901"),
        ("３７０３０４００１９０１", "370304001901"),
        (370304001901.0, "370304001901"),
        ("370304001901.0", "370304001901"),
        ("370304001901.00", "370304001901"),
        (123456789012345.0, "123456789012345"),
        ("3.70304001901E+11", "370304001901"),
        ("00012", "00012"),
        ("H-1_a.2", "H-1_a.2"),
        ("370304195001010007", "370304195001010007"),
        (7, "7"),
    ],
)
def test_an_id_is_taken_back_where_every_digit_is_sure(cell, text) -> None:
    assert cells.identifier(cell) == text


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("3.70304E+11", "last digits are lost"),
        (370304195001010000.0, "more than 15 digits"),
        (3.7030400190101e17, "more than 15 digits"),
        ("370304195001010000", "more than 15 digits"),
        ("3.70304195001010E+17", "more than 15 digits"),
        (1.5, "not a whole number"),
        (-3.0, "not a whole number"),
        (True, "are no ids"),
        ("a/b", "is no id"),
        ("_design", "is no id"),
        ("号1", "is no id"),
        ("a b", "is no id"),
        ("x" * 65, "is no id"),
        ("😀", "is no id"),
        ("a\0b", "is no id"),
    ],
)
def test_an_id_that_excel_may_have_ruined_is_refused_with_the_reason(cell, why) -> None:
    with pytest.raises(CellRefused, match=why):
        cells.identifier(cell)


@pytest.mark.parametrize("code", ["12345678901234567000", "37030400190101701000", "370304001901017020"])
def test_what_a_double_would_have_become_may_have_been_rounded(code: str) -> None:
    assert cells.identifier(code) == code
    assert cells.maybe_rounded(code)


@pytest.mark.parametrize(
    "code",
    [
        "370304001901",
        "37030400190101",
        "37030400190101702001",
        "03703040019010170200",
        "H-3703040019010170200",
    ],
)
def test_what_no_double_would_have_become_is_no_cause_for_doubt(code: str) -> None:
    assert not cells.maybe_rounded(code)


@given(st.integers(min_value=10**19, max_value=10**24))
def test_any_long_number_that_went_through_a_double_is_noticed(number: int) -> None:
    for shown in (repr(float(number)), f"{float(number):.17g}"):
        assert cells.maybe_rounded(format(Decimal(shown), "f"))


@given(st.integers(min_value=0, max_value=10**15 - 1))
def test_every_whole_number_that_excel_can_hold_comes_back_exactly(number) -> None:
    assert cells.identifier(float(number)) == str(number)


@given(st.one_of(st.text(max_size=80), st.floats(), st.integers(), st.booleans(), st.dates(), st.datetimes()))
def test_whatever_stands_in_a_cell_is_read_or_refused(cell) -> None:
    for reader in {column.read for kind in KINDS.values() for column in kind.columns}:
        try:
            value = reader(cell)
        except CellRefused as refusal:
            assert refusal.zh
            assert refusal.en
        else:
            assert isinstance(value, str | int | float | list)


@pytest.mark.parametrize(
    "cell",
    [
        "2020-02-21",
        "2020/2/21",
        "2020.2.21",
        "20200221",
        "2020年2月21日",
        "２０２０-02-21",
        datetime.date(2020, 2, 21),
        datetime.datetime(2020, 2, 21),
    ],
)
def test_a_date_is_read_however_it_is_written(cell) -> None:
    assert cells.date(cell) == "2020-02-21"


@pytest.mark.parametrize(
    "cell",
    ["2020-02-30", "21.02.2020", "yesterday", 43882.0, "2020-13-01", datetime.datetime(2020, 2, 21, 9)],
)
def test_what_is_no_date_is_refused(cell) -> None:
    with pytest.raises(CellRefused, match="not a date"):
        cells.date(cell)


@pytest.mark.parametrize(
    ("cell", "number"), [("12", 12), ("1２", 12), (12.0, 12), ("0.5", 0.5), ("1e2", 100), (" 7 ", 7)]
)
def test_a_number_is_read(cell, number) -> None:
    assert cells.number(0, 100)(cell) == number


@pytest.mark.parametrize(
    "cell", ["", "twelve", "101", "-1", "nan", "Infinity", float("nan"), float("inf"), "1,000"]
)
def test_what_is_no_number_in_range_is_refused(cell) -> None:
    with pytest.raises(CellRefused):
        cells.number(0, 100)(cell)


@given(st.decimals(min_value=0, max_value=100, places=3))
def test_a_whole_number_is_never_rounded_into_being(number) -> None:
    whole = cells.number(0, 100, whole=True)
    if number == number.to_integral_value():
        assert whole(str(number)) == int(number)
    else:
        with pytest.raises(CellRefused, match="whole"):
            whole(str(number))
    assert Decimal(str(cells.number(0, 100)(str(number)))) == number


@pytest.mark.parametrize("cell", ["15400001234", "+86 154-0000-1234", 15400001234.0, "0086 15400001234"])
def test_a_mobile_number_is_normalised(cell) -> None:
    assert cells.phone(cell) == "15400001234"


@pytest.mark.parametrize("cell", ["1540000123", "12345678901", "abc", "110"])
def test_what_is_no_phone_number_is_refused(cell) -> None:
    with pytest.raises(CellRefused, match="no phone number"):
        cells.phone(cell)


def test_choices_are_codes_or_labels() -> None:
    read = cells.choices(choices.SPECIAL_GROUP)
    assert read("低保；elder_80, dibao") == ["dibao", "elder_80"]
    with pytest.raises(CellRefused, match="not one of"):
        read("低保;富户")


def test_items_are_read_and_their_mistakes_named() -> None:
    read = cells.items(choices.ITEM, choices.UNIT)
    assert read("VEG_BOX:1:box；大米(袋)：2：袋") == [
        {"item_code": "VEG_BOX", "qty": 1, "unit": "box"},
        {"item_code": "RICE_BAG", "qty": 2, "unit": "bag"},
    ]
    for cell, why in [
        ("VEG_BOX:1", "item:quantity:unit"),
        ("GOLD:1:bag", "not one of"),
        ("OIL:0:bottle", "between"),
        ("OIL:1:bottle;OIL:2:bottle", "twice"),
    ]:
        with pytest.raises(CellRefused, match=why):
            read(cell)


@pytest.mark.parametrize("cell", ["a\nb", "a\x07b", "x" * 201])
def test_text_without_end_or_with_control_characters_is_refused(cell) -> None:
    with pytest.raises(CellRefused):
        cells.text(cell)
