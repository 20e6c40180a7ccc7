"""The board: exceptions as found, joined with what staff did about them; filtered, sorted, page by page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from server.exceptions import steps
from server.exceptions.declaration import kinds, sla_h
from server.exceptions.finding import MOST, Asked, Found, find, later, parts_of
from server.exceptions.steps import UNTOUCHED, Standing
from server.readmodel.paging import decode_cursor, encode_cursor

STATES = ("open", "overdue", "unowned", "resolved")
SORTS = ("due", "since", "kind", "village")


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


def board(asked: Asked, filters: Filters, cursor: str | None = None, limit: int = 50) -> Board:
    """Raises BadCursor."""
    found = {kind: find(asked, kinds()[kind]) for kind in kinds()}
    known = steps.standings(asked.people, asked.area)
    items = [
        _item(asked, each, known.get(each.id, UNTOUCHED)) for each in chain.from_iterable(found.values())
    ]
    counts = {kind: _counts(rows, [i for i in items if i.found.kind == kind]) for kind, rows in found.items()}
    if filters.state == "resolved":
        items += _settled(asked, {item.id for item in items}, known)
    wanted = [item for item in items if _fits(item, filters)]
    shown, next_cursor = _page(wanted, asked.area, filters, cursor, limit)
    return Board(shown, next_cursor, counts, len(wanted))


def _item(asked: Asked, found: Found, standing: Standing, *, settled: bool = False) -> Item:
    due = later(found.since, sla_h(asked.settings, found.kind))
    return Item(found, standing, due, not settled and not standing.resolved and due < asked.now, settled)


def _settled(asked: Asked, shown: set[str], known: Mapping[str, Standing]) -> list[Item]:
    """Resolved exceptions that the data do not show any more."""
    gone = {key: each for key, each in known.items() if each.resolved and key not in shown}
    return [item for key, each in gone.items() if (item := _remembered(asked, key, each)) is not None]


def _remembered(asked: Asked, exception_id: str, standing: Standing) -> Item | None:
    """An exception by its id alone."""
    parts = parts_of(exception_id)
    if parts is None or parts[0] not in kinds():
        return None
    kind, village, subject, since = parts
    return _item(asked, Found(kind, village, subject, since, {}), standing, settled=True)


def _counts(found: Sequence[Found], items: Sequence[Item]) -> dict[str, int | bool]:
    left = [item for item in items if not item.standing.resolved]
    overdue = sum(item.overdue for item in left)
    return {"open": len(left), "overdue": overdue, "capped": len(found) == MOST}


def _fits(item: Item, filters: Filters) -> bool:
    if filters.kind and item.found.kind != filters.kind:
        return False
    if filters.owner and item.standing.owner_id != filters.owner:
        return False
    return {
        "open": not item.standing.resolved,
        "overdue": item.overdue,
        "unowned": not item.standing.resolved and item.standing.owner_id is None,
        "resolved": item.standing.resolved,
    }[filters.state]


def _page(
    items: list[Item], area: str, filters: Filters, cursor: str | None, limit: int
) -> tuple[list[Item], str | None]:
    falling, by = filters.sort.startswith("-"), filters.sort.removeprefix("-")

    def place(item: Item) -> tuple[str, str]:
        found = item.found
        keys = {"due": item.due, "since": found.since, "kind": found.kind, "village": found.village_code}
        return keys[by], item.id

    items = sorted(items, key=place, reverse=falling)
    name = f"exceptions:{area}:{filters.state}:{filters.kind}:{filters.owner}:{filters.sort}"
    at = decode_cursor(name, cursor, 2)
    if at:
        start = (at[0], at[1])
        items = [item for item in items if (place(item) < start if falling else place(item) > start)]
    shown = items[:limit]
    return shown, encode_cursor(name, list(place(shown[-1]))) if len(items) > limit else None


def one(asked: Asked, exception_id: str) -> Item | None:
    """An exception of the area that stands or that somebody touched; None for an id that never was one."""
    parts = parts_of(exception_id)
    if (
        parts is None
        or parts[0] not in kinds()
        or not (len(asked.area) == 6 or parts[1].startswith(asked.area))
    ):
        return None
    standing = steps.standing(asked.people, exception_id)
    village = replace(asked, area=parts[1] or asked.area)
    now = next((each for each in find(village, kinds()[parts[0]]) if each.id == exception_id), None)
    if now is not None:
        return _item(asked, now, standing)
    return _remembered(asked, exception_id, standing) if standing.number else None
