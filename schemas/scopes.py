"""Expressions over whole records, as the indicators use them: the language of the forms, seen from outside
any question."""

from typing import Any

from schemas.compiled import CompiledForm
from schemas.context import Context
from schemas.errors import FormError, FormErrors
from schemas.expressions import Environment, ExpressionError, compile_expression
from schemas.expressions.names import Name, Names
from schemas.loading import load_record
from schemas.registers import COLUMNS, KEY_COLUMNS


def compile_for(compiled: CompiledForm, text: str, place: str = "expression") -> Any:
    """The compiled expression (JSON) of `text` over records of this form; raises FormErrors."""
    kinds = {"register": "any", "none": "any"}
    entries = {
        name: Name(name, kinds.get(question.kind, question.kind), question.chain, question.list_name)
        for name, question in compiled.questions.items()
    }
    errors: list[FormError] = []
    try:
        return compile_expression(text, Names(entries, dict(compiled.codes), None, KEY_COLUMNS, COLUMNS)).ast
    except* ExpressionError as group:
        for error in group.exceptions:
            if isinstance(error, ExpressionError):
                where = f"{place}, line {error.line}, column {error.column}"
                errors.append(FormError(where, error.message, error.remedy))
    raise FormErrors(errors)


def record_environment(compiled: CompiledForm, record: dict[str, Any], context: Context) -> Environment:
    """What `schemas.expressions.evaluate` needs to look at a record; its calculated answers are taken as
    they are."""
    loaded = load_record(compiled, record)
    return Environment(
        loaded.record.frame,
        today=context.today,
        now=context.now,
        settings=context.settings,
        lists=context.lists,
        choices=compiled.choices,
    )
