"""What an expression may refer to, and from where."""

import difflib
from dataclasses import dataclass, field

Chain = tuple[str, ...]


@dataclass(frozen=True)
class Name:
    """A question, group or repeat. `kind`: text, number, date, choice, choices, position, file, flag, any,
    group, repeat. `chain` are the repeats around it, outermost first (a repeat's own name is not in its
    chain)."""

    name: str
    kind: str
    chain: Chain = ()
    choice_list: str = ""


@dataclass(frozen=True)
class Names:
    entries: dict[str, Name] = field(default_factory=dict)
    choices: dict[str, frozenset[str]] = field(default_factory=dict)
    """Choice lists and their codes; None is never in it."""
    settings: frozenset[str] | None = None
    """The district settings' names; None when they are not known."""
    registers: dict[str, str] = field(default_factory=dict)
    """Register lists and their key columns."""

    columns: dict[str, frozenset[str]] = field(default_factory=dict)
    """Register lists and all their columns."""

    def closest(self, name: str) -> str:
        found = difflib.get_close_matches(name, self.entries, n=1)
        return found[0] if found else ""


@dataclass(frozen=True)
class Place:
    """Where an expression stands: the question that `.` means, the repeats around it, the columns of its
    choice list."""

    name: str = ""
    chain: Chain = ()
    columns: frozenset[str] | None = None
