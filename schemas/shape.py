"""Whether one answer has the form of its question type: the rule that marshmallow's fields, the quick check
and form defaults share. Choices and lists are looked at elsewhere."""

import math
from collections.abc import Callable
from typing import Any

from schemas.expressions.dates import parse_date, parse_date_time
from schemas.types import TEXT_LENGTH_MAX

NAME_MAX = 200
CHOICES_MAX = 500
NUMBER_MAX = 2**53


def _is_text(value: Any) -> bool:
    return type(value) is str and 0 < len(value) <= TEXT_LENGTH_MAX and is_clean(value)


def is_clean(text: str) -> bool:
    """No NUL and no half of a surrogate pair: neither can be stored everywhere."""
    return (text.isascii() and "\0" not in text) or not any(
        letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in text
    )


def _is_name(value: Any) -> bool:
    return _is_text(value) and len(value) <= NAME_MAX


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and abs(value) <= NUMBER_MAX


def _is_integer(value: Any) -> bool:
    return _is_number(value) and value == math.floor(value)


def _is_date(value: Any) -> bool:
    return type(value) is str and parse_date(value) is not None


def _is_date_time(value: Any) -> bool:
    return type(value) is str and parse_date_time(value) is not None


def _is_several(value: Any) -> bool:
    return (
        type(value) is list
        and 0 < len(value) <= CHOICES_MAX
        and all(map(_is_name, value))
        and len(set(value)) == len(value)
    )


def _is_position(value: Any) -> bool:
    if type(value) is not dict or not {"lat", "lon"} <= set(value) <= {
        "lat",
        "lon",
        "accuracy_m",
        "altitude_m",
    }:
        return False
    return all(map(_is_number, value.values())) and abs(value["lat"]) <= 90 and abs(value["lon"]) <= 180


def _is_scalar(value: Any) -> bool:
    return type(value) is bool or _is_number(value) or _is_text(value)


FITS: dict[str, Callable[[Any], bool]] = {
    "text": _is_text,
    "barcode": _is_text,
    "integer": _is_integer,
    "decimal": _is_number,
    "date": _is_date,
    "dateTime": _is_date_time,
    "select_one": _is_name,
    "select_multiple": _is_several,
    "select_one_from_file": _is_name,
    "select_multiple_from_file": _is_several,
    "image": _is_name,
    "audio": _is_name,
    "geopoint": _is_position,
    "acknowledge": lambda value: value is True,
    "calculate": _is_scalar,
    "hidden": _is_scalar,
    "start": _is_date_time,
    "end": _is_date_time,
    "today": _is_date,
    "deviceid": _is_name,
    "username": _is_name,
    "note": lambda value: False,
}


def answer_fault(question_type: str, value: Any) -> bool:
    """Whether `value` cannot be an answer to a question of this type."""
    fits = FITS.get(question_type)
    return fits is None or not fits(value)
