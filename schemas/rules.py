"""Checks a record: shape, then relevance and calculations, then required answers, choices and constraints."""

from collections.abc import Iterator, Sequence
from typing import Any

from schemas.compiled import CompiledForm, Question, Rule
from schemas.computed import computed
from schemas.context import Context, Problem, Report
from schemas.expressions import Environment, TooMuch, to_boolean, to_string
from schemas.expressions.evaluate import Closure
from schemas.expressions.values import from_answer, number_to_string
from schemas.loading import Instance, Loaded, load_record
from schemas.marshalling import Fault, plain_label, shape_faults
from schemas.registers import KEY_COLUMNS

DEPTH_MAX = 20
NESTED = (dict, list)


def check_record(compiled: CompiledForm, record: Any, context: Context) -> Report:
    """Problems in page order, those of shape first; never raises, whatever the record is."""
    if not isinstance(record, dict) or too_deep(record):
        return Report([Problem("SHAPE", "E", "", dict(compiled.messages["SHAPE"]))], {})
    loaded = load_record(compiled, record)
    check = _Check(compiled, context, loaded)
    check.recalculate()
    problems = [] if loaded.sound else check.faults(record)
    problems += check.answers_out_of_place()
    check.judge(compiled.quiet.to_look_at(loaded.record, context.settings), loaded.record, problems)
    problems += [check.complaint("LIMIT", *place) for place in loaded.limits]
    return Report(problems, check.recalculated(record))


def calculate_record(compiled: CompiledForm, record: dict[str, Any], context: Context) -> dict[str, Any]:
    """The record as `check_record` leaves it, without looking for problems; it is not `too_deep`."""
    form = compiled.calculations
    check = _Check(form, context, load_record(form, record))
    check.recalculate()
    return check.recalculated(record)


def too_deep(value: Any) -> bool:
    """Whether lists and objects are nested deeper than any record can be."""
    level = [value] if isinstance(value, NESTED) else []
    for _ in range(DEPTH_MAX):
        if not level:
            return False
        level = [
            child
            for item in level
            for child in (item.values() if isinstance(item, dict) else item)
            if isinstance(child, NESTED)
        ]
    return bool(level)


