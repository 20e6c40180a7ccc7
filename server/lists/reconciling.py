"""A list against whom the district knows: matched, decided row by row, and where it stands at any moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from server import clock, datafolder
from server.app import Gridbook
from server.lists import archive, known, outcomes
from server.lists.archive import NameList
from server.lists.matching import Candidate, matches
from server.lists.outcomes import OUTCOMES, Decision, Standing
from server.lists.refusals import Refused
from server.lists.rows import ListRow
from server.lists.telling import Tell, silent
from server.people.permissions import covers
from server.people.staff import Staff
from server.readmodel import queries

REMARK_LENGTH_MAX = 200


@dataclass(frozen=True, slots=True)
class Reconciled:
    """A list with its rows, who each may be, and where it stands. `areas` has each row's village or town
    code, "" when the list does not tell."""

    head: NameList
    rows: Sequence[ListRow]
    candidates: dict[int, list[Candidate]]
    matched_at: str
    standing: Standing
    areas: dict[int, str]

    def row(self, number: int) -> ListRow:
        """Raises Refused."""
        found = next((each for each in self.rows if each.number == number), None)
        if found is None:
            raise Refused("list-row-unknown", list=self.head.list_id, row=str(number))
        return found


def reconciled(shared: Gridbook, list_id: str, area: str = "", as_of: str | None = None) -> Reconciled:
    """The list as far as `area` may see it: its own names; the whole district sees all. Raises Refused."""
    head = archive.one(shared.store, list_id)
    rows = archive.rows(shared.store, list_id)
    places = known.Places(queries.areas(shared.readmodel))
    areas = {row.number: places.code(row.values) for row in rows}
    if len(area) > 6:
        rows = [row for row in rows if areas[row.number] and covers(area, areas[row.number])]
    candidates, matched_at = archive.candidates(shared.store, list_id)
    standing = outcomes.standing(archive.numbers(rows), archive.decisions(shared.store, list_id), as_of)
    return Reconciled(head, rows, candidates, matched_at, standing, areas)


@dataclass(frozen=True, slots=True)
class Looked:
    """Who each row may be, and when the first record of each of them came; as the known were at `at`."""

    found: dict[int, list[Candidate]]
    since: dict[str, str]
    at: str


def match(shared: Gridbook, list_id: str, tell: Tell = silent) -> int:
    """Look for everybody of the list again and settle what is sure; returns how many rows that settled.
    Raises Refused."""
    head, rows = archive.one(shared.store, list_id), archive.rows(shared.store, list_id)
    return settle(shared, head, rows, look(shared, rows, tell))


def look(shared: Gridbook, rows: Sequence[ListRow], tell: Tell = silent) -> Looked:
    """Look for everybody of these rows among the known; nothing is written. `tell` hears how many of
    the known have been looked at."""
    at = clock.stamp(clock.now())
    places = known.Places(queries.areas(shared.readmodel))
    wanted = known.wanted(rows, places, known.Keys(datafolder.person_key(shared.settings.data)), tell)
    since: dict[str, str] = {}
    return Looked(matches(wanted, _noting(shared, since, tell)), since, at)


def settle(shared: Gridbook, head: NameList, rows: Sequence[ListRow], looked: Looked) -> int:
    """Keep who each row may be, and decide what is sure: a person of that number and name of whom a record
    came before the list did is managed already. Returns how many rows that settled; doing it twice settles
    no more.

    What a clerk decided stands. What the match itself decided falls when its record no longer counts.
    """
    list_id, found = head.list_id, looked.found
    archive.keep_candidates(shared.store, list_id, found, looked.at)
    sure = {
        number: some[0]
        for number, some in found.items()
        if some[0].sure and looked.since.get(some[0].key, "~") <= head.imported_at
    }
    standing = outcomes.standing(archive.numbers(rows), archive.decisions(shared.store, list_id))
    made = [
        decision for number in standing.rows if (decision := _automatic(standing, number, sure.get(number)))
    ]
    late = archive.add(shared.store, list_id, made, "server")
    return sum(1 for each in made if each.outcome and each not in late)


def _noting(shared: Gridbook, since: dict[str, str], tell: Tell) -> Iterator[known.Known]:
    """Everybody known; `since` learns when the first record of each came."""
    for each in known.everybody(shared.readmodel, tell):
        if each.since:
            since[each.key] = each.since
        yield each


def _automatic(standing: Standing, number: int, sure: Candidate | None) -> Decision | None:
    """The match's own next decision about a row; None when there is nothing to decide."""
    last = standing.last.get(number)
    if last is not None and last.by is not None:
        return None
    n, now = (last.n if last else 0) + 1, clock.stamp(clock.now())
    if sure is not None:
        same = last is not None and last.candidate == sure.key and last.outcome == "already_managed"
        return None if same else Decision(number, n, now, outcome="already_managed", candidate=sure.key)
    return Decision(number, n, now) if last is not None and last.outcome else None


def take_over(shared: Gridbook, before: str, after: str) -> int:
    """Decisions of people about rows that the corrected list has unchanged. Returns how many."""
    old = {row.number: row for row in archive.rows(shared.store, before)}
    standing = outcomes.standing(list(old), archive.decisions(shared.store, before))
    decided = {
        tuple(sorted(old[number].values.items())): decision
        for number, decision in standing.last.items()
        if decision.by is not None
    }
    made = [
        replace(decided[key], row=row.number, n=1)
        for row in archive.rows(shared.store, after)
        if (key := tuple(sorted(row.values.items()))) in decided
    ]
    archive.add(shared.store, after, made, "server")
    return len(made)


def decide(
    shared: Gridbook,
    list_id: str,
    number: int,
    member: Staff,
    *,
    seen: int,
    outcome: str = "",
    candidate: str = "",
    rejected: Sequence[str] = (),
    remark: str = "",
) -> Decision:
    """A clerk's decision about a row. `seen` is the number of the last decision that they saw, 0 for none.
    Raises Refused for an unknown outcome or candidate, and when somebody else decided meanwhile."""
    found = reconciled(shared, list_id, member.area)
    found.row(number)
    if found.head.superseded_by:
        raise Refused("list-superseded", list=list_id, by=found.head.superseded_by)
    if outcome and outcome not in OUTCOMES:
        raise Refused("list-outcome-unknown", outcome=outcome[:40], known=", ".join(OUTCOMES))
    offered = {each.key for each in found.candidates.get(number, ())}
    if strange := {*rejected, *([candidate] if candidate else [])} - offered:
        raise Refused("list-candidate-unknown", candidate=sorted(strange)[0][:80])
    by = {"staff_id": member.staff_id, "name": member.name}
    made = Decision(
        number,
        seen + 1,
        clock.stamp(clock.now()),
        by,
        outcome or None,
        candidate or None,
        sorted(set(rejected) - {candidate}),
        " ".join(remark.split())[:REMARK_LENGTH_MAX],
    )
    last = found.standing.last.get(number)
    if seen != (last.n if last else 0) or archive.add(shared.store, list_id, [made], member.writer):
        raise Refused("list-decided-meanwhile", row=str(number))
    return made
