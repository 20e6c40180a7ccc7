"""XLSForm's expressions: parsed and checked once, evaluated here and on the phone with the same result.

The compiled expression (JSON) is a literal — text, number, boolean — or a list `[operation, …arguments]`:

    ["$", name, level]            the answer `name`; level 0 is the record, 1 the current instance of the
                                  outermost repeat, …
    ["set", level, [[repeat, condition|0], …], name|0]
                                  from the frame at `level` down through repeats: the answers `name` (0: the
                                  instances)
    ["indexed", level, [[repeat, index], …], name]
                                  the answer `name` in the given instances, counted from 1
    ["col", name]                 a column of the choice that a choice_filter looks at
    ["position", level]           number of the current instance, from 1
    ["regex", text, program]      see `regex.py`
    ["choice-name", list, code]   the label of one choice, or of several
    [function or operator, …]     everything else, by its XLSForm name

Values are text, IEEE doubles and booleans, as in XPath 1.0; an empty answer is "". Nothing raises except
`TooMuch`, when an evaluation exceeds its bound of steps or text.
"""

from schemas.expressions.environment import Environment, TooMuch
from schemas.expressions.evaluate import compile_closure, evaluate
from schemas.expressions.names import Names, Place
from schemas.expressions.parse import ExpressionError
from schemas.expressions.resolve import compile_expression
from schemas.expressions.values import to_boolean, to_number, to_string

__all__ = [
    "Environment",
    "ExpressionError",
    "Names",
    "Place",
    "TooMuch",
    "compile_closure",
    "compile_expression",
    "evaluate",
    "to_boolean",
    "to_number",
    "to_string",
]
