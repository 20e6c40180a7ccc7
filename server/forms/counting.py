"""What stands beside the forms of a folder, held against them: a misspelt question would count nothing, and
no figure would say so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from schemas.expressions.parse import ExpressionError
from server.bulletins import wording
from server.exceptions.declaration import FILE as EXCEPTIONS
from server.exceptions.declaration import ExceptionsError, Kind, read_kinds
from server.readmodel.cross_rules import FILE as RULES
from server.readmodel.cross_rules import CrossRule
from server.readmodel.declaration import FILE, Component, Declaration, DeclarationError, read_declaration
from server.readmodel.expressions import REFERENCE, compile_text

ENVELOPE = {"received_at", "form_id", "work_date", "record_id"}  # of every record, besides what its form asks

Form = Mapping[str, Any]


def complaints(folder: Path, forms: Sequence[Form]) -> list[str]:
    """Of `indicators.json`, `cross_rules.json`, `exceptions.json` and the bulletin's layout; each names file,
    place and what to do. `forms` are the folder's, compiled."""
    if found := unreadable(folder):
        return found
    asked = {str(form["form_id"]): ENVELOPE | set(_names(form)) for form in forms}
    declaration = read_declaration(folder)
    return [
        *(f"{FILE}, {words}" for words in _units(declaration, asked)),
        *(f"{FILE}, {words}" for words in _components(declaration, asked)),
        *(f"{RULES}, {words}" for words in _rules(declaration, asked)),
        *(f"{EXCEPTIONS}, {words}" for words in _exceptions(read_kinds(folder), declaration, asked)),
    ]


def unreadable(folder: Path) -> list[str]:
    """Those of them that cannot be read at all, without which no server can count."""
    found = []
    for read in (read_declaration, read_kinds, wording.layout):
        try:
            read(folder)
        except (DeclarationError, ExceptionsError, wording.LayoutError) as error:
            found.append(str(error))
    return found


def _names(form: Form) -> Iterator[str]:
    for part in ("survey", "envelope"):
        yield from _asked(form.get(part, ()))


def _asked(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for row in rows:
        yield str(row["name"])
        yield from _asked(row.get("children", ()))


Asked = Mapping[str, set[str]]  # form -> what a record of it can answer


def _units(declaration: Declaration, asked: Asked) -> Iterator[str]:
    for unit in declaration.units.values():
        for form, question in unit.forms.items():
            yield from _form(f"unit {unit.name}", form, asked)
            yield from _question(f"unit {unit.name}", form, question, asked)
        for name in unit.keep:
            if asked.keys() >= unit.forms.keys() and not any(name in asked[form] for form in unit.forms):
                yield f"unit {unit.name}: none of its forms asks {name}, which it keeps."
    for mentioned in declaration.mentioned.values():
        if mentioned.each:
            yield from _question(f"mentioned {mentioned.name}", mentioned.form, mentioned.each, asked)


def _components(declaration: Declaration, asked: Asked) -> Iterator[str]:
    for component in declaration.components.values():
        place = f"component {component.name}"
        names = _names_of(declaration, component, asked)
        for text in (component.where, component.value, component.by, component.then, component.on):
            yield from _expression(place, text, names)


def _names_of(declaration: Declaration, component: Component, asked: Asked) -> set[str] | None:
    """What its expressions may name; None where that is what the register has."""
    mentioned = declaration.mentioned.get(component.unit)
    form = component.form or (mentioned.form if mentioned else None)
    return asked.get(form) if form else None


def _rules(declaration: Declaration, asked: Asked) -> Iterator[str]:
    for rule in declaration.rules.values():
        place, form = f"rule {rule.name}", _form_of(declaration, rule)
        if rule.form:
            yield from _form(place, rule.form, asked)
        for text in (rule.where, rule.value):
            yield from _expression(place, text, asked.get(form) if form else None)


def _form_of(declaration: Declaration, rule: CrossRule) -> str | None:
    if rule.form:
        return rule.form
    mentioned = declaration.mentioned.get(rule.unit)
    return mentioned.form if mentioned else None


def _exceptions(kinds: Mapping[str, Kind], declaration: Declaration, asked: Asked) -> Iterator[str]:
    for kind in kinds.values():
        yield from (f"{kind.id}: {words}" for words in _kind(kind, declaration, asked))


def _kind(kind: Kind, declaration: Declaration, asked: Asked) -> Iterator[str]:
    if kind.unit and kind.unit not in {*declaration.units, *declaration.mentioned}:
        yield f"there is no unit {kind.unit} in {FILE}."
    for name in filter(None, (kind.component, *kind.without)):
        if name not in declaration.components:
            yield f"there is no component {name} in {FILE}."
    if kind.form and kind.form not in asked:
        yield f"there is no form {kind.form} in this folder."


def _form(place: str, form: str, asked: Asked) -> Iterator[str]:
    if form not in asked:
        yield f"{place}: there is no form {form} in this folder."


def _question(place: str, form: str, question: str, asked: Asked) -> Iterator[str]:
    if form in asked and question not in asked[form]:
        yield f"{place}: the form {form} asks no {question}."


def _expression(place: str, text: str | None, names: set[str] | None) -> Iterator[str]:
    if not text:
        return
    try:
        compile_text(text)
    except* ExpressionError as group:
        errors = [error for error in group.exceptions if isinstance(error, ExpressionError)]
        unread = [f"{place}: {error.args[0]}. {error.remedy}" for error in errors]
    else:
        unread = []
    yield from unread
    unknown = sorted(set(REFERENCE.findall(text)) - names) if names is not None else []
    yield from (f"{place}: no question is called {name}; the expression reads {text!r}." for name in unknown)
