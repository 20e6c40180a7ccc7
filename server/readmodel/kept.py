"""What was worked out of the read model, kept by the process until the read model changes."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar
from weakref import WeakKeyDictionary

from server.readmodel.model import ReadModel

ANSWERS_MAX = 200  # of one version; some are tables of hundreds of villages

T = TypeVar("T")


class Answers:
    """Those of one version. An answer may hold what came while it was made, never less than its version."""

    def __init__(self, version: int) -> None:
        self.version = version
        self._made: dict[Hashable, object] = {}

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gave for `key`, which names everything that it depends on besides the read model.
        Readers share it: it is not to be changed."""
        if key not in self._made:
            made = make()
            if len(self._made) >= ANSWERS_MAX:
                self._made.clear()
            self._made[key] = made
        return self._made[key]  # type: ignore[return-value]


_answers: WeakKeyDictionary[ReadModel, Answers] = WeakKeyDictionary()


def kept(rm: ReadModel) -> Answers:
    """The answers of the read model's present version."""
    version = rm.version()
    answers = _answers.get(rm)
    if answers is None or answers.version != version:
        answers = _answers[rm] = Answers(version)
    return answers
