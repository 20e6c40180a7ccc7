"""The expressions that the declarations hold: over one frame of answers, compiled once, and remembered where
that pays.

    "${visit_result} = 'met' or …"      follows from choices: its value is kept for every choice that occurs
    "decimal-date-time(${ended_at}) …"  hardly ever meets the same answers again: evaluated record by record
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from schemas.expressions import Environment, Names, compile_closure, compile_expression
from schemas.expressions.names import Name
from schemas.expressions.values import from_answer
from schemas.settled import is_plain

REFERENCE = re.compile(r"\$\{\s*([A-Za-z_][\w.-]*)\s*\}")
REMEMBERED_MAX = 2_000  # values of one expression, or of several together

Expression = Callable[[Environment], Any]


def compile_text(text: str) -> Expression:
    """An expression over one frame of answers; whatever it names exists."""
    return compile_closure(_ast(text))


def _ast(text: str) -> Any:
    return compile_expression(text, Names(entries={name: Name(name, "any") for name in _reads(text)})).ast


def _reads(text: str) -> list[str]:
    return sorted(set(REFERENCE.findall(text)))


def choices_in(*texts: str | None) -> frozenset[str] | None:
    """The answers that decide these expressions; None when one depends on more than answers compared."""
    given = [text for text in texts if text]
    if not all(is_plain(_ast(text)) for text in given):
        return None
    return frozenset(name for text in given for name in _reads(text))


def frame(answers: Mapping[str, Any]) -> dict[str, Any]:
    found = {**answers}
    for name, value in answers.items():
        if type(value) is not str:
            found[name] = from_answer(value)
    return found


@cache
def compiled(text: str) -> Expression:
    """The same function for the same text."""
    ast = _ast(text)
    closure = compile_closure(ast)
    return _remembering(closure, tuple(_reads(text))) if is_plain(ast) else closure


def _remembering(closure: Expression, reads: tuple[str, ...]) -> Expression:
    remembered: dict[tuple[str, ...], Any] = {}

    def value(environment: Environment) -> Any:
        answers = environment.frames[0]
        key = tuple([answers.get(name, "") for name in reads])
        if key in remembered:
            return remembered[key]
        found = closure(environment)
        # Text only: a number and a boolean may be equal, and yet not mean the same.
        if all(type(answer) is str for answer in key):
            if len(remembered) >= REMEMBERED_MAX:
                remembered.clear()
            remembered[key] = found
        return found

    return value
