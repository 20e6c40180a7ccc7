"""Who a name of a list may be among those whom the district knows: pure, one pass over the known.

Sure is only the same identity number with the same name. Everything else is a candidate, with its reasons,
for a clerk to judge: the same name there may be twice in a village, and a phone belongs to a family.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

CANDIDATES_MAX = 8
KEPT_WHILE_READING = 64
# What speaks for a candidate, in whole points; below ENOUGH nobody is shown.
POINTS = {"id": 100, "id_begin": 60, "phone": 40, "name": 30, "village": 20, "pinyin": 15, "town": 8}
ENOUGH = 30
WHO = {"id", "id_begin", "phone", "name", "pinyin"}  # one of these brings somebody up at all


@dataclass(frozen=True, slots=True)
class Known:
    """A person of a visit or a household of the register. `key` names it for good; `id_key` is an HMAC.

    `since` is when the district first received a record that names the person, RFC 3339 UTC.
    """

    key: str
    kind: str  # person | household
    name: str
    pinyin: str
    phone: str
    village_code: str
    household_id: str
    address: str = ""
    id_key: str = ""
    record_id: str = ""
    since: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A row as it is looked for. `area` is a village's or a town's code, or ""; `id_keys_begin` are all keys
    that an id of which digits are lost may have."""

    number: int
    name: str = ""
    pinyin: str = ""
    phone: str = ""
    area: str = ""
    id_key: str = ""
    id_keys_begin: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, order=True)
class Candidate:
    points: int
    key: str
    reasons: tuple[str, ...] = field(compare=False)

    @property
    def sure(self) -> bool:
        return {"id", "name"} <= set(self.reasons)


def matches(wanted: Sequence[Wanted], known: Iterable[Known]) -> dict[int, list[Candidate]]:
    """{row: candidates, the likeliest first}, for the rows that have any."""
    index = _Index(wanted)
    found: dict[int, list[Candidate]] = defaultdict(list)
    for each in known:
        for row in index.near(each):
            if candidate := judged(row, each):
                _keep(found[row.number], candidate)
    return {number: sorted(kept, key=_order)[:CANDIDATES_MAX] for number, kept in found.items()}


def judged(row: Wanted, known: Known) -> Candidate | None:
    reasons = tuple(_reasons(row, known))
    points = sum(POINTS[reason] for reason in reasons)
    return Candidate(points, known.key, reasons) if points >= ENOUGH and WHO & set(reasons) else None


def _reasons(row: Wanted, known: Known) -> Iterable[str]:
    if row.id_key and row.id_key == known.id_key:
        yield "id"
    elif known.id_key and known.id_key in row.id_keys_begin:
        yield "id_begin"
    if row.name and row.name == known.name:
        yield "name"
    elif row.pinyin and row.pinyin == known.pinyin:
        yield "pinyin"
    if row.phone and row.phone == known.phone:
        yield "phone"
    if len(row.area) > 9 and row.area == known.village_code:
        yield "village"
    elif len(row.area) >= 9 and known.village_code.startswith(row.area[:9]):
        yield "town"


def _order(candidate: Candidate) -> tuple[int, str]:
    return -candidate.points, candidate.key


def _keep(kept: list[Candidate], candidate: Candidate) -> None:
    """A common name has hundreds of bearers: no more stay than may be shown."""
    heapq.heappush(kept, candidate)
    if len(kept) > KEPT_WHILE_READING:
        heapq.heappop(kept)


class _Index:
    """The rows by what can bring somebody up."""

    def __init__(self, wanted: Sequence[Wanted]) -> None:
        self._by: Mapping[tuple[str, str], list[Wanted]] = defaultdict(list)
        for row in wanted:
            for each in _looks(row.id_key, row.name, row.phone, row.pinyin, row.id_keys_begin):
                self._by[each].append(row)

    def near(self, known: Known) -> Iterable[Wanted]:
        found: dict[int, Wanted] = {}
        for each in _looks(known.id_key, known.name, known.phone, known.pinyin):
            found |= {row.number: row for row in self._by.get(each, ())}
        return found.values()


def _looks(
    id_key: str, name: str, phone: str, pinyin: str, more: frozenset[str] = frozenset()
) -> Iterable[tuple[str, str]]:
    every = [
        ("id", id_key),
        ("name", name),
        ("phone", phone),
        ("pinyin", pinyin),
        *(("id", key) for key in more),
    ]
    return (each for each in every if each[1])
