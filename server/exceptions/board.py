"""The board: exceptions as found, joined with what staff did about them; filtered, sorted, page by page."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import merge
from itertools import islice
from types import MappingProxyType

from server.exceptions import steps
from server.exceptions.finding import MOST, Asked, Found, Parts, age, completed, find, later, parts_of
from server.exceptions.steps import UNTOUCHED, Standing
from server.readmodel.paging import decode_cursor, encode_cursor

STATES = ("open", "overdue", "unowned", "resolved")
SORTS = ("due", "since", "kind", "village")
PLACE_LENGTH = 5
NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Item:
    """An exception on the board; `settled` when the data do not show it any more."""

    found: Found
    standing: Standing
    due: str
    overdue: bool
    settled: bool = False

    @property
    def id(self) -> str:
        return self.found.id


@dataclass(frozen=True, slots=True)
class Filters:
    """`owner` is a staff id. Without a kind all are meant. A `sort` beginning with - falls."""

    state: str = "open"
    kind: str | None = None
    owner: str | None = None
    sort: str = "due"


@dataclass(frozen=True, slots=True)
class Board:
    """`counts`: {kind: {open, overdue, capped}}, whatever the filters say of kind and state."""

    items: Sequence[Item]
    next_cursor: str | None
    counts: Mapping[str, Mapping[str, int | bool]]
    total: int


Rows = list[tuple[Found, Standing]]  # of one kind, oldest first


def board(asked: Asked, filters: Filters, cursor: str | None = None, limit: int = 50) -> Board:
    """Raises BadCursor."""
    touched = {
        parts: each
        for key, each in steps.standings(asked.people, asked.area).items()
        if (parts := parts_of(key))
    }
    rows: dict[str, Rows] = {}
    counts: dict[str, dict[str, int | bool]] = {}
    for name, kind in asked.kinds.items():
        found = find(replace(asked, brief=True), kind)
        if any(parts[0] == name for parts in touched):
            rows[name] = [(each, touched.get(each.parts, UNTOUCHED)) for each in found]
        else:
            rows[name] = [(each, UNTOUCHED) for each in found]
        counts[name] = _counts(rows[name], _limit(asked, name), capped=len(found) == MOST)
    gone = _gone(touched, rows) if filters.state == "resolved" else set()
    for parts in gone:
        rows[parts[0]].append((Found(*parts, about=NOTHING), touched[parts]))
    wanted = {name: _wanted(asked, name, some, filters) for name, some in rows.items()}
    shown, next_cursor = _page(asked, wanted, filters, cursor, limit)
    read = completed(asked, asked.kinds, [found for found, _ in shown])
    items = [
        _item(asked, found, standing, settled=found.parts in gone)
        for found, (_, standing) in zip(read, shown, strict=True)
    ]
    return Board(items, next_cursor, counts, sum(map(len, wanted.values())))


def _limit(asked: Asked, kind: str) -> str:
    """What lasts since before this moment is overdue."""
    return asked.ago(asked.sla_h(kind))


def _item(asked: Asked, found: Found, standing: Standing, *, settled: bool = False) -> Item:
    due = later(found.since, asked.sla_h(found.kind))
    return Item(found, standing, due, not settled and not standing.resolved and due < asked.now, settled)


def _gone(touched: Mapping[Parts, Standing], rows: Mapping[str, Rows]) -> set[Parts]:
    """Resolved exceptions that the data do not show any more."""
    there = {found.parts for some in rows.values() for found, _ in some}
    resolved = {parts for parts, each in touched.items() if each.resolved and parts[0] in rows}
    return resolved - there


def _remembered(asked: Asked, exception_id: str, standing: Standing) -> Item | None:
    """An exception by its id alone."""
    parts = parts_of(exception_id)
    if parts is None or parts[0] not in asked.kinds:
        return None
    return _item(asked, Found(*parts, about=NOTHING), standing, settled=True)


def _counts(rows: Rows, limit: str, *, capped: bool) -> dict[str, int | bool]:
    left = [found.since for found, standing in rows if not standing.resolved]
    return {"open": len(left), "overdue": bisect_left(left, limit), "capped": capped}


def _wanted(asked: Asked, kind: str, rows: Rows, filters: Filters) -> Rows:
    if filters.kind and kind != filters.kind:
        return []
    if filters.owner:
        rows = [row for row in rows if row[1].owner_id == filters.owner]
    resolved = filters.state == "resolved"
    rows = [row for row in rows if row[1].resolved == resolved]
    if filters.state == "overdue":
        limit = _limit(asked, kind)
        return [row for row in rows if row[0].since < limit]
    return [row for row in rows if row[1].owner_id is None] if filters.state == "unowned" else rows


def _page(
    asked: Asked, rows: Mapping[str, Rows], filters: Filters, cursor: str | None, limit: int
) -> tuple[Rows, str | None]:
    """The rows of each kind are in order already, and only where a page lies are places worked out."""
    falling, by = filters.sort.startswith("-"), filters.sort.removeprefix("-")
    hours = {kind: asked.sla_h(kind) for kind in rows}

    def place(row: tuple[Found, Standing]) -> tuple[str, ...]:
        found = row[0]
        keys = {"since": found.since, "kind": found.kind, "village": found.village_code}
        first = later(found.since, hours[found.kind]) if by == "due" else keys[by]
        return first, found.kind, found.since, found.subject, found.village_code

    name = f"exceptions:{asked.area}:{filters.state}:{filters.kind}:{filters.owner}:{filters.sort}"
    at = decode_cursor(name, cursor, PLACE_LENGTH)
    parts = []
    resort = by == "village" or filters.state == "resolved"  # what is gone stands at the end
    for some in rows.values():
        ordered = sorted(some, key=place if by == "village" else _age) if resort else some
        start, end = 0, len(ordered)
        if at and falling:
            end = bisect_left(ordered, tuple(at), key=place)
        elif at:
            start = bisect_right(ordered, tuple(at), key=place)
        parts.append(ordered[start:end][::-1] if falling else ordered[start:end])
    shown = list(islice(merge(*parts, key=place, reverse=falling), limit + 1))
    following = encode_cursor(name, list(place(shown[limit - 1]))) if len(shown) > limit else None
    return shown[:limit], following


def _age(row: tuple[Found, Standing]) -> tuple[str, str, str]:
    return age(row[0])


def one(asked: Asked, exception_id: str) -> Item | None:
    """An exception of the area that stands or that somebody touched; None for an id that never was one."""
    parts = parts_of(exception_id)
    if (
        parts is None
        or parts[0] not in asked.kinds
        or not (len(asked.area) == 6 or parts[1].startswith(asked.area))
    ):
        return None
    standing = steps.standing(asked.people, exception_id)
    village = replace(asked, area=parts[1] or asked.area)
    now = next((each for each in find(village, asked.kinds[parts[0]]) if each.id == exception_id), None)
    if now is not None:
        return _item(asked, now, standing)
    return _remembered(asked, exception_id, standing) if standing.number else None
