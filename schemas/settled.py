"""What follows from a record's choices alone, remembered.

Most of a form's relevance follows from choice questions, and most records choose alike: ninety visits in a
hundred are the same uneventful one. So the questions whose relevance or value depends on nothing else are
settled together, once for every combination of choices that occurs:

    choices of the record ──► (met, door, no, no, …) ──► what they rule out, what is calculated from them

A question belongs to them when all that its expressions read are choices, the district's settings, and
questions that belong to them too. The clock, registers, numbers, texts and repeats do not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schemas.computed import computed
from schemas.expressions import Environment, to_boolean
from schemas.expressions.environment import Frame
from schemas.expressions.values import from_answer

if TYPE_CHECKING:
    from schemas.compiled import Question

OPERATIONS = frozenset({"and", "or", "not", "=", "!=", "selected", "if", "coalesce"})
CHOSEN = frozenset({"choice", "choices", "flag"})
CALCULATED = frozenset({"calculate", "hidden"})
REMEMBERED_MAX = 5_000


@dataclass(frozen=True, slots=True)
class Settlement:
    """`frame` and `answers` are what was calculated, as expressions and as records have it; `unanswered`
    what was calculated to be nothing."""

    irrelevant: frozenset[str]
    frame: Frame
    answers: dict[str, Any]
    unanswered: list[str]


class Settled:
    """Of one form. `rest` are the questions of `order` that have to be looked at record by record,
    `rest_outside` those of them that stand in no repeat."""

    def __init__(self, order: Sequence[Question], questions: Mapping[str, Question]) -> None:
        self._settled = _settled(order, questions)
        kept = {question.name for question in self._settled}
        self.rest = [question for question in order if question.name not in kept]
        self.rest_outside = [question for question in self.rest if not question.chain]
        calculated = {question.name for question in self._settled if question.calculation is not None}
        self._reads = tuple(sorted({name for q in self._settled for name in reads(q)} - calculated))
        self._remembered: dict[tuple[Any, ...], Settlement] = {}
        self._settings: Mapping[str, Any] = {}

    def by(self, frame: Frame, settings: Mapping[str, Any]) -> Settlement:
        """What these answers settle. `settings` must not be changed afterwards, only replaced."""
        if settings is not self._settings or len(self._remembered) >= REMEMBERED_MAX:
            self._remembered, self._settings = {}, settings
        key = tuple([frame.get(name, "") for name in self._reads])
        found = self._remembered.get(key)
        if found is None:
            found = self._remembered[key] = self._settle(dict(zip(self._reads, key, strict=True)), settings)
        return found

    def _settle(self, frame: Frame, settings: Mapping[str, Any]) -> Settlement:
        environment = Environment(frame, settings=settings)
        irrelevant: set[str] = set()
        answers: dict[str, Any] = {}
        for question in self._settled:
            if not _is_relevant(question, environment, irrelevant):
                irrelevant.add(question.name)
                frame[question.name] = ""
            elif question.calculation is not None:
                answers[question.name] = computed(question.type, question.calculation(environment))
                frame[question.name] = from_answer(answers[question.name])
        return Settlement(
            frozenset(irrelevant),
            {name: frame[name] for name in answers},
            {name: answer for name, answer in answers.items() if answer is not None},
            [name for name, answer in answers.items() if answer is None],
        )


def _is_relevant(question: Question, environment: Environment, irrelevant: set[str]) -> bool:
    if question.parent is not None and question.parent.name in irrelevant:
        return False
    return question.relevant is None or to_boolean(question.relevant(environment))


def _settled(order: Sequence[Question], questions: Mapping[str, Question]) -> list[Question]:
    """The largest set that depends on nothing outside it; whoever does is dropped until none does."""
    kept = {question.name: question for question in order if _could_settle(question)}
    while dropped := [name for name, question in kept.items() if not _rests_on(question, kept, questions)]:
        for name in dropped:
            del kept[name]
    return list(kept.values())


def _could_settle(question: Question) -> bool:
    if question.chain or (question.calculation is not None and question.type not in CALCULATED):
        return False
    return all(map(is_plain, question.expressions))


def is_plain(expression: Any) -> bool:
    """Whether an expression compares the record's own answers and settings, and does nothing else."""
    if type(expression) is not list:
        return True
    if expression[0] == "$":
        return bool(expression[2] == 0)
    if expression[0] == "setting":
        return True
    return expression[0] in OPERATIONS and all(map(is_plain, expression[1:]))


def reads(question: Question) -> Iterator[str]:
    """The answers that a plain question's relevance and value depend on."""
    return names_in(*question.expressions)


def names_in(*expressions: Any) -> Iterator[str]:
    """The answers that plain expressions read."""
    todo = list(expressions)
    while todo:
        expression = todo.pop()
        if type(expression) is not list or expression[0] == "setting":
            continue
        if expression[0] == "$":
            yield expression[1]
        else:
            todo += expression[1:]


def _rests_on(question: Question, kept: Mapping[str, Question], questions: Mapping[str, Question]) -> bool:
    parent = question.parent
    if parent is not None and parent.conditional and parent.name not in kept:
        return False
    return all(_is_known(questions.get(name), kept) for name in reads(question))


def _is_known(read: Question | None, kept: Mapping[str, Question]) -> bool:
    if read is None:
        return False
    if read.calculation is not None:
        return read.name in kept
    return read.kind in CHOSEN and not read.chain and (read.name in kept or not read.conditional)
