"""The marshmallow schema of a form's records: it describes them to the API's readers, and explains what is
wrong with the shape of one. Its fields defer to `shape.answer_fault`, as `loading.py` does, so that the two
cannot disagree."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

from marshmallow import Schema, ValidationError, fields

from schemas.compiled import CompiledForm, Question
from schemas.expressions import Environment
from schemas.metadata import STRUCTURE, app_names
from schemas.shape import answer_fault
from schemas.types import INSTANCES_MAX

_OPENAPI = {
    "number": ("number", None),
    "date": ("string", "date"),
    "choices": ("array", None),
    "position": ("object", None),
    "flag": ("boolean", None),
}


class AnswerField(fields.Field[Any]):
    """One answer: its type, and its choices when the form lists them."""

    def __init__(
        self, question: Question, codes: frozenset[str] | None, label: dict[str, str], **more: Any
    ) -> None:
        kind, form = _OPENAPI.get(question.kind, ("string", None))
        described: dict[str, Any] = {"type": kind, "description": f"{label['zh']} / {label['en']}"}
        if form and question.type == "date":
            described["format"] = form
        if kind == "array":
            described["items"] = {"type": "string"}
        if codes and question.kind == "choice":
            described["enum"] = sorted(codes)
        super().__init__(metadata=described, **more)
        self.question_type, self.codes = question.type, codes

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        if answer_fault(self.question_type, value):
            raise ValidationError("TYPE")
        if self.codes is not None and not self.codes.issuperset(
            value if isinstance(value, list) else [value]
        ):
            raise ValidationError("CHOICE")
        return value

    def _serialize(self, value: Any, attr: str | None, obj: Any, **more: Any) -> Any:
        return value


FAULTS_MAX = 200
"""Complaints about the shape of one record; further ones are left out."""
RULES = frozenset({"TYPE", "CHOICE", "TOO_MANY", "SHAPE"})


@dataclass(frozen=True)
class Fault:
    rule: str
    path: str
    name: str


@lru_cache(maxsize=200)
def _schema_of(compiled: CompiledForm) -> Schema:
    return record_schema(compiled)()


def shape_faults(compiled: CompiledForm, record: Any) -> list[Fault]:
    """What is wrong with the record's shape, choices left out: those depend on other answers."""
    if not isinstance(record, dict):
        return [Fault("SHAPE", "", "")]
    errors = _schema_of(compiled).validate(record)
    faults = (fault for fault in _flatten(errors, "", "") if fault.rule != "CHOICE")
    return list(islice(faults, FAULTS_MAX))


def _flatten(errors: Any, path: str, name: str) -> Iterator[Fault]:
    if isinstance(errors, list):
        yield Fault(_rule(errors[0]), path, name)
        return
    for key, inner in errors.items():
        if path == "confirmed":
            yield Fault("TYPE", "confirmed", "confirmed")
            return
        if isinstance(key, int):
            yield from _flatten(inner, f"{path}[{key}]", name)
        elif key == "_schema" or (key == "answers" and not path):
            yield from _flatten(
                inner, "answers" if isinstance(inner, list) and not path else path, name or "answers"
            )
        else:
            shown = _shown(key)
            inside = path and path != "answers"
            yield from _flatten(inner, f"{path}.{shown}" if inside else shown, shown)


def _rule(message: Any) -> str:
    if message == Schema.error_messages.get("unknown", "Unknown field."):
        return "UNKNOWN_FIELD"
    return message if message in RULES else "TYPE"


def _shown(name: Any) -> str:
    """A foreign name, fit to be repeated in a message."""
    return str(name)[:60].encode("utf-8", "replace").decode("utf-8").replace("\0", "�")


def _too_many(value: list[Any]) -> None:
    if len(value) > INSTANCES_MAX:
        raise ValidationError("TOO_MANY")


def answers_schema(compiled: CompiledForm) -> type[Schema]:
    return _schema(f"{_camel(compiled.form_id)}V{compiled.version}Answers", compiled, compiled.survey)


def record_schema(compiled: CompiledForm) -> type[Schema]:
    """The schema class of a whole record: envelope questions beside `answers`."""
    envelope = _fields(compiled, compiled.envelope)
    structure: dict[str, Any] = {
        **{name: fields.Raw(allow_none=True) for name in sorted(STRUCTURE | app_names())},
        **envelope,
        "answers": fields.Nested(answers_schema(compiled)),
        "confirmed": fields.List(fields.Dict(keys=fields.String(), values=fields.String())),
    }
    return Schema.from_dict(structure, name=f"{_camel(compiled.form_id)}V{compiled.version}Record")


def _schema(name: str, compiled: CompiledForm, questions: list[Question]) -> type[Schema]:
    return Schema.from_dict(_fields(compiled, questions, name), name=name)


def _fields(compiled: CompiledForm, questions: list[Question], name: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for question in questions:
        if question.type == "begin_group":
            found.update(_fields(compiled, question.children, name))
        elif question.type == "begin_repeat":
            inner = _schema(f"{name}{_camel(question.name)}", compiled, question.children)
            found[question.name] = fields.List(fields.Nested(inner), validate=_too_many)
        elif question.type != "note":
            codes = compiled.codes.get(question.list_name) if question.kind in ("choice", "choices") else None
            found[question.name] = AnswerField(question, codes, plain_label(question))
    return found


def plain_label(question: Question) -> dict[str, str]:
    """The label without any answers in it."""
    environment = Environment({})
    environment.frames = [{}] * (question.level + 1)
    environment.positions = [0] * (question.level + 1)
    return {lang: str(text(environment)) for lang, text in question.label.items()}


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
