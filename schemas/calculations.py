"""A form reduced to what its calculations depend on: to work them out again, most of it need not be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from schemas.compiled import Question


def needed(questions: Mapping[str, Question]) -> dict[str, Question]:
    """The questions that are calculated, and those by which it is decided what comes out."""
    todo = [question for question in questions.values() if question.calculation is not None]
    found: dict[str, Question] = {}
    while todo:
        question = todo.pop()
        if question.name not in found:
            found[question.name] = question
            named = {*question.chain, *_texts(question.expressions)}
            todo += [questions[name] for name in named if name in questions]
            todo += [question.parent] if question.parent is not None else []
    return found


def _texts(expression: Any) -> Iterator[str]:
    """Every text in it, and so every name: one that is not meant as a name does no harm."""
    if isinstance(expression, str):
        yield expression
    elif isinstance(expression, list | tuple):
        for part in expression:
            yield from _texts(part)
