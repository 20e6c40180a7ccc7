"""What a record is checked against, and what comes out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Lookup = Callable[[str, str, str], Mapping[str, Any] | None]


def no_lists(list_name: str, key_column: str, key: str) -> None:
    return None


@dataclass(frozen=True)
class Context:
    """`today` is the Beijing day YYYY-MM-DD, `now` RFC 3339 with +08:00; `lists(list, key_column, key)`
    gives the register entry or None."""

    today: str
    now: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    lists: Lookup = no_lists


@dataclass(frozen=True)
class Problem:
    """`path` as in verdicts: `temp_c`, `rep_person[0].temp_c`, `""` for the record as a whole. Severity is
    E, W or F."""

    rule: str
    severity: str
    path: str
    message: dict[str, str]

    def as_dict(self) -> dict[str, Any]:
        return {"rule": self.rule, "severity": self.severity, "path": self.path, "message": self.message}


@dataclass(frozen=True)
class Report:
    """`record` is the record with its calculated answers as the server computes them."""

    problems: list[Problem]
    record: dict[str, Any]
