"""Compiled expressions become closures over an Environment; nothing walks JSON while records are checked."""

from collections.abc import Callable
from typing import Any, TypeAlias

from schemas.expressions.environment import Environment, Frame, entry_value
from schemas.expressions.functions import PURE, WHITESPACE, truncate, words
from schemas.expressions.matcher import matcher
from schemas.expressions.values import equal, from_answer, to_boolean, to_string

Ast: TypeAlias = Any
Closure: TypeAlias = Callable[[Environment], Any]

ANSWERS = ("$", "indexed", "col")
BOOLEAN = frozenset({"=", "!=", "<", "<=", ">", ">=", "and", "or", "not", "regex", "selected"})
"""Operations whose value is a boolean already."""


def evaluate(expression: Ast, environment: Environment) -> Any:
    """The value of a compiled expression; raises TooMuch."""
    return compile_closure(expression)(environment)


def compile_closure(expression: Ast) -> Closure:
    """A function from an Environment to the value, to be kept and called often; it begins its own count of
    steps."""
    closure = _closure(expression)
    if not _walks(expression):
        return closure

    def counted(environment: Environment) -> Any:
        environment.steps = 0
        return closure(environment)

    return counted


def _walks(expression: Ast) -> bool:
    return type(expression) is list and (expression[:1] == ["set"] or any(map(_walks, expression)))


def _closure(expression: Ast) -> Closure:
    if type(expression) is not list:
        value = float(expression) if type(expression) is int else expression
        return lambda environment: value
    operation, *args = expression
    special = SPECIAL.get(operation)
    return special(*args) if special else _call(PURE[operation], [_closure(arg) for arg in args])


def _call(function: Callable[..., Any], args: list[Closure]) -> Closure:
    if len(args) == 1:
        (only,) = args
        return lambda environment: function(only(environment))
    if len(args) == 2:
        first, second = args
        return lambda environment: function(first(environment), second(environment))
    return lambda environment: function(*[arg(environment) for arg in args])


def _answer(name: str, level: int) -> Closure:
    return lambda environment: environment.frames[level].get(name, "")


def _column(name: str) -> Closure:
    return lambda environment: from_answer(entry_value(environment.choice, name))


def _position(level: int) -> Closure:
    return lambda environment: float(environment.positions[level])


def _truth(expression: Ast) -> Closure:
    """The value as a boolean."""
    closure = _closure(expression)
    if type(expression) is list and expression[0] in BOOLEAN:
        return closure
    return lambda environment: to_boolean(closure(environment))


def _and(*args: Ast) -> Closure:
    first, second = map(_truth, args)
    return lambda environment: first(environment) and second(environment)


def _or(*args: Ast) -> Closure:
    first, second = map(_truth, args)
    return lambda environment: first(environment) or second(environment)


def _is_answer(expression: Ast) -> bool:
    return type(expression) is list and expression[0] in ANSWERS


def _equals(a: Ast, b: Ast) -> Closure:
    if _is_answer(a) and a[0] == "$" and type(b) is str:
        return _answer_is(a[1], a[2], b)
    left, right, a_is, b_is = _closure(a), _closure(b), _is_answer(a), _is_answer(b)
    return lambda environment: equal(left(environment), right(environment), a_is, b_is)


def _answer_is(name: str, level: int, text: str) -> Closure:
    def is_text(environment: Environment) -> bool:
        value = environment.frames[level].get(name, "")
        return (value if type(value) is str else to_string(value)) == text

    return is_text


def _differs(a: Ast, b: Ast) -> Closure:
    equals = _equals(a, b)
    return lambda environment: not equals(environment)


def _selected(value: Ast, code: Ast) -> Closure:
    if type(value) is str:
        offered, word = frozenset(words(value)), _closure(code)
        return lambda environment: to_string(word(environment)).strip(WHITESPACE) in offered
    if not (_is_answer(value) and type(code) is str and code and words(code) == [code]):
        return _call(PURE["selected"], [_closure(value), _closure(code)])
    chosen, selected = _closure(value), PURE["selected"]

    def is_selected(environment: Environment) -> bool:
        text = chosen(environment)
        if type(text) is str and (code not in text or text == code):
            return bool(text == code)
        return bool(selected(text, code))

    return is_selected


