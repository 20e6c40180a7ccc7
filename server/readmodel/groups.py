"""How indicators are laid out where people look at them: in groups, each with the figure that leads it and
those that have a column in the tables of areas."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class GroupError(ValueError):
    """What is wrong with the groups, naming the group or the indicator."""


@dataclass(frozen=True, slots=True)
class Group:
    """`lead` is "" in a group whose figures are equals."""

    id: str
    name: Mapping[str, str]
    lead: str
    columns: tuple[str, ...]


def load_groups(rows: Sequence[Mapping[str, Any]], group_of: Mapping[str, str]) -> dict[str, Group]:
    """The groups by id, in their order; `group_of` gives each indicator's. Raises GroupError."""
    groups = {
        row["id"]: Group(row["id"], row["name"], row.get("lead", ""), tuple(row.get("columns", ())))
        for row in rows
    }
    if len(groups) != len(rows):
        raise GroupError("two groups have one id")
    for indicator, name in group_of.items():
        if name not in groups:
            raise GroupError(f"indicator {indicator}: there is no group {name}; add it to groups")
    for group in groups.values():
        _check(group, {name for name, its in group_of.items() if its == group.id})
    return groups


def _check(group: Group, own: Collection[str]) -> None:
    for name in (*group.columns, *filter(None, [group.lead])):
        if name not in own:
            raise GroupError(f"group {group.id}: {name} is not an indicator of this group")
