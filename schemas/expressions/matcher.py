"""The machine for `regex.py`'s programs. What it has seen becomes a table (state × character), kept small."""

import json
from functools import lru_cache
from typing import Any

from schemas.expressions.regex import Program

State = frozenset[int]
TABLE_MAX = 2_000


class Matcher:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.start = self._closure({0}, at_start=True)
        self.table: dict[tuple[State, str], State] = {}

    def matches(self, text: str) -> bool:
        """Whether the whole of `text` matches."""
        state, table = self.start, self.table
        for character in text:
            following = table.get((state, character))
            if following is None:
                following = self._step(state, character)
            if not following:
                return False
            state = following
        return self._accepts(state, empty=not text)

    def _step(self, state: State, character: str) -> State:
        code = ord(character)
        reached = {at + 1 for at in state if _takes(self.program[at], code)}
        following = self._closure(reached, at_start=False)
        if len(self.table) >= TABLE_MAX:
            self.table.clear()
        self.table[state, character] = following
        return following

    def _closure(self, reached: set[int], at_start: bool, at_end: bool = False) -> State:
        todo, seen = list(reached), set(reached)
        while todo:
            at = todo.pop()
            for following in self._free_moves(at, at_start, at_end):
                if following not in seen:
                    seen.add(following)
                    todo.append(following)
        return frozenset(seen)

    def _free_moves(self, at: int, at_start: bool, at_end: bool) -> list[int]:
        op = self.program[at]
        if op[0] == "|" or op[0] == ">":
            return op[1:]
        if (op[0] == "^" and at_start) or (op[0] == "$" and at_end):
            return [at + 1]
        return []

    def _accepts(self, state: State, empty: bool) -> bool:
        return len(self.program) - 1 in self._closure(set(state), at_start=empty, at_end=True)


def _takes(op: list[Any], code: int) -> bool:
    if op[0] == "!":
        return not _within(op, 1, code)
    return isinstance(op[0], int) and _within(op, 0, code)


def _within(op: list[Any], first: int, code: int) -> bool:
    return any(op[at] <= code <= op[at + 1] for at in range(first, len(op), 2))


@lru_cache(maxsize=1_000)
def _cached(key: str) -> Matcher:
    return Matcher(json.loads(key))


def matcher(program: Program) -> Matcher:
    """The matcher of a program, shared by equal programs."""
    return _cached(json.dumps(program))
