"""What a valid form and a valid record are. Pure: clock, settings and look-ups are handed in."""

from schemas.compiled import CompiledForm
from schemas.context import Context, Problem, Report
from schemas.errors import FormError, FormErrors
from schemas.form import Form, compile_form, load_form
from schemas.marshalling import record_schema
from schemas.rules import calculate_record, check_record, too_deep
from schemas.scopes import compile_for, record_environment

__all__ = [
    "CompiledForm",
    "Context",
    "Form",
    "FormError",
    "FormErrors",
    "Problem",
    "Report",
    "calculate_record",
    "check_record",
    "compile_for",
    "compile_form",
    "load_form",
    "record_environment",
    "record_schema",
    "too_deep",
]
