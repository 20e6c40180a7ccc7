"""Takes a record apart into frames that expressions can read, leaving out whatever has no place or the
wrong form.

That a record is sound is decided here, answer by answer, with the rules of `shape.py`; what is wrong with one
that is not, `marshalling.py` explains with the same rules.
"""

from dataclasses import dataclass, field
from typing import Any

from schemas.compiled import CompiledForm, Question
from schemas.expressions.environment import Frame
from schemas.expressions.values import from_answer
from schemas.types import INSTANCES_MAX


@dataclass
class Instance:
    """The record or an instance of a repeat. `raw` are sound answers as they came; `broken` are names of
    unsound ones."""

    prefix: str
    frame: Frame = field(default_factory=dict)
    raw: dict[str, Any] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    irrelevant: set[str] = field(default_factory=set)
    repeats: dict[str, list["Instance"]] = field(default_factory=dict)
    parent: "Instance | None" = None
    position: int = 0


@dataclass
class Loaded:
    record: Instance
    sound: bool = True
    limits: list[tuple[Question, Instance]] = field(default_factory=list)
    """Where an evaluation was given up."""


def load_record(compiled: CompiledForm, record: Any) -> Loaded:
    """Never raises, whatever `record` is."""
    loaded = Loaded(Instance(""))
    if not isinstance(record, dict):
        loaded.sound = False
        return loaded
    _take_envelope(compiled, record, loaded)
    answers = record.get("answers", {})
    if isinstance(answers, dict):
        _take(compiled, answers, loaded.record, (), loaded)
    else:
        loaded.sound = False
    if "confirmed" in record:
        loaded.sound &= _confirmations_are_sound(record["confirmed"])
    return loaded


def _confirmations_are_sound(confirmed: Any) -> bool:
    return isinstance(confirmed, list) and all(
        isinstance(item, dict)
        and all(isinstance(key, str) and isinstance(value, str) for key, value in item.items())
        for item in confirmed
    )


def _take_envelope(compiled: CompiledForm, record: dict[Any, Any], loaded: Loaded) -> None:
    questions, into = compiled.questions, loaded.record
    for name, value in record.items():
        question = questions.get(name)
        if question is not None and question.in_envelope and question.kind != "group":
            _take_answer(question, name, value, into, loaded)
        elif name not in compiled.members:
            loaded.sound = False


def _take(
    compiled: CompiledForm, answers: dict[Any, Any], into: Instance, chain: tuple[str, ...], loaded: Loaded
) -> None:
    questions = compiled.questions
    for name, value in answers.items():
        question = questions.get(name)
        if question is None or question.in_envelope or question.chain != chain or question.kind == "group":
            loaded.sound = False
        elif question.kind == "repeat":
            _take_repeat(compiled, question, value, into, loaded)
        else:
            _take_answer(question, name, value, into, loaded)


def _take_answer(question: Question, name: str, value: Any, into: Instance, loaded: Loaded) -> None:
    if not question.fits(value):
        into.broken.add(name)
        loaded.sound = False
        return
    into.raw[name] = value
    into.frame[name] = (
        value if type(value) is str else "OK" if question.kind == "flag" else from_answer(value)
    )


def _take_repeat(
    compiled: CompiledForm, question: Question, value: Any, into: Instance, loaded: Loaded
) -> None:
    path = into.prefix + question.name
    sound = isinstance(value, list) and all(isinstance(item, dict) for item in value)
    if not sound or len(value) > INSTANCES_MAX:
        into.broken.add(question.name)
        loaded.sound = False
        return
    chain = (*question.chain, question.name)
    instances = [Instance(f"{path}[{at}].", parent=into, position=at + 1) for at in range(len(value))]
    for instance, item in zip(instances, value, strict=True):
        _take(compiled, item, instance, chain, loaded)
    into.repeats[question.name] = instances
    into.frame[question.name] = [instance.frame for instance in instances]
