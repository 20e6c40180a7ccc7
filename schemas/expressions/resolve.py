"""From syntax tree to compiled expression: names, arity, kinds and literals are checked; every complaint is
collected."""

import math
from dataclasses import dataclass, field
from typing import Any

from schemas.expressions.dates import day_of
from schemas.expressions.names import Chain, Name, Names, Place
from schemas.expressions.parse import ExpressionError, Node, parse
from schemas.expressions.regex import RegexError, compile_regex
from schemas.expressions.signatures import SIGNATURES
from schemas.expressions.values import NUMBER

ARITHMETIC = ("+", "-", "*", "div", "mod", "neg")
RELATIONS = ("<", "<=", ">", ">=")
PASSES_SETS = ("count", "count-non-empty", "sum", "min", "max", "join", "concat")


@dataclass
class Compiled:
    """`ast` is the JSON; `reads` maps each name it depends on to the number of repeats shared with the
    reader."""

    ast: Any
    reads: dict[str, int]
    result: str


@dataclass(frozen=True)
class _Typed:
    """A compiled part. `kind` is a Name's kind, or values / instances for node-sets."""

    ast: Any
    kind: str
    choice_list: str = ""
    repeat: Name | None = None


@dataclass
class _Work:
    names: Names
    place: Place
    frames: list[Chain]
    errors: list[ExpressionError] = field(default_factory=list)
    reads: dict[str, int] = field(default_factory=dict)
    filtered: list[tuple[Name, str]] = field(default_factory=list)

    def complain(self, node: Node, message: str, remedy: str) -> _Typed:
        self.errors.append(ExpressionError(message, remedy, node.line, node.column))
        return _Typed("", "any")


def compile_expression(text: str, names: Names, place: Place | None = None) -> Compiled:
    """Raises an ExceptionGroup of ExpressionError with every complaint."""
    place = place or Place()
    try:
        tree = parse(text)
    except ExpressionError as error:
        raise ExceptionGroup("expression", [error]) from None
    frames = [place.chain[:level] for level in range(len(place.chain) + 1)]
    work = _Work(names, place, frames)
    typed = _scalar(work, tree, _resolve(work, tree))
    if work.errors:
        raise ExceptionGroup("expression", work.errors)
    return Compiled(typed.ast, work.reads, typed.kind)


def _scalar(work: _Work, node: Node, typed: _Typed) -> _Typed:
    if typed.kind in ("values", "instances"):
        return work.complain(
            node,
            "this stands for several values, one of each repeat instance",
            "Use count(), sum(), min(), max(), join() or indexed-repeat().",
        )
    if typed.kind == "group":
        return work.complain(node, "a group has no value", "Refer to a question.")
    return typed


def _resolve(work: _Work, node: Node) -> _Typed:
    handler = HANDLERS.get(node.kind)
    return handler(work, node) if handler else _operator(work, node)


def _value(work: _Work, node: Node) -> _Typed:
    return _scalar(work, node, _resolve(work, node))


def _string(work: _Work, node: Node) -> _Typed:
    return _Typed(node.text, "literal")


def _number(work: _Work, node: Node) -> _Typed:
    number = float(node.text)
    if math.isinf(number):
        return work.complain(node, "the number is too large", "Write a smaller number.")
    return _Typed(int(number) if number.is_integer() and number < 2**53 else number, "number")


def _reference(work: _Work, node: Node) -> _Typed:
    name = work.names.entries.get(node.text)
    if name is None:
        near = work.names.closest(node.text)
        remedy = f"Did you mean ${{{near}}}?" if near else "Correct the name or add the question."
        return work.complain(node, f"there is no question “{node.text}”", remedy)
    return _read(work, name)


