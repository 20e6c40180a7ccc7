"""Every function of the language: how many arguments, what comes out, which arguments may be node-sets.

`forms/README.md` documents each with an example; a test holds the two together.
"""

from dataclasses import dataclass
from typing import Literal

Result = Literal["text", "number", "boolean", "date", "any"]
MANY = 50


@dataclass(frozen=True)
class Signature:
    least: int
    most: int
    result: Result
    takes_sets: bool = False
    literals: tuple[int, ...] = ()
    """Positions of the arguments that have to be literal text."""


def _of(least: int, most: int, result: Result, *literals: int) -> Signature:
    return Signature(least, most, result, False, literals)


def _sets(least: int, most: int, result: Result) -> Signature:
    return Signature(least, most, result, True)


SIGNATURES: dict[str, Signature] = {
    "true": _of(0, 0, "boolean"),
    "false": _of(0, 0, "boolean"),
    "not": _of(1, 1, "boolean"),
    "boolean": _of(1, 1, "boolean"),
    "boolean-from-string": _of(1, 1, "boolean"),
    "if": _of(3, 3, "any"),
    "coalesce": _of(2, MANY, "any"),
    "once": _of(1, 1, "any"),
    "string": _of(1, 1, "text"),
    "concat": _sets(1, MANY, "text"),
    "join": _sets(2, MANY, "text"),
    "string-length": _of(0, 1, "number"),
    "substr": _of(2, 3, "text"),
    "contains": _of(2, 2, "boolean"),
    "starts-with": _of(2, 2, "boolean"),
    "ends-with": _of(2, 2, "boolean"),
    "substring-before": _of(2, 2, "text"),
    "substring-after": _of(2, 2, "text"),
    "normalize-space": _of(0, 1, "text"),
    "translate": _of(3, 3, "text"),
    "regex": _of(2, 2, "boolean", 1),
    "number": _of(1, 1, "number"),
    "int": _of(1, 1, "number"),
    "round": _of(1, 2, "number"),
    "floor": _of(1, 1, "number"),
    "ceiling": _of(1, 1, "number"),
    "abs": _of(1, 1, "number"),
    "sum": _sets(1, 1, "number"),
    "min": _sets(1, MANY, "number"),
    "max": _sets(1, MANY, "number"),
    "count": _sets(1, 1, "number"),
    "count-non-empty": _sets(1, 1, "number"),
    "selected": _of(2, 2, "boolean"),
    "count-selected": _of(1, 1, "number"),
    "selected-at": _of(2, 2, "text"),
    "jr:choice-name": _of(2, 2, "text", 1),
    "position": _of(1, 1, "number"),
    "indexed-repeat": Signature(3, 7, "any", True),
    "today": _of(0, 0, "date"),
    "now": _of(0, 0, "date"),
    "date": _of(1, 1, "date"),
    "date-time": _of(1, 1, "date"),
    "format-date": _of(2, 2, "text"),
    "format-date-time": _of(2, 2, "text"),
    "decimal-date-time": _of(1, 1, "number"),
    "days-between": _of(2, 2, "number"),
    "years-between": _of(2, 2, "number"),
    "add-days": _of(2, 2, "date"),
    "pulldata": _of(4, 4, "any", 0, 2),
    "setting": _of(1, 1, "any", 0),
    "cn-resident-id": _of(1, 1, "boolean"),
    "cn-resident-birth-date": _of(1, 1, "date"),
    "cn-resident-sex": _of(1, 1, "text"),
    "normalize-resident-id": _of(1, 1, "text"),
    "normalize-phone": _of(1, 1, "text"),
    "cn-mobile": _of(1, 1, "boolean"),
    "cn-landline": _of(1, 1, "boolean"),
}
