"""A compiled form made ready to check records: its rows by name and its expressions as closures. Made once,
kept."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from schemas.calculations import needed
from schemas.expressions import compile_closure
from schemas.expressions.evaluate import Closure
from schemas.metadata import STRUCTURE, app_names
from schemas.quiet import Quiet
from schemas.settled import Settled
from schemas.shape import FITS
from schemas.types import CONTAINERS, KINDS


@dataclass(frozen=True, slots=True)
class Rule:
    """One constraint."""

    id: str
    severity: str
    holds: Closure
    message: dict[str, Closure]
    expression: Any
    """`holds` as it was compiled."""


@dataclass(slots=True)
class Question:
    """A row — group and repeat too — with closures in place of compiled expressions."""

    name: str
    type: str
    kind: str
    chain: tuple[str, ...]
    parent: "Question | None"
    in_envelope: bool
    list_name: str
    label: dict[str, Closure]
    relevant: Closure | None
    calculation: Closure | None
    required: Closure | bool
    required_message: dict[str, Closure] | None
    rules: list[Rule]
    choice_filter: Closure | None
    decimals: int | None
    unlisted: str
    beside_parent: bool = True
    """Whether the group around it stands in the same instance; the repeat around it never does."""
    expressions: tuple[Any, ...] = ()
    """`relevant` and `calculation` as they were compiled, before they became closures."""
    required_expression: Any = None
    """So `required`."""
    conditional: bool = False
    """Whether its relevance or value is computed, by itself or by a group around it."""
    children: list["Question"] = field(default_factory=list)
    flat: list["Question"] = field(default_factory=list)
    """The children, groups dissolved."""
    fits: Callable[[Any], bool] = field(init=False)
    """Whether a value has the form of an answer to this type."""
    questionable: bool = field(init=False)
    """Whether an answer of the right form can still be wrong by itself."""

    def __post_init__(self) -> None:
        self.fits = FITS.get(self.type, _nothing_fits)
        offered = self.kind in ("choice", "choices")
        listed = self.kind == "register" and self.unlisted != "allow"
        self.questionable = offered or listed or self.decimals is not None

    @property
    def level(self) -> int:
        return len(self.chain)


@dataclass(frozen=True, eq=False)
class CompiledForm:
    """`source` is the catalogue's JSON; `order` are the questions whose relevance or value is computed, of
    which `settled` deals with some at once; `calculated` are those of the record itself whose value is,
    `calculated_envelope` those beside the answers.
    `members` are the names that may stand beside the answers."""

    source: dict[str, Any]
    form_id: str
    version: str
    survey: list[Question]
    envelope: list[Question]
    questions: dict[str, Question]
    order: list[Question]
    settled: Settled
    calculated: list[Question]
    calculated_envelope: list[Question]
    repeats: list[Question]
    members: frozenset[str]
    flat_survey: list[Question]
    flat_envelope: list[Question]
    flat: list[Question]
    quiet: Quiet
    page_numbers: dict[str, int]
    choices: dict[str, list[dict[str, Any]]]
    codes: dict[str, frozenset[str]]
    messages: dict[str, dict[str, str]]

    @classmethod
    def from_dict(cls, source: dict[str, Any]) -> "CompiledForm":
        """From what `compile_form` made, also after a way through JSON."""
        envelope = [_question(row, (), None, True) for row in source["envelope"]]
        survey = [_question(row, (), None, False) for row in source["survey"]]
        questions = {question.name: question for question in _all([*envelope, *survey])}
        choices = source["choices"]
        codes = {name: frozenset(choice["name"] for choice in rows) for name, rows in choices.items()}
        flat_survey, flat_envelope = _flat(survey), _flat(envelope)
        flat = [*flat_survey, *flat_envelope]
        order = [questions[name] for name in source["order"] if questions[name].conditional]
        return cls(
            source=source,
            form_id=source["form_id"],
            version=source["version"],
            survey=survey,
            envelope=envelope,
            questions=questions,
            order=order,
            settled=Settled(order, questions),
            calculated=[question for question in flat_survey if question.calculation is not None],
            calculated_envelope=[question for question in flat_envelope if question.calculation is not None],
            repeats=[question for question in flat_survey if question.kind == "repeat"],
            members=STRUCTURE | app_names(),
            flat_survey=flat_survey,
            flat_envelope=flat_envelope,
            flat=flat,
            quiet=Quiet(flat, codes),
            page_numbers={question.name: at for at, question in enumerate(_all([*survey, *envelope]))},
            choices=choices,
            codes=codes,
            messages=source["messages"],
        )

    @cached_property
    def calculations(self) -> "CompiledForm":
        """The same form for who only wants its calculations; other answers it does not know."""
        questions = needed(self.questions)
        order = [question for question in self.order if question.name in questions]
        repeats = [question for question in self.repeats if question.name in questions]
        return replace(
            self, questions=questions, order=order, settled=Settled(order, questions), repeats=repeats
        )


def _nothing_fits(value: Any) -> bool:
    return False


def _all(questions: list[Question]) -> Iterator[Question]:
    for question in questions:
        yield question
        yield from _all(question.children)


def _flat(questions: list[Question]) -> list[Question]:
    found: list[Question] = []
    for question in questions:
        found += _flat(question.children) if question.kind == "group" else [question]
    return found


def _question(
    row: dict[str, Any], chain: tuple[str, ...], parent: Question | None, in_envelope: bool
) -> Question:
    question = Question(
        name=row["name"],
        type=row["type"],
        kind=KINDS[row["type"]],
        chain=chain,
        parent=parent,
        in_envelope=in_envelope,
        list_name=row.get("list", ""),
        label=_texts(row.get("label") or {"zh": row["name"], "en": row["name"]}),
        relevant=_optional(row.get("relevant")),
        expressions=tuple(row[name] for name in ("relevant", "calculation") if name in row),
        calculation=_optional(row.get("calculation")),
        required_expression=row.get("required"),
        required=row["required"] is True or compile_closure(row["required"]) if "required" in row else False,
        required_message=_texts(row["required_message"]) if "required_message" in row else None,
        rules=[_rule(item) for item in row.get("constraint", ())],
        choice_filter=_optional(row.get("choice_filter")),
        decimals=row.get("decimals"),
        unlisted=row.get("parameters", {}).get("unlisted", "E"),
    )
    computed = question.relevant is not None or question.calculation is not None
    question.beside_parent = parent is None or len(parent.chain) == len(chain)
    question.conditional = computed or (parent is not None and parent.conditional)
    if row["type"] in CONTAINERS:
        inner = (*chain, question.name) if row["type"] == "begin_repeat" else chain
        question.children = [_question(child, inner, question, in_envelope) for child in row["children"]]
        question.flat = _flat(question.children)
    return question


def _optional(expression: Any) -> Closure | None:
    return None if expression is None else compile_closure(expression)


def _texts(text: dict[str, Any]) -> dict[str, Closure]:
    return {lang: compile_closure(expression) for lang, expression in text.items()}


def _rule(item: dict[str, Any]) -> Rule:
    holds = compile_closure(item["expr"])
    return Rule(item["id"], item["severity"], holds, _texts(item["message"]), item["expr"])