def _read(work: _Work, name: Name) -> _Typed:
    level, chain = _nearest_frame(work, name.chain)
    shared = _shared(work.place.chain, name.chain) if level < len(work.place.chain) + 1 else 0
    shared = min(shared, len(chain))
    for repeat in name.chain[len(chain) :]:
        _note(work, repeat, shared)
    if name.kind == "repeat":
        _note(work, name.name, _shared(work.place.chain, name.chain))
        path = [[repeat, 0] for repeat in (*name.chain[len(chain) :], name.name)]
        return _Typed(["set", level, path, 0], "instances", repeat=name)
    if chain == name.chain:
        _note(work, name.name, shared)
        return _Typed(["$", name.name, level], name.kind, name.choice_list)
    _note(work, name.name, shared)
    path = [[repeat, 0] for repeat in name.chain[len(chain) :]]
    return _Typed(["set", level, path, name.name], "values", name.choice_list)


def _nearest_frame(work: _Work, chain: Chain) -> tuple[int, Chain]:
    """The innermost frame from which `chain` can be reached, and how much of it is walked already."""
    best = 0
    best_chain: Chain = ()
    for level, frame in enumerate(work.frames):
        if chain[: len(frame)] == frame and len(frame) >= len(best_chain):
            best, best_chain = level, frame
    return best, best_chain


def _shared(here: Chain, there: Chain) -> int:
    count = 0
    for a, b in zip(here, there, strict=False):
        if a != b:
            break
        count += 1
    return count


def _note(work: _Work, name: str, shared: int) -> None:
    work.reads[name] = min(shared, work.reads.get(name, shared))


def _self(work: _Work, node: Node) -> _Typed:
    if work.filtered:
        _, field_name = work.filtered[-1]
        if not field_name:
            return work.complain(node, "“.” is a whole instance here", "Write ./name or ${name}.")
        return _read(work, work.names.entries[field_name])
    name = work.names.entries.get(work.place.name)
    if name is None:
        return work.complain(node, "“.” has no meaning here", "Refer to a question as ${name}.")
    return _read(work, name)


def _parent(work: _Work, node: Node) -> _Typed:
    return work.complain(node, "“..” may only stand in position(..)", "Refer to a question as ${name}.")


def _bare(work: _Work, node: Node) -> _Typed:
    if work.filtered:
        return _child_of_filtered(work, node)
    if work.place.columns is None:
        known = node.text in work.names.entries
        remedy = f"Write ${{{node.text}}}." if known else "Write texts in quotes and references as ${name}."
        return work.complain(node, f"the bare word “{node.text}” has no meaning here", remedy)
    if node.text.split(".")[0] not in work.place.columns:
        columns = ", ".join(sorted(work.place.columns)) or "none"
        return work.complain(
            node, f"the choice list has no column “{node.text}”", f"Its columns are: {columns}."
        )
    return _Typed(["col", node.text], "any")


def _child_of_filtered(work: _Work, node: Node) -> _Typed:
    repeat, _ = work.filtered[-1]
    name = work.names.entries.get(node.text)
    if name is None or name.chain != (*repeat.chain, repeat.name):
        return work.complain(
            node, f"the repeat “{repeat.name}” has no question “{node.text}”", "Correct the name."
        )
    return _read(work, name)


def _child(work: _Work, node: Node) -> _Typed:
    base = node.args[0]
    if base.kind == "self":
        return _bare(work, node)
    if base.kind == "up":
        return _beside_current(work, node, base.args[0])
    typed = _resolve(work, base)
    if typed.kind != "instances" or typed.repeat is None:
        return work.complain(node, "“/” may only follow a repeat", "Write ${repeat}/name; divide with “div”.")
    chain = (*typed.repeat.chain, typed.repeat.name)
    name = work.names.entries.get(node.text)
    if name is None or name.chain != chain or name.kind in ("repeat", "group"):
        return work.complain(
            node, f"the repeat “{typed.repeat.name}” has no question “{node.text}”", "Correct the name."
        )
    _note(work, name.name, _shared(work.place.chain, typed.repeat.chain))
    return _Typed([*typed.ast[:3], name.name], "values", name.choice_list)


