"""What an expression sees while it is evaluated, and its bounds."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

STEPS_MAX = 100_000
TEXT_MAX = 100_000

Frame: TypeAlias = dict[str, Any]
Lookup: TypeAlias = Callable[[str, str, str], Mapping[str, Any] | None]


class TooMuch(Exception):
    """An evaluation walked more than STEPS_MAX instances or made a text longer than TEXT_MAX characters."""


def _nothing(list_name: str, key_column: str, key: str) -> None:
    return None


class Environment:
    """`frames[0]` is the record, `frames[n]` the instance of the n-th enclosing repeat: names to values as
    `values.from_answer` gives them; a repeat's name leads to its list of frames. `positions` count from 1."""

    __slots__ = (
        "choice",
        "choices",
        "frames",
        "lang",
        "lists",
        "now",
        "positions",
        "settings",
        "steps",
        "today",
    )

    def __init__(
        self,
        frame: Frame,
        *,
        today: str = "",
        now: str = "",
        settings: Mapping[str, Any] | None = None,
        lists: Lookup = _nothing,
        choices: Mapping[str, list[dict[str, Any]]] | None = None,
        lang: str = "zh",
    ) -> None:
        self.frames: list[Frame] = [frame]
        self.positions: list[int] = [0]
        self.today, self.now = today, now
        self.settings: Mapping[str, Any] = settings or {}
        self.lists = lists
        self.choices: Mapping[str, list[dict[str, Any]]] = choices or {}
        self.choice: Mapping[str, Any] = {}
        self.lang = lang
        self.steps = 0

    def step(self) -> None:
        self.steps += 1
        if self.steps > STEPS_MAX:
            raise TooMuch(f"more than {STEPS_MAX} steps")


def bounded(text: str) -> str:
    if len(text) > TEXT_MAX:
        raise TooMuch(f"a text longer than {TEXT_MAX} characters")
    return text


def entry_value(entry: Any, path: str) -> Any:
    """What the dotted `path` leads to. In a list, a step of up to 5 digits is an index from 0, any other
    the `item_code`, `code` or `name` of an object."""
    if type(entry) is dict and "." not in path:
        return entry.get(path)
    for step in path.split("."):
        if isinstance(entry, Mapping):
            entry = entry.get(step)
        elif isinstance(entry, list):
            entry = _list_step(entry, step)
        else:
            return None
    return entry


def _list_step(items: list[Any], step: str) -> Any:
    if step.isascii() and step.isdigit() and len(step) < 6:
        return items[int(step)] if int(step) < len(items) else None
    for item in items:
        if isinstance(item, Mapping) and step in (item.get("item_code"), item.get("code"), item.get("name")):
            return item
    return None
