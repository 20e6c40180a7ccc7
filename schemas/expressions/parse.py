"""Text to syntax tree, with line and column, and with a remedy for what people mistype."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedInput

LENGTH_MAX = 5_000
DEPTH_MAX = 40

TYPOGRAPHY = dict(zip("（），“”‘’＝＜＞＋－［］。｛｝＄", "(),\"\"''=<>+-[].{}$", strict=True))
TOKEN_WORDS = {
    "STRING": "a text",
    "NUMBER": "a number",
    "REFERENCE": "${…}",
    "NAME": "a name",
    "$END": "the end",
}


class ExpressionError(Exception):
    """One complaint about one place of an expression; line and column count from 1."""

    def __init__(self, message: str, remedy: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.message, self.remedy, self.line, self.column = message, remedy, line, column


@dataclass(slots=True)
class Node:
    """`kind` is the grammar's; `text` is a literal's or a name's."""

    kind: str
    text: str
    args: list["Node"]
    line: int
    column: int
    depth: int = field(default=1)

    def __post_init__(self) -> None:
        self.depth = 1 + max((arg.depth for arg in self.args), default=0)
        if self.depth > DEPTH_MAX:
            raise ExpressionError(
                f"the expression is nested deeper than {DEPTH_MAX} levels",
                "Move a part of it into a calculate question.",
                self.line,
                self.column,
            )


def _named(kind: str, items: list[Any], at: Token) -> Node:
    return Node(
        kind, str(at), [item for item in items if isinstance(item, Node)], at.line or 1, at.column or 1
    )


class _Builder(Transformer[Token, Node]):
    """Builds nodes while the parser reduces, so that depth is known before anything recurses."""

    def start(self, items: list[Node]) -> Node:
        return items[0]

    def string(self, items: list[Token]) -> Node:
        return Node("string", str(items[0])[1:-1], [], items[0].line or 1, items[0].column or 1)

    def reference(self, items: list[Token]) -> Node:
        return Node("reference", str(items[0])[2:-1].strip(), [], items[0].line or 1, items[0].column or 1)

    def number(self, items: list[Token]) -> Node:
        return _named("number", [], items[0])

    def bare(self, items: list[Token]) -> Node:
        return _named("bare", [], items[0])

    def call(self, items: list[Any]) -> Node:
        return _named("call", items[1:], items[0])

    def up(self, items: list[Any]) -> Node:
        return _named("up", items[:1], items[1])

    def same(self, items: list[Any]) -> Node:
        return _named("same", items[:1], items[1])

    def child(self, items: list[Any]) -> Node:
        return _named("child", items[:1], items[1])

    def self(self, items: list[Token]) -> Node:
        return _named("self", [], items[0])

    def parent(self, items: list[Token]) -> Node:
        return _named("parent", [], items[0])


def _operator(kind: str) -> Callable[[_Builder, list[Any]], Node]:
    def build(_: _Builder, items: list[Any]) -> Node:
        nodes = [item for item in items if isinstance(item, Node)]
        return Node(kind, kind, nodes, nodes[0].line, nodes[0].column)

    return build


OPERATORS = {
    "or_op": "or",
    "and_op": "and",
    "eq": "=",
    "ne": "!=",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
    "add": "+",
    "sub": "-",
    "mul": "*",
    "div": "div",
    "mod": "mod",
    "neg": "neg",
    "filter": "filter",
}
for _rule, _kind in OPERATORS.items():
    setattr(_Builder, _rule, _operator(_kind))


@cache
def _parser() -> Lark:
    grammar = (Path(__file__).parent / "grammar.lark").read_text(encoding="utf-8")
    return Lark(
        grammar, parser="lalr", transformer=_Builder(), propagate_positions=True, maybe_placeholders=False
    )


def parse(text: str) -> Node:
    """The syntax tree of `text`; raises ExpressionError."""
    if len(text) > LENGTH_MAX:
        raise ExpressionError(
            f"the expression is longer than {LENGTH_MAX} characters",
            "Move a part of it into a calculate question.",
        )
    if not text.strip():
        raise ExpressionError("the expression is empty", "Write an expression or leave the column out.")
    try:
        return _parser().parse(text)  # type: ignore[return-value]
    except UnexpectedInput as error:
        raise _complaint(text, error) from None


def _complaint(text: str, error: UnexpectedInput) -> ExpressionError:
    line, column = _counted(error.line), _counted(error.column)
    token = getattr(error, "token", None)
    if token is not None and token.type == "$END":
        return ExpressionError("the expression ends too early", _unfinished(text), *_end_of(text))
    found = (
        text.splitlines()[line - 1][column - 1 : column]
        if isinstance(error, UnexpectedCharacters)
        else str(token)
    )
    return ExpressionError(f"“{found}” cannot stand here", _remedy(found), line, column)


def _counted(number: object) -> int:
    """lark says "?" or -1 at the end of the text."""
    return number if isinstance(number, int) and number > 0 else 1


def _end_of(text: str) -> tuple[int, int]:
    lines = text.rstrip().splitlines() or [""]
    return len(lines), len(lines[-1]) + 1


def _unfinished(text: str) -> str:
    if text.count("(") > text.count(")"):
        return "Close the bracket that is open."
    return "Write what is missing at the end."


def _remedy(found: str) -> str:
    if found in TYPOGRAPHY:
        return f"Use the plain character {TYPOGRAPHY[found]} instead of {found}."
    if found in ("'", '"'):
        return "Close the text with the quote that opened it."
    if found == "$":
        return "Write a reference as ${name}."
    return {
        "=": "Compare with a single =.",
        "&": "Write “and”.",
        "|": "Write “or”.",
        "/": "Divide with “div”.",
        "%": "Write “mod”.",
        "!": "Write “not(…)” or “!=”.",
    }.get(found, "Check the spelling around this place.")
