"""Of which questions nothing can be wrong, by a record's choices alone; remembered by those.

    which answers there are, what is irrelevant, the choices ──► the questions that have to be looked at

A choice of its list, an answer that has to be there and is, a rule that compares choices: most of a record's
checks come out the same for most records. What depends on more than choices, and whatever is wrong, is left
to be looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from schemas.expressions import Environment, to_boolean
from schemas.expressions.environment import Frame
from schemas.settled import CHOSEN, REMEMBERED_MAX, is_plain, names_in

if TYPE_CHECKING:
    from schemas.compiled import Question, Rule
    from schemas.loading import Instance


class Quiet:
    """Of one form; `flat` are its questions in page order, `codes` those of each list."""

    def __init__(self, flat: Sequence[Question], codes: Mapping[str, frozenset[str]]) -> None:
        self._flat, self._codes = flat, codes
        self._chosen = tuple(q.name for q in flat if q.kind in CHOSEN and q.calculation is None)
        self._known = frozenset(self._chosen)
        self._remembered: dict[tuple[Any, ...], list[Question]] = {}
        self._settings: Mapping[str, Any] = {}

    def to_look_at(self, record: Instance, settings: Mapping[str, Any]) -> Sequence[Question]:
        """In page order. `settings` must not be changed afterwards, only replaced."""
        if record.broken or record.repeats:
            return self._flat
        if settings is not self._settings or len(self._remembered) >= REMEMBERED_MAX:
            self._remembered, self._settings = {}, settings
        chosen = tuple(map(record.frame.get, self._chosen))
        key = (tuple(record.raw), frozenset(record.irrelevant), chosen)
        found = self._remembered.get(key)
        if found is None:
            found = self._remembered[key] = self._not_quiet(
                record, dict(zip(self._chosen, chosen, strict=True))
            )
        return found

    def _not_quiet(self, record: Instance, chosen: Mapping[str, Any]) -> list[Question]:
        frame = {name: value for name, value in chosen.items() if value is not None}
        return [
            question
            for question in self._flat
            if question.name not in record.irrelevant
            and not (
                self._answer_is_right(question, frame)
                if question.name in record.raw
                else self._is_not_missed(question, frame)
            )
        ]

    def _answer_is_right(self, question: Question, frame: Frame) -> bool:
        if question.questionable and not (
            question.kind == "choice"
            and question.choice_filter is None
            and question.decimals is None
            and frame.get(question.name) in self._codes.get(question.list_name, ())
        ):
            return False
        return all(self._holds(rule, frame) for rule in question.rules)

    def _holds(self, rule: Rule, frame: Frame) -> bool:
        return self._is_known(rule.expression) and to_boolean(rule.holds(self._seen(frame)))

    def _is_not_missed(self, question: Question, frame: Frame) -> bool:
        if isinstance(question.required, bool):
            return not question.required
        return self._is_known(question.required_expression) and not to_boolean(
            question.required(self._seen(frame))
        )

    def _is_known(self, expression: Any) -> bool:
        return is_plain(expression) and self._known.issuperset(names_in(expression))

    def _seen(self, frame: Frame) -> Environment:
        return Environment(frame, settings=self._settings)
