"""A record as the declarations' expressions see it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from schemas.expressions import Environment, to_boolean
from server.readmodel.expressions import Expression, frame

Answers = Mapping[str, Any]


class Source:
    """A record as expressions see it: an answer hides the envelope's field of the same name."""

    def __init__(
        self, record: Mapping[str, Any], answers: Answers, received_at: str, rules: Sequence[str] = ()
    ) -> None:
        self.answers, self.received_at, self.skew_s = answers, received_at, record.get("clock_skew_s")
        self.rules, self.gps = rules, record.get("gps")
        self.frame = frame({**record, "answers": None, "received_at": received_at, **answers})
        self.environment = Environment(self.frame)
        self._values: dict[Expression, Any] = {}

    def value(self, expression: Expression) -> Any:
        """What several readers ask is worked out once. Raises TooMuch."""
        if expression not in self._values:
            self._values[expression] = expression(self.environment)
        return self._values[expression]

    def holds(self, expression: Expression | None) -> bool:
        return expression is None or to_boolean(self.value(expression))

    def instances(self, repeat: str | None) -> Iterator[Environment]:
        return (source.environment for source in self.instances_of(repeat))

    def instances_of(self, repeat: str | None) -> Iterator[Source]:
        """Each instance as if it were a record; its answers hide the record's."""
        if repeat is None:
            yield self
            return
        rows = self.answers.get(repeat)
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, dict):
                yield self._instance(row)

    def _instance(self, row: Answers) -> Source:
        instance = object.__new__(Source)
        instance.__dict__ = {**self.__dict__, "answers": row, "frame": {**self.frame, **frame(row)}}
        instance.environment, instance._values = Environment(instance.frame), {}
        return instance
