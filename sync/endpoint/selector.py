"""Mango selectors, for `_changes?filter=_selector`. Pure.

A selector becomes a function from a document to yes or no. The usual operators are known; others are a
clear error. `$regex` is left out on purpose: a stranger's pattern can keep a matcher busy for hours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sync.store import BadRequest

Test = Callable[[Any], bool]

DEPTH_MAX = 50
ABSENT = object()

_TYPES: list[tuple[str, type | tuple[type, ...]]] = [
    ("null", type(None)),
    ("boolean", bool),
    ("number", (int, float)),
    ("string", str),
    ("array", list),
    ("object", dict),
]


def compiled(selector: object) -> Test:
    if not isinstance(selector, Mapping):
        raise BadRequest("Selector error: expected a JSON object")
    return _all_of([_member(name, wanted, 0) for name, wanted in selector.items()])


def _member(name: str, wanted: Any, depth: int) -> Test:
    """The test for one member of a selector: an operator, or a condition on a field."""
    if depth > DEPTH_MAX:
        raise BadRequest("Selector error: nested too deeply")
    if name.startswith("$"):
        return _operator(name, wanted, depth)
    path, test = _path(name), _condition(wanted, depth + 1)
    return lambda value: test(_dig(value, path))


def _condition(wanted: Any, depth: int) -> Test:
    if not isinstance(wanted, Mapping):
        return lambda value: _compare(value, wanted) == 0
    if not wanted:
        return lambda value: value is not ABSENT and value == {}
    return _all_of([_member(name, inner, depth) for name, inner in wanted.items()])


def _operator(name: str, wanted: Any, depth: int) -> Test:
    if name in _COMBINING:
        tests = [_condition(one, depth + 1) for one in _list(name, wanted)]
        return _COMBINING[name](tests)
    if name in ("$not", "$elemMatch", "$allMatch"):
        return _NESTING[name](_condition(wanted, depth + 1))
    if name not in _COMPARING:
        raise BadRequest(f"Selector error: unknown operator {name}")
    return _COMPARING[name](wanted)


def _path(name: str) -> list[str]:
    """`a.b` digs; `a\\.b` is one name."""
    return [part.replace("\0", ".") for part in name.replace("\\.", "\0").split(".")]


def _dig(value: Any, path: list[str]) -> Any:
    for name in path:
        if not isinstance(value, Mapping) or name not in value:
            return ABSENT
        value = value[name]
    return value


def _list(name: str, wanted: Any) -> list[Any]:
    if not isinstance(wanted, list):
        raise BadRequest(f"Selector error: {name} expects a list")
    return wanted


def _all_of(tests: list[Test]) -> Test:
    return lambda value: all(test(value) for test in tests)


def _type_rank(value: Any) -> int:
    for rank, (_, kind) in enumerate(_TYPES):
        if isinstance(value, kind) and not (kind == (int, float) and isinstance(value, bool)):
            return rank
    return len(_TYPES)


def _compare(one: Any, other: Any) -> int:
    """CouchDB's order: null, booleans, numbers, strings, arrays, objects. An absent field equals nothing."""
    if one is ABSENT:
        return -2
    ranks = _type_rank(one), _type_rank(other)
    if ranks[0] != ranks[1]:
        return -1 if ranks[0] < ranks[1] else 1
    if isinstance(one, list):
        return _compare_lists(one, other)
    if isinstance(one, dict):
        return _compare_lists(_members(one), _members(other))
    if one is None or one == other:
        return 0
    return -1 if one < other else 1


def _members(value: dict[str, Any]) -> list[Any]:
    return [list(member) for member in sorted(value.items(), key=lambda member: member[0])]


def _compare_lists(one: Sequence[Any], other: Sequence[Any]) -> int:
    for mine, yours in zip(one, other, strict=False):
        order = _compare(mine, yours)
        if order:
            return order
    return (len(one) > len(other)) - (len(one) < len(other))


def _there(accept: Callable[[int], bool]) -> Callable[[Any], Test]:
    return lambda wanted: lambda value: value is not ABSENT and accept(_compare(value, wanted))


def _in(wanted: Any) -> Test:
    some = _list("$in", wanted)
    return lambda value: any(_compare(value, one) == 0 for one in some)


def _not_in(wanted: Any) -> Test:
    some = _list("$nin", wanted)
    return lambda value: value is not ABSENT and not any(_compare(value, one) == 0 for one in some)


def _exists(wanted: Any) -> Test:
    if not isinstance(wanted, bool):
        raise BadRequest("Selector error: $exists expects true or false")
    return lambda value: (value is not ABSENT) == wanted


def _type(wanted: Any) -> Test:
    names = [name for name, _ in _TYPES]
    if wanted not in names:
        raise BadRequest("Selector error: $type expects the name of a JSON type")
    rank = names.index(wanted)
    return lambda value: value is not ABSENT and _type_rank(value) == rank


def _size(wanted: Any) -> Test:
    if not isinstance(wanted, int) or isinstance(wanted, bool):
        raise BadRequest("Selector error: $size expects a whole number")
    return lambda value: isinstance(value, list) and len(value) == wanted


def _mod(wanted: Any) -> Test:
    parts = _list("$mod", wanted)
    if len(parts) != 2 or not all(type(part) is int for part in parts) or parts[0] == 0:
        raise BadRequest("Selector error: $mod expects [divisor, remainder]")
    return lambda value: type(value) is int and value % parts[0] == parts[1]


def _all(wanted: Any) -> Test:
    some = _list("$all", wanted)
    return lambda value: (
        isinstance(value, list) and all(any(_compare(item, one) == 0 for item in value) for one in some)
    )


def _begins_with(wanted: Any) -> Test:
    if not isinstance(wanted, str):
        raise BadRequest("Selector error: $beginsWith expects a string")
    return lambda value: isinstance(value, str) and value.startswith(wanted)


_COMBINING: dict[str, Callable[[list[Test]], Test]] = {
    "$and": _all_of,
    "$or": lambda tests: lambda value: any(test(value) for test in tests),
    "$nor": lambda tests: lambda value: not any(test(value) for test in tests),
}
_NESTING: dict[str, Callable[[Test], Test]] = {
    "$not": lambda test: lambda value: not test(value),
    "$elemMatch": lambda test: lambda value: isinstance(value, list) and any(map(test, value)),
    "$allMatch": lambda test: lambda value: isinstance(value, list) and bool(value) and all(map(test, value)),
}
_COMPARING: dict[str, Callable[[Any], Test]] = {
    "$eq": _there(lambda order: order == 0),
    "$ne": _there(lambda order: order != 0),
    "$lt": _there(lambda order: order < 0),
    "$lte": _there(lambda order: order <= 0),
    "$gt": _there(lambda order: order > 0),
    "$gte": _there(lambda order: order >= 0),
    "$in": _in,
    "$nin": _not_in,
    "$exists": _exists,
    "$type": _type,
    "$size": _size,
    "$mod": _mod,
    "$all": _all,
    "$beginsWith": _begins_with,
}
