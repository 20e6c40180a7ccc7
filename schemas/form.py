"""A form: read, checked as a whole, and compiled into what the catalogue carries.

The compiled form (JSON):

    {"form_id", "version", "title": {zh, en}, "settings": {…},
     "survey": [row…], "envelope": [row…],            rows nest: groups and repeats have "children"
     "choices": {list: [{"name", "label": {zh, en}, …}]},
     "order": [name…],                                each name after all that it depends on
     "dependents": {name: [[dependent, shared]…]},    whom to look at again when `name` changes; in the same
                                                      instances of `shared` enclosing repeats, in all below
     "messages": {rule: {zh, en}}}                    built-in complaints

A row: {"name", "type", "list"?, "pii", "label"?, "hint"?, "guidance_hint"?, "required"?,
"required_message"?, "relevant"?, "constraint"?: [{"id", "severity", "expr", "message"}], "calculation"?,
"default"?, "dynamic_default"?, "read_only"?, "appearance"?, "parameters"?, "choice_filter"?, "decimals"?,
"coerce"?, "elder"?, "children"?}. `type` is without its list. Expressions are compiled (see
`schemas.expressions`); so is a text in a language when it contains ${…}, else it is a string.
"""

from dataclasses import dataclass
from typing import Any

from schemas.compiling import RowCompiler
from schemas.dependencies import cycles, dependents, evaluation_order
from schemas.errors import FormError, FormErrors
from schemas.messages import MESSAGES
from schemas.reading import NAME, Outline, label_error, read_outline


@dataclass(frozen=True)
class Form:
    """A form without errors. `source` is as it was written."""

    source: dict[str, Any]
    compiled: dict[str, Any]

    @property
    def form_id(self) -> str:
        return str(self.compiled["form_id"])

    @property
    def version(self) -> str:
        return str(self.compiled["version"])


def load_form(
    source: dict[str, Any], envelope: dict[str, Any], settings: dict[str, Any] | None = None
) -> Form:
    """Checks a form with the envelope's questions; raises FormErrors with everything that is wrong.

    `settings` are the district's; when given, setting('…') may only name one of them.
    """
    if not isinstance(source, dict) or not isinstance(envelope, dict):
        raise FormErrors(
            [FormError("form", "the form is not an object", "Write {“form_id”: …, “survey”: […]}.")]
        )
    outline = read_outline(source, envelope, settings)
    head = _head(source, outline.errors)
    compiler = RowCompiler(outline, outline.errors)
    rows = [compiler.row(row) for row in outline.envelope], [compiler.row(row) for row in outline.survey]
    _complain_about_cycles(outline, compiler)
    if outline.errors:
        raise FormErrors(outline.errors)
    return Form(source, _assemble(head, outline, compiler, *rows))


def compile_form(form: Form) -> dict[str, Any]:
    """What the catalogue carries and the phone runs; see the module's docstring."""
    return form.compiled


def _head(source: dict[str, Any], errors: list[FormError]) -> dict[str, Any]:
    settings = source.get("settings")
    settings = settings if isinstance(settings, dict) else {}
    form_id, version = source.get("form_id"), settings.get("version")
    if not isinstance(form_id, str) or not NAME.fullmatch(form_id):
        errors.append(FormError("form_id", f"{form_id!r} is not usable", "Use letters a–z, digits and _."))
    if not isinstance(version, str) or not version or not version.replace(".", "").isalnum():
        errors.append(
            FormError("settings › version", f"{version!r} is not usable", "Write a text such as “1”.")
        )
    fault = label_error(settings.get("title"))
    if fault:
        errors.append(FormError("settings › title", *fault))
    for key in sorted(set(source) - {"form_id", "settings", "survey", "choices"}):
        errors.append(
            FormError(
                "form", f"there is no part “{key}”", "The parts are form_id, settings, survey, choices."
            )
        )
    return {"form_id": form_id, "version": version, "title": settings.get("title"), "settings": settings}


def _complain_about_cycles(outline: Outline, compiler: RowCompiler) -> None:
    places = {row.name: row.place for row in outline.rows()}
    for circle in cycles(compiler.value_reads):
        outline.errors.append(
            FormError(
                places.get(circle[0], circle[0]),
                f"this goes in a circle: {' → '.join(circle)}",
                "Let one of them not depend on the next.",
            )
        )


def _assemble(
    head: dict[str, Any], outline: Outline, compiler: RowCompiler, envelope: list[Any], survey: list[Any]
) -> dict[str, Any]:
    names = [row.name for row in outline.rows()]
    every = {name: dict(compiler.value_reads[name]) for name in names}
    for name, reads in compiler.other_reads.items():
        for read, shared in reads.items():
            if read != name:
                every[name][read] = min(shared, every[name].get(read, shared))
    return {
        **head,
        "survey": survey,
        "envelope": envelope,
        "choices": outline.choices,
        "order": evaluation_order(names, compiler.value_reads),
        "dependents": {name: [list(pair) for pair in pairs] for name, pairs in dependents(every).items()},
        "messages": MESSAGES,
    }
