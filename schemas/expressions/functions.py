"""The functions that need nothing but their arguments. Each takes values and gives a value; none raises but
TooMuch."""

import math
from collections.abc import Callable, Iterable
from typing import Any

from schemas.expressions import dates, identity
from schemas.expressions.environment import bounded
from schemas.expressions.values import NAN, number_to_string, to_boolean, to_number, to_string

WHITESPACE = " \t\r\n"


def flat(values: Iterable[Any]) -> list[Any]:
    """Node-sets among the arguments spread out."""
    result: list[Any] = []
    for value in values:
        if type(value) is list:
            result.extend(value)
        else:
            result.append(value)
    return result


def words(value: Any) -> list[str]:
    return [
        word
        for word in to_string(value).replace("\t", " ").replace("\n", " ").replace("\r", " ").split(" ")
        if word
    ]


def floor(number: float) -> float:
    return number if not math.isfinite(number) else float(math.floor(number))


def ceiling(number: float) -> float:
    return number if not math.isfinite(number) else float(math.ceil(number))


def truncate(value: Any) -> float:
    number = to_number(value)
    return number if not math.isfinite(number) else float(math.trunc(number))


def divide(a: float, b: float) -> float:
    if b != 0:
        return a / b
    if a == 0 or a != a or b != b:
        return NAN
    return math.copysign(math.inf, a) * math.copysign(1.0, b)


def modulo(a: float, b: float) -> float:
    if b == 0 or math.isinf(a) or a != a or b != b:
        return NAN
    return math.fmod(a, b)


def round_half_up(number: float) -> float:
    """Halves go up, as in XPath: -2.5 becomes -2."""
    if not math.isfinite(number) or abs(number) >= 2**52:
        return number
    low = math.floor(number)
    return float(low + 1 if number - low >= 0.5 else low)


def round_to(value: Any, places: Any = 0.0) -> float:
    """Rounds the shortest decimal form of the number, so that 1.005 to two places is 1.01."""
    number, digits = to_number(value), truncate(places)
    if digits != digits:
        return NAN
    if not math.isfinite(number) or digits == 0:
        return round_half_up(number)
    digits = max(-30.0, min(30.0, digits))
    shifted = round_half_up(_shift(number, int(digits)))
    return _shift(shifted, -int(digits))


def _shift(number: float, places: int) -> float:
    if not math.isfinite(number):
        return number
    return float(f"{number_to_string(number)}e{places}")


def substr(text: Any, start: Any, end: Any = None) -> str:
    """Characters from `start` (counted from 0) up to before `end`; negative ones count from the end."""
    letters = to_string(text)
    first = _index(start, len(letters))
    last = len(letters) if end is None else _index(end, len(letters))
    return "" if first is None or last is None else letters[first:last]


def _index(value: Any, length: int) -> int | None:
    number = truncate(value)
    if number != number:
        return None
    if number < 0:
        number += length
    return int(max(0.0, min(number, float(length))))


def selected(several: Any, one: Any) -> bool:
    return to_string(one).strip(WHITESPACE) in words(several)


def selected_at(several: Any, place: Any) -> str:
    found, index = words(several), truncate(place)
    return found[int(index)] if 0 <= index < len(found) else ""


def add_up(values: list[Any]) -> float:
    total = 0.0
    for value in values:
        total += to_number(value)
    return total


def least(values: list[Any], better: Callable[[float, float], bool]) -> float:
    numbers = [to_number(value) for value in values]
    if not numbers or any(number != number for number in numbers):
        return NAN
    best = numbers[0]
    for number in numbers:
        if better(number, best):
            best = number
    return best


def translate(text: Any, source: Any, target: Any) -> str:
    new = to_string(target)
    table: dict[str, str] = {}
    for at, character in enumerate(to_string(source)):
        table.setdefault(character, new[at : at + 1])
    return "".join(table.get(character, character) for character in to_string(text))


def before(text: Any, mark: Any) -> str:
    head, found, _ = _partition(to_string(text), to_string(mark))
    return head if found else ""


def after(text: Any, mark: Any) -> str:
    return _partition(to_string(text), to_string(mark))[2]


def _partition(text: str, mark: str) -> tuple[str, bool, str]:
    if not mark:
        return "", True, text
    head, found, tail = text.partition(mark)
    return head, bool(found), tail


def date(value: Any) -> str:
    if type(value) is str:
        day = dates.day_of(value)
        if day is not None:
            return dates.format_day(day)
    number = to_number(value)
    return "" if number != number else dates.format_day(floor(number))


def date_time(value: Any) -> str:
    ms = _ms(value)
    return "" if ms is None else dates.format_ms(ms)