def _if(*args: Ast) -> Closure:
    condition, then, otherwise = _truth(args[0]), _closure(args[1]), _closure(args[2])
    return lambda environment: then(environment) if condition(environment) else otherwise(environment)


def _coalesce(*args: Ast) -> Closure:
    closures = [_closure(arg) for arg in args]

    def first_given(environment: Environment) -> Any:
        value: Any = ""
        for closure in closures:
            value = closure(environment)
            if value != "" and value == value:
                return value
        return value

    return first_given


def _regex(text: Ast, program: list[Any]) -> Closure:
    value, machine = _closure(text), matcher(program)
    return lambda environment: machine.matches(to_string(value(environment)))


def _setting(path: str) -> Closure:
    return lambda environment: from_answer(entry_value(environment.settings, path))


def _pulldata(list_name: str, path: Ast, key_column: str, key: Ast) -> Closure:
    wanted, path_closure = _closure(key), _closure(path)
    if type(path) is str:
        return _pulled_column(list_name, path, key_column, wanted)

    def pull(environment: Environment) -> Any:
        value = to_string(wanted(environment))
        entry = environment.lists(list_name, key_column, value) if value else None
        return from_answer(entry_value(entry, to_string(path_closure(environment))))

    return pull


def _pulled_column(list_name: str, path: str, key_column: str, wanted: Closure) -> Closure:
    def pull(environment: Environment) -> Any:
        key = wanted(environment)
        value = key if type(key) is str else to_string(key)
        entry = environment.lists(list_name, key_column, value) if value else None
        return "" if entry is None else from_answer(entry_value(entry, path))

    return pull


def _choice_name(list_name: str, code: Ast) -> Closure:
    codes = _closure(code)

    def labels(environment: Environment) -> str:
        named = {choice["name"]: choice["label"] for choice in environment.choices.get(list_name, ())}
        texts = [named.get(word, {}).get(environment.lang, word) for word in words(codes(environment))]
        return ("、" if environment.lang == "zh" else ", ").join(texts)

    return labels


def _indexed(level: int, path: list[list[Any]], name: str) -> Closure:
    steps = [(repeat, _closure(index)) for repeat, index in path]

    def value(environment: Environment) -> Any:
        frame = environment.frames[level]
        for repeat, index in steps:
            instances, at = frame.get(repeat) or [], truncate(index(environment))
            if not 1 <= at <= len(instances):
                return ""
            frame = instances[int(at) - 1]
        return frame.get(name, "")

    return value


def _set(level: int, path: list[list[Any]], name: str | int) -> Closure:
    steps = [(repeat, None if condition == 0 else _closure(condition)) for repeat, condition in path]

    def walk(environment: Environment, frame: Frame, at: int, found: list[Any]) -> None:
        repeat, condition = steps[at]
        for position, instance in enumerate(frame.get(repeat) or (), 1):
            environment.step()
            environment.frames.append(instance)
            environment.positions.append(position)
            try:
                if condition is not None and not to_boolean(condition(environment)):
                    continue
                if at + 1 < len(steps):
                    walk(environment, instance, at + 1, found)
                else:
                    found.append(instance.get(name, "") if isinstance(name, str) else instance)
            finally:
                environment.frames.pop()
                environment.positions.pop()

    def nodes(environment: Environment) -> list[Any]:
        found: list[Any] = []
        walk(environment, environment.frames[level], 0, found)
        return found

    return nodes


SPECIAL: dict[str, Callable[..., Closure]] = {
    "$": _answer,
    "col": _column,
    "position": _position,
    "and": _and,
    "or": _or,
    "=": _equals,
    "!=": _differs,
    "if": _if,
    "selected": _selected,
    "coalesce": _coalesce,
    "once": _coalesce,
    "regex": _regex,
    "setting": _setting,
    "pulldata": _pulldata,
    "choice-name": _choice_name,
    "indexed": _indexed,
    "set": _set,
    "today": lambda: lambda environment: environment.today,
    "now": lambda: lambda environment: environment.now,
}
