"""What an expression computed, as an answer."""

from typing import Any

from schemas.expressions import to_boolean, to_number, to_string
from schemas.expressions.functions import words
from schemas.expressions.values import to_answer


def computed(question_type: str, value: Any) -> Any:
    """An expression's value as an answer to a question of this type; None for no answer."""
    if value == "" and type(value) is str and question_type != "acknowledge":
        return None
    if question_type in ("integer", "decimal"):
        return to_answer(to_number(value))
    if question_type in ("calculate", "hidden"):
        return to_answer(value)
    if question_type.startswith("select_multiple"):
        return words(value) or None
    if question_type == "acknowledge":
        return True if to_boolean(value) else None
    return to_answer(to_string(value))