def _beside_current(work: _Work, node: Node, base: Node) -> _Typed:
    """current()/../name: inside […], the answer beside the question that the expression belongs to."""
    name = work.names.entries.get(node.text)
    if (
        not _is_current(base)
        or name is None
        or name.chain != work.place.chain
        or name.kind in ("group", "repeat")
    ):
        return work.complain(
            node,
            "this path leads nowhere",
            "Write ${name}, or current()/../name of a question beside this one.",
        )
    _note(work, name.name, len(name.chain))
    return _Typed(["$", name.name, len(name.chain)], name.kind, name.choice_list)


def _current(work: _Work, node: Node) -> _Typed:
    name = work.names.entries.get(work.place.name)
    if not _is_current(node.args[0]) or name is None:
        return work.complain(node, "“/.” may only follow current()", "Write current()/. or ${name}.")
    _note(work, name.name, len(name.chain))
    return _Typed(["$", name.name, len(name.chain)], name.kind, name.choice_list)


def _is_current(node: Node) -> bool:
    return node.kind == "call" and node.text == "current" and not node.args


def _nowhere(work: _Work, node: Node) -> _Typed:
    return work.complain(node, "this path ends in “..”", "Write current()/../name.")


def _filter(work: _Work, node: Node) -> _Typed:
    base, condition = node.args
    typed = _resolve(work, base)
    if typed.kind not in ("values", "instances"):
        return (
            typed
            if work.errors
            else work.complain(node, "[…] may only follow a repeat or its questions", "Use if().")
        )
    path: list[list[Any]] = typed.ast[2]
    if path[-1][1] != 0:
        return work.complain(node, "two conditions in a row", "Join them with “and”.")
    before = list(work.frames)
    repeat = _last_repeat(work, path)
    for at in range(len(path)):
        work.frames.append((*repeat.chain, repeat.name)[: len(repeat.chain) + 1 - (len(path) - 1 - at)])
    work.filtered.append((repeat, typed.ast[3] or ""))
    wanted = _value(work, condition)
    work.filtered.pop()
    work.frames = before
    if wanted.kind == "number":
        return work.complain(condition, "the condition is a number", "Use indexed-repeat() for one instance.")
    path[-1][1] = wanted.ast
    return typed


def _last_repeat(work: _Work, path: list[list[Any]]) -> Name:
    return work.names.entries[path[-1][0]]


def _call(work: _Work, node: Node) -> _Typed:
    signature = SIGNATURES.get(node.text)
    if signature is None:
        return work.complain(node, f"there is no function “{node.text}”", _near_function(node.text))
    if not signature.least <= len(node.args) <= signature.most:
        return work.complain(
            node,
            f"{node.text}() takes {_counted(signature.least, signature.most)}, not {len(node.args)}",
            "Add or remove arguments.",
        )
    for at in signature.literals:
        if node.args[at].kind != "string":
            return work.complain(
                node.args[at], f"this argument of {node.text}() has to be a text in quotes", "Write it out."
            )
    special = CALLS.get(node.text)
    if special:
        return special(work, node)
    args = [_argument(work, arg, signature.takes_sets, node.text) for arg in node.args]
    return _Typed([node.text, *(arg.ast for arg in args)], signature.result)


def _argument(work: _Work, node: Node, takes_sets: bool, function: str) -> _Typed:
    typed = _resolve(work, node)
    if not takes_sets:
        return _scalar(work, node, typed)
    if typed.kind == "instances" and function != "count":
        return work.complain(
            node, f"{function}() needs the values of a question, not a whole repeat", "Write ${repeat}/name."
        )
    return typed if typed.kind in ("values", "instances") else _scalar(work, node, typed)


def _near_function(name: str) -> str:
    import difflib

    found = difflib.get_close_matches(name.lower(), SIGNATURES, n=1)
    return f"Did you mean {found[0]}()?" if found else "The functions are listed in forms/README.md."


