"""The columns of an export: what the server knows, the envelope, and the answers of every version of the
form, the newest version's order first; each with what is left of its values for a reader who need not know
who it is.

A row of an export is `(fixed, doc, answers)`. Of a record, `fixed` is what the server knows (`OF_RECORD`),
`doc` the record and `answers` its answers; of an instance of a repeat, `fixed` is `OF_INSTANCE`, `doc` the
instance and `answers` nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from server.api.catalogue import Row, questions, repeats, survey
from server.api.masking import mask_kind, mask_value
from server.readmodel.record_queries import ENVELOPE, KEPT_COLUMNS, VOID_COLUMNS
from server.readmodel.record_queries import SERVER_COLUMNS as SERVER
from sync.store import Doc

ABOUT = ("work_date", "village_code", "status", "effective")
OF_RECORD = (*KEPT_COLUMNS, "voided", *VOID_COLUMNS)
OF_INSTANCE = ("record_id", "row", *ABOUT, "gps")
POINT = ("lat", "lon", "accuracy_m")
ANSWER_PREFIX = "answers."  # a question that bears the name of an envelope field
FIXED, DOC, ANSWERS = range(3)  # the parts of a row

# Values that hardly any two records share: not worth remembering how they are written.
UNIQUE = frozenset({"record_id", "received_at", "captured_at", "started_at", "ended_at", "supersedes"})
FREE_TEXT = {"remark": "text", "paper_ref": "numbers_within", "correction_reason": "numbers_within"}
_KINDS = {
    "integer": "integer",
    "range": "integer",
    "decimal": "number",
    "acknowledge": "yes_no",
    "select_multiple": "choices",
    "dateTime": "unique",
    "clock_skew_s": "number",
    "effective": "flag",
    "voided": "yes_no",
    "row": "integer",
    "rules": "words",
}


_FITTING: dict[str, tuple[type, ...]] = {
    "integer": (int,),
    "count": (int,),
    "number": (int, float),
    "degrees": (int, float),
    "yes_no": (bool,),
    "flag": (bool,),
    "choices": (list,),
}


@dataclass(frozen=True, slots=True)
class Column:
    """`part` and `key` say where its value stands in a row; `hidden` has no value for this reader. `kind` is

    text, unique (text that hardly repeats), words (between blanks), integer, number, yes_no, flag (0 and 1
    are no and yes), choices (several codes), count (of a repeat's instances), degrees (`point` says which of
    a position's three) or geometry (a whole position).
    """

    name: str
    part: int
    key: str
    kind: str = "text"
    mask: str | None = None
    point: str = ""
    hidden: bool = False

    def value(self, raw: Any) -> Any:
        """The value for the reader; `raw` is what the row has."""
        if self.kind == "count":
            return len(raw) if isinstance(raw, list) else None
        if self.kind == "flag":
            return None if raw is None else bool(raw)
        if self.kind == "words":
            return raw.strip() or None if isinstance(raw, str) else None
        if self.point:
            return raw.get(self.point) if isinstance(raw, dict) else None
        return mask_value(self.mask, raw)

    def typed(self, row: tuple[Any, ...], names: tuple[str, ...]) -> Any:
        """The value in a row whose fixed part has `names`; None for one that is not of the column's type."""
        if self.hidden:
            return None
        part = row[self.part]
        value = self.value(part[names.index(self.key)] if self.part == FIXED else part.get(self.key))
        if value is None:
            return None
        fitting = _FITTING.get(self.kind)
        if fitting is None:
            return _plain_text(value)
        if type(value) not in fitting or (type(value) is int and abs(value) >= 1 << 63):
            return None
        return [_plain_text(each) for each in value] if type(value) is list else value


def _plain_text(value: Any) -> str:
    return str(value).encode("utf-8", "replace").decode()


def record_columns(versions: list[Doc], *, in_full: bool) -> list[Column]:
    """The table of records. `versions` are the compiled forms, oldest first. A repeat group stands as the
    number of its rows; a position as three columns."""
    columns = [Column(name, FIXED, name, _kind(name)) for name in SERVER]
    for name in ENVELOPE:
        if name == "gps":
            columns += _position("gps", DOC, "gps", in_full)
        elif name == "voided":  # by its filler or by staff
            columns.append(Column(name, FIXED, name, _kind(name)))
        else:
            columns.append(Column(name, DOC, name, _kind(name), None if in_full else FREE_TEXT.get(name)))
    masks = {} if in_full else answer_masks(versions)
    known = {*SERVER, *ENVELOPE}
    types = _types(versions)
    for name in sorted(types, key=lambda each: each in known):  # stable: those with a prefix come last
        shown = ANSWER_PREFIX + name if name in known else name
        columns += _answer(shown, name, types[name], masks.get(name), in_full)
    return columns


def repeat_columns(group: list[Row], *, in_full: bool) -> list[Column]:
    """The table of one repeat group: a row for each instance, with the id of its record and its position
    from 1."""
    columns = [Column(name, FIXED, name, _kind(name)) for name in OF_INSTANCE[:-1]]
    for question in group:
        name, mask = str(question["name"]), None if in_full else mask_kind(question)
        columns.append(Column(name, DOC, name, _kind(_type(question)), mask))
    return columns


def _answer(shown: str, name: str, kind: str, mask: str | None, in_full: bool) -> list[Column]:
    if kind == "geopoint":
        return _position(shown, ANSWERS, name, in_full)
    if kind == "begin_repeat":
        return [Column(f"{shown}.count", ANSWERS, name, "count")]
    return [Column(shown, ANSWERS, name, _kind(kind), mask)]


def _position(shown: str, part: int, key: str, in_full: bool) -> list[Column]:
    return [
        Column(f"{shown}.{point}", part, key, "degrees", point=point, hidden=not in_full) for point in POINT
    ]


def _kind(name_or_type: str) -> str:
    return _KINDS.get(name_or_type, "unique" if name_or_type in UNIQUE else "text")


def _type(question: Row) -> str:
    return str(question["type"]).split(" ")[0]


def _types(versions: list[Doc]) -> dict[str, str]:
    """Question -> type, the newest version's order and type first."""
    types: dict[str, str] = {}
    for compiled in reversed(versions):
        for question in questions(survey(compiled)):
            types.setdefault(str(question["name"]), _type(question))
    return types


def repeat_groups(versions: list[Doc]) -> dict[str, list[Row]]:
    """Every repeat group of any version: name -> its questions, the newest version's order first."""
    found: dict[str, dict[str, Row]] = {}
    for compiled in reversed(versions):
        for group in repeats(compiled):
            known = found.setdefault(str(group["name"]), {})
            for question in questions(list(group.get("children", []))):
                known.setdefault(str(question["name"]), question)
    return {name: list(known.values()) for name, known in found.items()}


def answer_masks(versions: list[Doc]) -> dict[str, str | None]:
    """Question -> mask, the strictest that any version asks for."""
    masks: dict[str, str | None] = {}
    for compiled in versions:
        for question in questions(survey(compiled)):
            name = str(question["name"])
            masks[name] = masks.get(name) or mask_kind(question)
    return masks


def instances(fixed: tuple[Any, ...], doc: Mapping[str, Any], rows: Any) -> Iterator[tuple[Any, ...]]:
    """The rows of one record's repeat, `fixed` being the record's."""
    about = (doc.get("work_date"), doc.get("village_code"), fixed[3], fixed[4])
    for number, instance in enumerate(rows if isinstance(rows, list) else (), start=1):
        answers = instance if isinstance(instance, dict) else {}
        yield (fixed[0], number, *about, doc.get("gps")), answers, {}
