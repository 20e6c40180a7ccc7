"""XPath 1.0's conversions over text, IEEE doubles and booleans, the same to the last bit as the phone's."""

import math
import re
from typing import TypeAlias

from schemas.expressions.dates import days_of

Value: TypeAlias = str | float | bool

NAN = math.nan
NUMBER = re.compile(r"[ \t\r\n]*-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)[ \t\r\n]*")


def to_number(value: object) -> float:
    """Text that is a date or a date with time counts as days since 1970-01-01 in Beijing; other text is
    NaN."""
    kind = type(value)
    if kind is float:
        return value  # type: ignore[return-value]
    if kind is str:
        return _number_of(value)  # type: ignore[arg-type]
    if kind is bool or kind is int:
        return float(value)  # type: ignore[arg-type]
    return NAN


def _number_of(text: str) -> float:
    # No number has a sign behind a digit, so a date needs no look at the pattern.
    if not (text[4:5] == "-" and text[0].isdigit()) and NUMBER.fullmatch(text):
        return float(text)
    return days_of(text)


def to_string(value: object) -> str:
    kind = type(value)
    if kind is str:
        return value  # type: ignore[return-value]
    if kind is bool:
        return "true" if value else "false"
    if kind is float or kind is int:
        return number_to_string(float(value))  # type: ignore[arg-type]
    return ""


def to_boolean(value: object) -> bool:
    if type(value) is float:
        return value == value and value != 0.0
    return bool(value)


def number_to_string(number: float) -> str:
    """The shortest decimal digits that give the number back, never with an exponent; whole numbers without
    “.0”."""
    if number != number:
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    if number == math.floor(number) and abs(number) < 1e15:
        return str(int(number))
    return _positional(repr(number))


def _positional(shortest: str) -> str:
    mantissa, _, exponent = shortest.partition("e")
    if not exponent:
        return shortest.removesuffix(".0")
    sign, mantissa = ("-", mantissa[1:]) if mantissa.startswith("-") else ("", mantissa)
    whole, _, fraction = mantissa.partition(".")
    digits, point = whole + fraction, len(whole) + int(exponent)
    if point <= 0:
        return sign + "0." + "0" * -point + digits.rstrip("0")
    digits = digits.ljust(point, "0")
    rest = digits[point:].rstrip("0")
    return sign + digits[:point] + ("." + rest if rest else "")


def equal(a: object, b: object, a_is_answer: bool, b_is_answer: bool) -> bool:
    """XPath's `=`: an answer beside text is compared as text; else booleans win over numbers, numbers over
    text."""
    a_text, b_text = type(a) is str, type(b) is str
    if (a_text and (b_text or b_is_answer)) or (b_text and a_is_answer):
        return to_string(a) == to_string(b)
    if type(a) is bool or type(b) is bool:
        return to_boolean(a) == to_boolean(b)
    return to_number(a) == to_number(b)


def from_answer(answer: object) -> object:
    """An answer as expressions see it: several choices and a position become text, an absent one is ""."""
    kind = type(answer)
    if kind is str or kind is bool or kind is float:
        return answer
    if kind is int:
        return float(answer)  # type: ignore[arg-type]
    if kind is list:
        return " ".join(map(to_string, answer))  # type: ignore[call-overload]
    if kind is dict:
        return _position_text(answer)  # type: ignore[arg-type]
    return ""


def _position_text(position: dict[str, object]) -> str:
    if "lat" not in position:
        return ""
    parts = [position.get("lat", ""), position.get("lon", ""), 0, position.get("accuracy_m", 0)]
    return " ".join(to_string(part) for part in parts)


def to_answer(value: object) -> object:
    """A value as a record keeps it: whole numbers as int; None for "", NaN and the infinite."""
    if type(value) is not float:
        return None if value == "" else value
    if value != value or math.isinf(value):
        return None
    return int(value) if value == math.floor(value) and abs(value) < 2**53 else value