def _counted(least: int, most: int) -> str:
    if least == most:
        return "no argument" if least == 0 else f"{least} argument{'s' * (least > 1)}"
    return f"{least} to {most} arguments"


def _with_own_value(work: _Work, node: Node) -> _Typed:
    """string-length() and normalize-space() mean `.` when called without an argument."""
    if node.args:
        return _Typed([node.text, _value(work, node.args[0]).ast], SIGNATURES[node.text].result)
    return _Typed([node.text, _self(work, node).ast], SIGNATURES[node.text].result)


def _once(work: _Work, node: Node) -> _Typed:
    own = work.names.entries.get(work.place.name)
    if own is None:
        return work.complain(node, "once() needs a question of its own", "Use it in a calculation.")
    return _Typed(["once", ["$", own.name, len(own.chain)], _value(work, node.args[0]).ast], "any")


def _regex(work: _Work, node: Node) -> _Typed:
    try:
        program = compile_regex(node.args[1].text)
    except RegexError as error:
        at = node.args[1]
        work.errors.append(
            ExpressionError(error.message, error.remedy, at.line, at.column + 1 + error.position)
        )
        program = []
    return _Typed(["regex", _value(work, node.args[0]).ast, program], "boolean")


def _setting(work: _Work, node: Node) -> _Typed:
    path = node.args[0].text
    if work.names.settings is not None and path.split(".")[0] not in work.names.settings:
        return work.complain(
            node.args[0], f"there is no district setting “{path}”", "Add it to forms/settings.json."
        )
    return _Typed(["setting", path], "any")


def _pulldata(work: _Work, node: Node) -> _Typed:
    list_name, column, key_column, key = node.args
    if list_name.text not in work.names.registers:
        known = ", ".join(work.names.registers)
        return work.complain(
            list_name, f"there is no register list “{list_name.text}”", f"The lists are: {known}."
        )
    columns = work.names.columns.get(list_name.text, frozenset())
    for at, path in ((column, column.text if column.kind == "string" else ""), (key_column, key_column.text)):
        if path and path.split(".")[0] not in columns:
            work.complain(
                at,
                f"the list “{list_name.text}” has no column “{path}”",
                f"Its columns are: {', '.join(sorted(columns))}.",
            )
    parts = [_value(work, column).ast, key_column.text, _value(work, key).ast]
    return _Typed(["pulldata", list_name.text, *parts], "any")


def _choice_name(work: _Work, node: Node) -> _Typed:
    """XLSForm's second argument is the question in quotes: jr:choice-name(${sex}, '${sex}')."""
    quoted = node.args[1].text.strip().removeprefix("${").removesuffix("}")
    name = work.names.entries.get(quoted)
    if name is None or name.choice_list not in work.names.choices:
        return work.complain(
            node.args[1], "this is not a question with choices", "Write '${name}' of a select question."
        )
    return _Typed(["choice-name", name.choice_list, _value(work, node.args[0]).ast], "text")


def _position_call(work: _Work, node: Node) -> _Typed:
    if node.args[0].kind != "parent":
        return work.complain(node, "position() takes “..”", "Write position(..).")
    if not work.place.chain:
        return work.complain(node, "position(..) stands outside a repeat", "Use it inside a repeat.")
    return _Typed(["position", len(work.place.chain)], "number")


def _indexed_repeat(work: _Work, node: Node) -> _Typed:
    wanted, *pairs = node.args
    name = work.names.entries.get(wanted.text) if wanted.kind == "reference" else None
    repeats = [arg.text if arg.kind == "reference" else "" for arg in pairs[::2]]
    if len(pairs) % 2 or name is None or list(name.chain) != repeats:
        return work.complain(
            node,
            "indexed-repeat() takes a question, then each repeat around it with a number, outermost first",
            "Write indexed-repeat(${question}, ${repeat}, 1).",
        )
    for read in (name.name, *repeats):
        _note(work, read, 0)
    path = [[repeat, _value(work, index).ast] for repeat, index in zip(repeats, pairs[1::2], strict=True)]
    return _Typed(["indexed", 0, path, name.name], name.kind, name.choice_list)


