"""The system query options that are understood. What OData knows beyond them is refused with 501, what it
does not know with 400: nothing is passed over, for a filter that is ignored gives wrong figures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from server import clock
from server.odata.model import EntitySet
from server.readmodel.export_queries import Place, Span

TOP_MAX = 10_000_000
LAST = "\U0010ffff"  # after every id
UNDERSTOOD = {"$top", "$skiptoken", "$select", "$filter", "$count", "$orderby", "$format"}
NOT_IMPLEMENTED = {"$skip", "$expand", "$search", "$apply", "$compute", "$index", "$levels", "$schemaversion"}
EQUAL = {"status", "village_code", "town_code", "device_id", "filler_id"}
AREAS = ("village_code", "town_code")
_TERM = re.compile(
    r"(?P<name>\w+) (?P<operator>\w+) (?P<literal>'(?:[^']|'')*'|true|false|[0-9TZ:+.\-]+)", re.ASCII
)


class Refused(Exception):
    """`status` is 400 or 501; the message is for the program's author."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Options:
    """`filters` are names of the API's record filters, with `area`, `effective` and days as text; `after` and
    `until` are bounds of the moment of receipt."""

    select: list[str]
    top: int | None
    count: bool
    skiptoken: str | None
    filters: dict[str, Any]
    span: Span


def read(given: Mapping[str, str], entities: EntitySet) -> Options:
    """Raises Refused."""
    for name in given:
        plain = name if name.startswith("$") else f"${name}"  # 4.01: the sign may be left out
        if plain in NOT_IMPLEMENTED:
            raise Refused(501, f"{plain} is not supported.")
        if name not in UNDERSTOOD:
            raise Refused(400, f"There is no query option {name}.")
    _check_format(given.get("$format"))
    filters, span = _filter(given.get("$filter"))
    if entities.register is None:
        _check_order(given.get("$orderby"))
    elif given.get("$orderby") or filters.keys() - {"area"} or span != Span():
        raise Refused(
            501, "Registers come by village and id, and are filtered by town_code or village_code eq."
        )
    return Options(
        _select(given.get("$select"), entities),
        _top(given.get("$top")),
        _yes_no(given.get("$count")),
        given.get("$skiptoken"),
        filters,
        span,
    )


def _check_format(value: str | None) -> None:
    if value is not None and value.split(";")[0] not in ("json", "application/json"):
        raise Refused(501, "The only $format is json.")


def _check_order(value: str | None) -> None:
    if value is not None and value not in ("received_at", "received_at asc"):
        raise Refused(501, "Records come in order of receipt; the only $orderby is received_at.")


def _select(value: str | None, entities: EntitySet) -> list[str]:
    if value is None or value.strip() == "*":
        return list(entities.properties)
    names = [name.strip() for name in value.split(",")]
    for name in names:
        if name not in entities.properties:
            raise Refused(400, f"{entities.name} has no property {name!r}.")
    return list(dict.fromkeys(names))


def _top(value: str | None) -> int | None:
    if value is None:
        return None
    if not (value.isascii() and value.isdigit() and int(value[:10]) <= TOP_MAX and len(value) <= 10):
        raise Refused(400, f"$top is a whole number up to {TOP_MAX}.")
    return int(value)


def _yes_no(value: str | None) -> bool:
    if value not in (None, "true", "false"):
        raise Refused(400, "$count is true or false.")
    return value == "true"


def _filter(value: str | None) -> tuple[dict[str, Any], Span]:
    filters: dict[str, Any] = {}
    after: Place | None = None
    until: Place | None = None
    for name, operator, literal in _terms(value):
        if name == "received_at":
            moment = _moment(literal)
            if operator in ("ge", "gt"):
                after = (moment, LAST if operator == "gt" else "", "")
            elif operator == "le":
                until = (moment, LAST, LAST)
            else:
                raise _unsupported(name, operator)
        elif name == "work_date" and operator in ("eq", "ge", "le"):
            day = _text(name, literal)
            filters |= {key: day for key, of in (("first", "ge"), ("last", "le")) if operator in ("eq", of)}
        elif name == "effective" and operator == "eq" and literal in ("true", "false"):
            filters[name] = literal == "true"
        elif name in EQUAL and operator == "eq":
            if name in AREAS and "area" in filters:
                raise Refused(501, "Filter by town_code or by village_code, not by both.")
            filters["area" if name in AREAS else name] = _text(name, literal)
        else:
            raise _unsupported(name, operator)
    return filters, Span(after, until)


def _terms(value: str | None) -> list[tuple[str, str, str]]:
    """The terms of `a eq 'b' and c ge 'd'`, each property and operator once."""
    rest, terms = (value or "").strip(), list[tuple[str, str, str]]()
    while rest:
        while rest.startswith("(") and rest.endswith(")") and rest.count("(") == rest.count(")") == 1:
            rest = rest[1:-1].strip()
        found = _TERM.match(rest)
        if found is None:
            raise Refused(501, f"This $filter is not supported from here on: {rest[:80]!r}.")
        if any(found[1] == name and found[2] == operator for name, operator, _ in terms):
            raise Refused(501, f"Two conditions `{found[1]} {found[2]}` are not supported.")
        terms.append((found["name"], found["operator"], found["literal"]))
        rest = rest[found.end() :].strip()
        if rest:
            joined, _, rest = rest.partition(" ")
            if joined != "and" or not rest.strip():
                raise Refused(501, f"Conditions are joined by `and` only, not by {joined!r}.")
            rest = rest.strip()
    return terms


def _text(name: str, literal: str) -> str:
    if not literal.startswith("'"):
        raise Refused(400, f"{name} is compared with a text in single quotes.")
    return literal[1:-1].replace("''", "'")


def _moment(literal: str) -> str:
    try:
        moment = datetime.fromisoformat(literal.strip("'"))
        return clock.stamp(moment) if moment.tzinfo else _no_zone()
    except (ValueError, OverflowError):
        raise Refused(400, "received_at is compared with a moment such as 2020-02-21T08:00:00Z.") from None


def _no_zone() -> str:
    raise ValueError


def _unsupported(name: str, operator: str) -> Refused:
    return Refused(
        501,
        f"`{name} {operator}` is not supported. Filter by work_date (eq, ge, le; 'YYYY-MM-DD'), received_at"
        f" (ge, gt, le), effective, {', '.join(sorted(EQUAL))} (eq), joined by and; the rest in Excel.",
    )
