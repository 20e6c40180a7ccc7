"""What was worked out of an area's cells, kept by the process until they change: after intake has written,
a reader pays for the areas that it wrote to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from typing import TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Connection

from server.readmodel.area_marks import Mark, Marks, marks
from server.readmodel.model import ReadModel

QUESTIONS_MAX = 8  # each with an answer for each of hundreds of areas

T = TypeVar("T")
Told = dict[str, tuple[Mark, object]]

_told: WeakKeyDictionary[ReadModel, dict[Hashable, Told]] = WeakKeyDictionary()


class AreaAnswers:
    """Those that hold in a snapshot, which `connection` sees."""

    def __init__(self, rm: ReadModel, connection: Connection) -> None:
        self._told = _told.setdefault(rm, {})
        self._marks: Marks = marks(connection)

    def get(
        self, question: Hashable, codes: Iterable[str], make: Callable[[Collection[str]], Mapping[str, T]]
    ) -> dict[str, T]:
        """{area: what `make` gave for it}. `make` is asked about the areas of which nothing that holds is
        kept and tells of each, of nothing but its cells and what `question` names, in the same snapshot.
        Readers share the answers: they are not to be changed."""
        told = self._of(question)
        held = {code: (self._marks.of(code), told.get(code)) for code in codes}
        stale = [code for code, (mark, found) in held.items() if found is None or found[0] != mark]
        made = make(stale) if stale else {}
        for code in stale:
            told[code] = (held[code][0], made[code])
        return {code: made[code] if code in made else held[code][1][1] for code in held}  # type: ignore[index, misc]

    def _of(self, question: Hashable) -> Told:
        """The question asked last comes last."""
        told = self._told.pop(question, {})
        while len(self._told) >= QUESTIONS_MAX:
            del self._told[next(iter(self._told))]
        self._told[question] = told
        return told