class _Check:
    def __init__(self, compiled: CompiledForm, context: Context, loaded: Loaded) -> None:
        self.compiled, self.loaded = compiled, loaded
        self.environment = Environment(
            loaded.record.frame,
            today=context.today,
            now=context.now,
            settings=context.settings,
            lists=context.lists,
            choices=compiled.choices,
        )
        self.record_frames = self.environment.frames
        self.record_positions = self.environment.positions
        self.inside = loaded.record

    # -- where an expression is evaluated

    def enter(self, instance: Instance) -> None:
        if instance is self.inside:
            return
        self.inside = instance
        if instance.parent is None:
            self.environment.frames, self.environment.positions = self.record_frames, self.record_positions
            return
        frames, positions = [instance.frame], [instance.position]
        at: Instance | None = instance.parent
        while at is not None:
            frames.append(at.frame)
            positions.append(at.position)
            at = at.parent
        self.environment.frames, self.environment.positions = frames[::-1], positions[::-1]

    def instances(self, question: Question) -> list[Instance]:
        found = [self.loaded.record]
        for repeat in question.chain:
            found = [child for instance in found for child in instance.repeats.get(repeat, ())]
        return found

    # -- relevance and calculation, in the order of dependency

    def recalculate(self) -> None:
        record = self.loaded.record
        self.settle(record)
        # Without an instance of any repeat, its questions need no look, and nothing waits for them.
        rest = self.compiled.settled.rest if record.repeats else self.compiled.settled.rest_outside
        for question in rest:
            if not question.chain:
                self.refresh(question, record, record)
                continue
            if not record.repeats.get(question.chain[0]):
                continue
            for instance in self.instances(question):
                self.enter(instance)
                owner = instance if question.beside_parent else instance.parent
                self.refresh(question, instance, owner or instance)
            self.enter(record)

    def settle(self, record: Instance) -> None:
        """What follows from the record's choices alone, all at once."""
        settlement = self.compiled.settled.by(record.frame, self.environment.settings)
        record.irrelevant |= settlement.irrelevant
        for name in settlement.irrelevant.intersection(record.frame):
            record.frame[name] = [] if self.compiled.questions[name].kind == "repeat" else ""
        record.frame.update(settlement.frame)
        record.raw.update(settlement.answers)
        for name in settlement.unanswered:
            record.raw.pop(name, None)

    def refresh(self, question: Question, instance: Instance, owner: Instance) -> None:
        """`owner` is the instance in which the group or repeat around the question stands."""
        parent = question.parent
        relevant = parent is None or parent.name not in owner.irrelevant
        if relevant:
            if question.relevant is not None:
                relevant = to_boolean(self.safely(question.relevant, question, instance))
            if relevant and question.calculation is not None:
                self.calculate(question, question.calculation, instance)
        if not relevant:
            instance.irrelevant.add(question.name)
            instance.frame[question.name] = [] if question.kind == "repeat" else ""

    def calculate(self, question: Question, calculation: Closure, instance: Instance) -> None:
        answer = computed(question.type, self.safely(calculation, question, instance))
        instance.frame[question.name] = (
            from_answer(answer) if question.kind != "flag" else "OK" if answer else ""
        )
        if answer is None:
            instance.raw.pop(question.name, None)
        else:
            instance.raw[question.name] = answer

    def safely(self, closure: Closure, question: Question, instance: Instance) -> Any:
        try:
            return closure(self.environment)
        except TooMuch:
            self.loaded.limits.append((question, instance))
            return ""

    # -- complaints

    def faults(self, record: Any) -> list[Problem]:
        """What marshmallow says about the shape; never nothing."""
        found = [self.fault(fault) for fault in shape_faults(self.compiled, record)]
        return found or [self.built_in("SHAPE", "", {"zh": "", "en": ""})]

    def fault(self, fault: Fault) -> Problem:
        question = self.compiled.questions.get(fault.name)
        label = {"zh": fault.name, "en": fault.name}
        if question is not None and not question.chain:
            label = self.label(question, self.loaded.record)
        elif question is not None:
            label = plain_label(question)
        return self.built_in(fault.rule, fault.path, label)

    def label(self, question: Question, instance: Instance) -> dict[str, str]:
        self.enter(instance)
        return self.texts(question.label)

    def texts(self, texts: dict[str, Closure]) -> dict[str, str]:
        result = {}
        for lang, closure in texts.items():
            self.environment.lang = lang
            try:
                result[lang] = to_string(closure(self.environment))
            except TooMuch:
                result[lang] = "…"
        self.environment.lang = "zh"
        return result

    def built_in(
        self,
        rule: str,
        path: str,
        label: dict[str, str],
        severity: str = "E",
        more: dict[str, str] | None = None,
    ) -> Problem:
        message = {}
        for lang, text in self.compiled.messages[rule].items():
            for key, value in {**(more or {}), "label": label[lang]}.items():
                text = text.replace("{" + key + "}", value)
            message[lang] = text
        return Problem(rule, severity, path, message)

    def complaint(
        self,
        rule: str,
        question: Question,
        instance: Instance,
        severity: str = "E",
        more: dict[str, str] | None = None,
    ) -> Problem:
        return self.built_in(
            rule, instance.prefix + question.name, self.label(question, instance), severity, more
        )

    def answers_out_of_place(self) -> list[Problem]:
        """Answers to questions that the record's other answers rule out; calculated ones are merely
        dropped."""
        found = list(self.out_of_place(self.loaded.record))
        found.sort(key=lambda pair: self.compiled.page_numbers[pair[0].name])
        return [self.complaint("IRRELEVANT", question, instance) for question, instance in found]

    def out_of_place(self, instance: Instance) -> Iterator[tuple[Question, Instance]]:
        for name in instance.irrelevant.intersection([*instance.raw, *instance.repeats]):
            question = self.compiled.questions[name]
            counts = question.calculation is None and question.kind != "any"
            if counts and (name in instance.raw or instance.repeats.get(name)):
                yield question, instance
        for name, inner in instance.repeats.items():
            if name not in instance.irrelevant:
                for child in inner:
                    yield from self.out_of_place(child)

    def judge(self, questions: Sequence[Question], instance: Instance, problems: list[Problem]) -> None:
        """`questions` without their groups, in page order."""
        irrelevant, broken, raw, repeats = (
            instance.irrelevant,
            instance.broken,
            instance.raw,
            instance.repeats,
        )
        for question in questions:
            name = question.name
            if name in irrelevant or name in broken:
                continue
            if name in raw or repeats.get(name):
                fault = self.answer_fault(question, instance) if question.questionable else None
                if fault is not None:
                    problems.append(fault)
                elif question.rules:
                    self.constraints(question, instance, problems)
                for inner in repeats.get(name, ()):
                    self.judge(question.flat, inner, problems)
            elif question.required is not False:
                problems.extend(self.required(question, instance))

    def required(self, question: Question, instance: Instance) -> Iterator[Problem]:
        if not isinstance(question.required, bool):
            self.enter(instance)
            if not to_boolean(self.safely(question.required, question, instance)):
                return
        problem = self.complaint("REQUIRED", question, instance)
        if question.required_message is None:
            yield problem
        else:
            yield Problem("REQUIRED", "E", problem.path, self.texts(question.required_message))

    def answer_fault(self, question: Question, instance: Instance) -> Problem | None:
        answer = instance.raw[question.name]
        if (
            question.decimals is not None
            and isinstance(answer, int | float)
            and _decimals(answer) > question.decimals
        ):
            return self.complaint("DECIMALS", question, instance, "E", {"decimals": str(question.decimals)})
        if question.kind == "choice" and question.choice_filter is None:
            if answer not in self.compiled.codes.get(question.list_name, ()):
                return self.complaint("CHOICE", question, instance)
        elif question.kind == "choice" or question.kind == "choices":
            codes = answer if isinstance(answer, list) else [answer]
            if not self.offered(question, instance).issuperset(codes):
                return self.complaint("CHOICE", question, instance)
        if question.kind == "register" and question.unlisted != "allow":
            return self.register_fault(question, instance, answer if isinstance(answer, list) else [answer])
        return None

    def register_fault(self, question: Question, instance: Instance, codes: list[str]) -> Problem | None:
        key_column = KEY_COLUMNS.get(question.list_name, "")
        if all(self.environment.lists(question.list_name, key_column, code) is not None for code in codes):
            return None
        return self.complaint("NOT_IN_LIST", question, instance, "W" if question.unlisted == "W" else "E")

    def offered(self, question: Question, instance: Instance) -> frozenset[str] | set[str]:
        if question.choice_filter is None:
            return self.compiled.codes.get(question.list_name, frozenset())
        self.enter(instance)
        found = set()
        for choice in self.compiled.choices.get(question.list_name, ()):
            self.environment.choice = choice
            if to_boolean(self.safely(question.choice_filter, question, instance)):
                found.add(choice["name"])
        self.environment.choice = {}
        return found

    def constraints(self, question: Question, instance: Instance, problems: list[Problem]) -> None:
        """At most one complaint for each rule id."""
        self.enter(instance)
        failed: set[str] = set()
        for rule in question.rules:
            if rule.id not in failed and (problem := self.constraint(rule, question, instance)):
                failed.add(rule.id)
                problems.append(problem)

    def constraint(self, rule: Rule, question: Question, instance: Instance) -> Problem | None:
        try:
            if to_boolean(rule.holds(self.environment)):
                return None
        except TooMuch:
            return self.complaint("LIMIT", question, instance)
        self.enter(instance)
        return Problem(rule.id, rule.severity, instance.prefix + question.name, self.texts(rule.message))

    # -- the record as the server understands it

    def recalculated(self, record: dict[str, Any]) -> dict[str, Any]:
        result = dict(record)
        for question in self.compiled.calculated_envelope:
            _replace(question, self.loaded.record, result)
        answers = record.get("answers")
        if isinstance(answers, dict):
            changing = [*self.compiled.calculated, *self.compiled.repeats]
            result["answers"] = self.answers(changing, self.loaded.record, answers)
        return result

    def answers(self, questions: list[Question], instance: Instance, given: dict[str, Any]) -> dict[str, Any]:
        result = dict(given)
        for question in questions:
            if question.calculation is not None:
                _replace(question, instance, result)
            elif question.name in instance.repeats:
                pairs = zip(instance.repeats[question.name], given[question.name], strict=True)
                result[question.name] = [self.answers(question.flat, inner, item) for inner, item in pairs]
        return result


def _replace(question: Question, instance: Instance, result: dict[str, Any]) -> None:
    if question.calculation is None:
        return
    if question.name in instance.irrelevant or question.name not in instance.raw:
        result.pop(question.name, None)
    else:
        result[question.name] = instance.raw[question.name]


def _decimals(number: float) -> int:
    return len(number_to_string(float(number)).partition(".")[2])
