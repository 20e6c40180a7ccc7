"""What a valid form and a valid record are. Pure: clock, settings and look-ups are handed in."""

from schemas.errors import FormError, FormErrors
from schemas.form import Form, compile_form, load_form

__all__ = ["Form", "FormError", "FormErrors", "compile_form", "load_form"]