def _ms(value: Any) -> int | None:
    """Milliseconds in Beijing's count of a date, a date with time, or a number of days."""
    if type(value) is str:
        ms = dates.ms_of(value)
        if ms is not None:
            return ms
    number = round_half_up(to_number(value) * dates.DAY_MS)
    if not dates.FIRST_DAY * dates.DAY_MS <= number < (dates.LAST_DAY + 1) * dates.DAY_MS:
        return None
    return int(number)


def decimal_date_time(value: Any) -> float:
    ms = _ms(value)
    return NAN if ms is None else ms / dates.DAY_MS


def format_date(value: Any, pattern: Any) -> str:
    ms = _ms(value)
    if ms is None or not dates.format_ms(ms):
        return ""
    return dates.format_with(to_string(pattern), ms)


def _day(value: Any) -> int | None:
    ms = _ms(value)
    return None if ms is None else ms // dates.DAY_MS


def days_between(start: Any, end: Any) -> float:
    first, last = _day(start), _day(end)
    return NAN if first is None or last is None else float(last - first)


def years_between(start: Any, end: Any) -> float:
    first, last = _day(start), _day(end)
    return NAN if first is None or last is None else float(dates.years_between(first, last))


def add_days(value: Any, days: Any) -> str:
    """A date stays a date (fractions of a day are dropped), a date with time keeps its time."""
    ms, number = _ms(value), to_number(days)
    if ms is None or not math.isfinite(number):
        return ""
    if type(value) is str and dates.parse_date(value) is None and dates.parse_date_time(value) is not None:
        return dates.format_ms(round_half_up(ms + number * dates.DAY_MS))
    return dates.format_day(floor(ms // dates.DAY_MS + number))


def _text(function: Callable[[str], Any]) -> Callable[[Any], Any]:
    return lambda value: function(to_string(value))


PURE: dict[str, Callable[..., Any]] = {
    "true": lambda: True,
    "false": lambda: False,
    "not": lambda value: not to_boolean(value),
    "boolean": to_boolean,
    "boolean-from-string": lambda value: to_string(value) in ("1", "true"),
    "string": to_string,
    "concat": lambda *values: bounded("".join(map(to_string, flat(values)))),
    "join": lambda glue, *values: bounded(to_string(glue).join(map(to_string, flat(values)))),
    "string-length": lambda value: float(len(to_string(value))),
    "substr": substr,
    "contains": lambda text, part: to_string(part) in to_string(text),
    "starts-with": lambda text, part: to_string(text).startswith(to_string(part)),
    "ends-with": lambda text, part: to_string(text).endswith(to_string(part)),
    "substring-before": before,
    "substring-after": after,
    "normalize-space": lambda value: " ".join(words(value)),
    "translate": translate,
    "number": to_number,
    "int": truncate,
    "round": round_to,
    "floor": lambda value: floor(to_number(value)),
    "ceiling": lambda value: ceiling(to_number(value)),
    "abs": lambda value: abs(to_number(value)),
    "sum": lambda value: add_up(flat([value])),
    "min": lambda *values: least(flat(values), lambda a, b: a < b),
    "max": lambda *values: least(flat(values), lambda a, b: a > b),
    "count": lambda value: float(len(flat([value]))),
    "count-non-empty": lambda value: float(sum(1 for item in flat([value]) if item != "")),
    "selected": selected,
    "count-selected": lambda value: float(len(words(value))),
    "selected-at": selected_at,
    "date": date,
    "date-time": date_time,
    "format-date": format_date,
    "format-date-time": format_date,
    "decimal-date-time": decimal_date_time,
    "days-between": days_between,
    "years-between": years_between,
    "add-days": add_days,
    "cn-resident-id": _text(lambda text: identity.birth_date(text) != ""),
    "cn-resident-birth-date": _text(identity.birth_date),
    "cn-resident-sex": _text(identity.sex),
    "normalize-resident-id": _text(identity.normalize_resident_id),
    "normalize-phone": _text(identity.normalize_phone),
    "cn-mobile": _text(identity.is_mobile),
    "cn-landline": _text(identity.is_landline),
    "+": lambda a, b: to_number(a) + to_number(b),
    "-": lambda a, b: to_number(a) - to_number(b),
    "*": lambda a, b: to_number(a) * to_number(b),
    "div": lambda a, b: divide(to_number(a), to_number(b)),
    "mod": lambda a, b: modulo(to_number(a), to_number(b)),
    "neg": lambda a: -to_number(a),
    "<": lambda a, b: to_number(a) < to_number(b),
    "<=": lambda a, b: to_number(a) <= to_number(b),
    ">": lambda a, b: to_number(a) > to_number(b),
    ">=": lambda a, b: to_number(a) >= to_number(b),
}