def _operator(work: _Work, node: Node) -> _Typed:
    args = [_value(work, arg) for arg in node.args]
    if node.kind in ("=", "!="):
        _check_comparison(work, node, args)
    elif node.kind in ARITHMETIC or node.kind in RELATIONS:
        for arg_node, arg in zip(node.args, args, strict=True):
            _check_number(work, arg_node, arg)
    result = "number" if node.kind in ARITHMETIC else "boolean"
    return _Typed([node.kind, *(arg.ast for arg in args)], result)


def _check_comparison(work: _Work, node: Node, args: list[_Typed]) -> None:
    for one, other, at in ((args[0], args[1], node.args[1]), (args[1], args[0], node.args[0])):
        if one.kind == "literal" or other.kind != "literal":
            continue
        if one.kind in ("choice", "choices") and other.ast != "":
            _check_code(work, at, one.choice_list, str(other.ast))
        if one.kind == "number" and other.ast != "" and not NUMBER.fullmatch(str(other.ast)):
            work.complain(at, f"a number is never equal to '{other.ast}'", "Compare with a number.")
        if one.kind == "date" and other.ast != "" and day_of(str(other.ast)) is None:
            work.complain(at, f"'{other.ast}' is not a date", "Write dates as 'YYYY-MM-DD'.")


def _check_code(work: _Work, at: Node, choice_list: str, code: str) -> None:
    codes = work.names.choices.get(choice_list)
    if codes is not None and code not in codes:
        shown = ", ".join(sorted(codes)[:8])
        work.complain(at, f"the choice list “{choice_list}” has no code '{code}'", f"Its codes are: {shown}…")


def _check_number(work: _Work, node: Node, arg: _Typed) -> None:
    if arg.kind == "literal" and not NUMBER.fullmatch(str(arg.ast)) and day_of(str(arg.ast)) is None:
        work.complain(
            node, f"'{arg.ast}' is neither a number nor a date", "Use a number, or compare with = or !=."
        )
    if arg.kind in ("choices", "position", "file", "flag"):
        work.complain(
            node, "this question's answer is not a number", "Use selected(), count-selected() or = here."
        )
    if arg.kind == "choice" and not _numeric(work, arg.choice_list):
        work.complain(
            node, f"the codes of “{arg.choice_list}” are not numbers", "Compare with = or use selected()."
        )


def _numeric(work: _Work, choice_list: str) -> bool:
    codes = work.names.choices.get(choice_list)
    return codes is None or any(NUMBER.fullmatch(code) for code in codes)


def _selected(work: _Work, node: Node) -> _Typed:
    several, one = (_value(work, arg) for arg in node.args)
    if several.kind in ("choice", "choices") and one.kind == "literal":
        _check_code(work, node.args[1], several.choice_list, str(one.ast))
    elif several.kind in ("number", "date", "position", "file"):
        work.complain(node.args[0], "this question has no choices", "Compare with = instead.")
    return _Typed(["selected", several.ast, one.ast], "boolean")


HANDLERS = {
    "string": _string,
    "number": _number,
    "reference": _reference,
    "self": _self,
    "parent": _parent,
    "bare": _bare,
    "child": _child,
    "up": _nowhere,
    "same": _current,
    "filter": _filter,
    "call": _call,
}
CALLS = {
    "string-length": _with_own_value,
    "normalize-space": _with_own_value,
    "once": _once,
    "regex": _regex,
    "setting": _setting,
    "pulldata": _pulldata,
    "jr:choice-name": _choice_name,
    "position": _position_call,
    "indexed-repeat": _indexed_repeat,
    "selected": _selected,
}
