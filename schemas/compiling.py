"""Compiles the rows of a form: texts, expressions, constraints; collects every complaint."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from schemas.errors import FormError
from schemas.expressions.names import Names, Place
from schemas.expressions.parse import ExpressionError
from schemas.expressions.resolve import Compiled, compile_expression
from schemas.reading import Outline, Row, label_error
from schemas.registers import COLUMNS as REGISTER_COLUMNS
from schemas.shape import answer_fault
from schemas.types import CONTAINERS, PII_CLASSES, SEVERITIES, TEXT_COLUMNS, UNSEEN

PARTS = re.compile(r"\$\{\s*([^}]*?)\s*\}")
NO_CONSTRAINT = frozenset({"begin_group", "note"})


@dataclass
class RowCompiler:
    outline: Outline
    errors: list[FormError]
    value_reads: dict[str, dict[str, int]] = field(default_factory=dict)
    """What a row's own value and relevance depend on."""
    other_reads: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def names(self) -> Names:
        return self.outline.names

    def complain(self, place: str, message: str, remedy: str) -> None:
        self.errors.append(FormError(place, message, remedy))

    def row(self, row: Row) -> dict[str, Any]:
        source = row.source
        out: dict[str, Any] = {"name": row.name, "type": row.type, "pii": self.pii(row)}
        if row.list_name:
            out["list"] = row.list_name
        self.value_reads.setdefault(row.name, {})
        self.other_reads.setdefault(row.name, {})
        if row.parent is not None:
            self.value_reads[row.name][row.parent.name] = len(row.parent.chain)
        for column in TEXT_COLUMNS:
            if column in source:
                out[column] = self.text(row, source[column], f"{row.place} › {column}")
        self.label(row)
        self.computed(row, out)
        self.flags(row, out)
        self.plain(row, out)
        if "constraint" in source:
            out["constraint"] = self.constraints(row)
        if "coerce" in source:
            out["coerce"] = self.coerce(row)
        if row.type in CONTAINERS:
            out["children"] = [self.row(child) for child in row.children]
        return {key: value for key, value in out.items() if value is not None}

    def pii(self, row: Row) -> str:
        written = row.source.get("pii", "P0")
        if written not in PII_CLASSES:
            self.complain(row.place, f"there is no pii class {written!r}", "Write P0, P1 or P2.")
            return "P2"
        return str(written)

    def label(self, row: Row) -> None:
        optional = row.type in UNSEEN or row.type in CONTAINERS or row.type == ""
        if "label" not in row.source and not optional:
            self.complain(row.place, "the label is missing", "Write “label”: {“zh”: …, “en”: …}.")
        if row.type == "calculate" and "constraint" in row.source and "label" not in row.source:
            self.complain(
                row.place, "a calculate with a constraint needs a label", "Its label names it in the message."
            )

    def computed(self, row: Row, out: dict[str, Any]) -> None:
        for column in ("relevant", "calculation", "dynamic_default"):
            if column in row.source:
                out[column] = self.expression(
                    row, row.source[column], f"{row.place} › {column}", self.value_reads
                )
        if "calculation" in row.source and (row.type in CONTAINERS or row.type == "note"):
            self.complain(
                row.place, f"a {row.type} cannot be calculated", "Put the calculation on a question."
            )
        if row.type == "calculate" and "calculation" not in row.source:
            self.complain(row.place, "the calculation is missing", "Write “calculation”: “…”.")
        if "calculation" in row.source and ("default" in row.source or "dynamic_default" in row.source):
            self.complain(
                row.place, "a calculated question has no default", "Keep the calculation or the default."
            )
        if "choice_filter" in row.source:
            out["choice_filter"] = self.choice_filter(row)

    def choice_filter(self, row: Row) -> Any:
        place = f"{row.place} › choice_filter"
        if row.list_name in self.outline.choices:
            columns = frozenset(key for choice in self.outline.choices[row.list_name] for key in choice)
        elif row.list_name in REGISTER_COLUMNS:
            columns = REGISTER_COLUMNS[row.list_name]
        else:
            self.complain(place, "this question has no choices to filter", "Leave choice_filter out.")
            return None
        return self.expression(row, row.source["choice_filter"], place, self.other_reads, columns)

    def flags(self, row: Row, out: dict[str, Any]) -> None:
        for column in ("required", "read_only"):
            written = row.source.get(column, False)
            if isinstance(written, str):
                out[column] = self.expression(row, written, f"{row.place} › {column}", self.other_reads)
            elif written is True:
                out[column] = True
            elif written is not False:
                self.complain(
                    f"{row.place} › {column}", "this is neither true, false nor an expression", "Write true."
                )
        if out.get("required") and (row.type in UNSEEN or row.type in ("note", "begin_group")):
            self.complain(row.place, f"a {row.type} cannot be required", "Leave “required” out.")
        if "calculation" in row.source:
            out["read_only"] = True

    def plain(self, row: Row, out: dict[str, Any]) -> None:
        source = row.source
        checks: dict[str, tuple[Callable[[Any], bool], str]] = {
            "appearance": (lambda value: isinstance(value, str), "a text"),
            "parameters": (_is_parameters, "an object of texts"),
            "decimals": (
                lambda value: type(value) is int and 0 <= value <= 10,
                "a whole number from 0 to 10",
            ),
            "elder": (lambda value: isinstance(value, dict), "an object"),
        }
        for column, (fits, wanted) in checks.items():
            if column in source:
                if not fits(source[column]):
                    self.complain(f"{row.place} › {column}", f"this is not {wanted}", f"Write {wanted}.")
                out[column] = source[column]
        if "default" in source:
            self.default(row, out)

    def default(self, row: Row, out: dict[str, Any]) -> None:
        fault = answer_fault(row.type, source_default := row.source["default"])
        codes = self.names.choices.get(row.list_name, frozenset())
        listed = source_default if isinstance(source_default, list) else [source_default]
        unknown = (
            row.kind in ("choice", "choices") and not fault and any(code not in codes for code in listed)
        )
        if fault or unknown:
            self.complain(
                f"{row.place} › default",
                f"{source_default!r} is no answer of this type",
                "Write a valid answer.",
            )
        out["default"] = source_default

    def constraints(self, row: Row) -> list[dict[str, Any]]:
        written = row.source["constraint"]
        if row.type in NO_CONSTRAINT:
            self.complain(
                row.place, f"a {row.type} has no value to constrain", "Put the constraint on a question."
            )
        if isinstance(written, str):
            message = row.source.get("constraint_message")
            written = [{"id": "CONSTRAINT", "severity": "E", "expr": written, "message": message}]
        if not isinstance(written, list):
            self.complain(
                f"{row.place} › constraint",
                "the constraint is neither a list nor an expression",
                "Write [{…}].",
            )
            return []
        return [self.constraint(row, item, at) for at, item in enumerate(written, 1)]

    def constraint(self, row: Row, item: Any, at: int) -> dict[str, Any]:
        place = f"{row.place} › constraint {at}"
        if not isinstance(item, dict) or not isinstance(item.get("id"), str) or not item["id"]:
            self.complain(
                place, "the constraint has no id", "Write {“id”: …, “severity”: …, “expr”: …, “message”: …}."
            )
            return {}
        place = f"{row.place} › constraint {item['id']}"
        if item.get("severity") not in SEVERITIES:
            self.complain(place, f"there is no severity {item.get('severity')!r}", "Write E, W or F.")
        for column in set(item) - {"id", "severity", "expr", "message"}:
            self.complain(
                place, f"there is no column “{column}”", "A constraint has id, severity, expr and message."
            )
        expression = self.expression(row, item.get("expr"), place, self.other_reads)
        message = self.text(row, item.get("message"), f"{place} › message")
        return {"id": item["id"], "severity": item.get("severity"), "expr": expression, "message": message}

    def coerce(self, row: Row) -> dict[str, Any] | None:
        item, place = row.source["coerce"], f"{row.place} › coerce"
        if not isinstance(item, dict) or set(item) != {"id", "when", "to", "ask"}:
            self.complain(
                place, "the offer is incomplete", "Write {“id”: …, “when”: …, “to”: …, “ask”: {…}}."
            )
            return None
        when = self.expression(row, item["when"], f"{place} › when", self.other_reads)
        to = self.expression(row, item["to"], f"{place} › to", self.other_reads)
        return {
            "id": str(item["id"]),
            "when": when,
            "to": to,
            "ask": self.text(row, item["ask"], f"{place} › ask"),
        }

    def expression(
        self,
        row: Row,
        text: Any,
        place: str,
        reads: dict[str, dict[str, int]],
        columns: frozenset[str] | None = None,
    ) -> Any:
        if not isinstance(text, str):
            self.complain(place, "the expression is not a text", "Write it in quotes.")
            return None
        compiled = self.compiled(text, place, Place(row.name, row.chain, columns))
        if compiled is None:
            return None
        for name, shared in compiled.reads.items():
            known = reads[row.name].get(name, shared)
            reads[row.name][name] = min(known, shared)
        return compiled.ast

    def compiled(self, text: str, place: str, where: Place) -> Compiled | None:
        try:
            return compile_expression(text, self.names, where)
        except* ExpressionError as group:
            for error in group.exceptions:
                self.wrong(place, error)
        return None

    def wrong(self, place: str, error: object) -> None:
        if isinstance(error, ExpressionError):
            self.complain(f"{place}, line {error.line}, column {error.column}", error.message, error.remedy)

    def text(self, row: Row, written: Any, place: str) -> dict[str, Any] | None:
        fault = label_error(written)
        if fault:
            self.complain(place, *fault)
            return None
        return {lang: self.one_text(row, text, place) for lang, text in written.items()}

    def one_text(self, row: Row, text: str, place: str) -> Any:
        pieces = PARTS.split(text)
        if len(pieces) == 1:
            return text
        parts: list[Any] = []
        for at, piece in enumerate(pieces):
            part = self.inserted(row, piece, place) if at % 2 else piece
            if part != "":
                parts.append(part)
        return ["concat", *parts]

    def inserted(self, row: Row, name: str, place: str) -> Any:
        """A choice is shown by its label, anything else as it is."""
        ast = self.expression(row, f"${{{name}}}", place, self.other_reads)
        known = self.names.entries.get(name)
        if ast is not None and known is not None and known.choice_list in self.outline.choices:
            return ["choice-name", known.choice_list, ast]
        return "" if ast is None else ast


def _is_parameters(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())
