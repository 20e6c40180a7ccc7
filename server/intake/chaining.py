"""Chains in the tables: new records join theirs, and every chain that changed is resolved again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from server.readmodel import codec
from server.readmodel.chains import ACCEPTED, Link, Place, resolve
from server.readmodel.declaration import Declaration
from server.readmodel.mentions import RecordKey, move_mentions
from server.readmodel.problems import problem
from server.readmodel.recount import UNLISTED, UnitKey, unit_key_of
from server.readmodel.tables import flags, records
from server.readmodel.upsert import upsert

CHAIN = "chain"  # the unit_kind of flags that belong to a chain
IDS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Known:
    """A record that was judged before: the revision that was, and its chain."""

    rev: str
    root_id: str


@dataclass
class Changed:
    """`units` have to be counted again, and whom the `records` mention; `closed` verdicts say by whom they
    are replaced: (db, record id) -> record id or None."""

    units: set[UnitKey] = field(default_factory=set)
    records: set[RecordKey] = field(default_factory=set)
    closed: dict[RecordKey, str | None] = field(default_factory=dict)


def roots_of(connection: Connection, ids: Iterable[str]) -> dict[str, str]:
    """The chain of each record id that has arrived."""
    found: dict[str, str] = {}
    for chunk in chunks(sorted(set(ids))):
        rows = connection.execute(
            select(records.c.record_id, records.c.root_id).where(records.c.record_id.in_(chunk))
        )
        found |= {row.record_id: row.root_id for row in rows}
    return found


def awaited(connection: Connection, ids: Iterable[str]) -> set[str]:
    """Those ids that corrections which arrived earlier already name as their chain."""
    found: set[str] = set()
    for chunk in chunks(sorted(set(ids))):
        found |= set(
            connection.execute(
                select(records.c.root_id).where(records.c.root_id.in_(chunk)).distinct()
            ).scalars()
        )
    return found


def chunks(values: list[Any], size: int = IDS_AT_ONCE) -> Iterable[list[Any]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]


class Roots:
    """The chain of every record of a batch, while the batch is being put together.

    A chain is named by the oldest id that it is known to lead to, whether that record has arrived or not.
    """

    def __init__(
        self, connection: Connection, links: dict[str, str | None], known: Mapping[tuple[str, str], Known]
    ) -> None:
        """`links`: record id -> what it supersedes, for the records of the batch; `known` are those records
        of the same ids that have arrived before."""
        targets = {target for target in links.values() if target}
        own = {record_id: one.root_id for (_, record_id), one in known.items()}
        self._stored = own | roots_of(connection, targets - set(own))
        self._awaited = awaited(connection, links)
        self._merged: dict[str, str] = {}
        self.circular: set[str] = set()
        for record_id, target in links.items():
            if target:
                self._join(record_id, target)

    def _find(self, root: str) -> str:
        while root in self._merged:
            root = self._merged[root]
        return root

    def of(self, record_id: str) -> str:
        return self._find(self._stored.get(record_id, record_id))

    def _join(self, record_id: str, target: str) -> None:
        root, own = self.of(target), self.of(record_id)
        if root != own:
            self._merged[own] = root
        elif own == record_id:
            self.circular.add(record_id)

    def stale(self) -> dict[str, str]:
        """Chains that have to be renamed in the table: old name -> new name."""
        return {
            old: self._find(old)
            for old in self._merged
            if old in self._awaited or old in self._stored.values()
        }

    def to_resolve(self, record_id: str, target: str | None) -> bool:
        """Whether a new record has company."""
        return bool(target) or record_id in self._awaited or record_id in self._stored


def rename(connection: Connection, stale: dict[str, str]) -> None:
    for old, new in stale.items():
        connection.execute(update(records).where(records.c.root_id == old).values(root_id=new))


def resolve_chains(connection: Connection, declaration: Declaration, roots: Iterable[str]) -> Changed:
    changed = Changed()
    for chunk in chunks(sorted(set(roots))):
        rows = connection.execute(select(records).where(records.c.root_id.in_(chunk))).all()
        places = resolve([_link(row) for row in rows])
        for row in rows:
            _apply(connection, declaration, row, places[row.db, row.record_id], changed)
        _flag_chains(connection, chunk, rows, places)
    return changed


def _link(row: Row[Any]) -> Link:
    return Link(
        (row.db, row.record_id),
        row.supersedes,
        row.writer,
        row.status,
        row.voided,
        row.happened_at,
        row.received_at,
    )


def _apply(
    connection: Connection, declaration: Declaration, row: Row[Any], place: Place, changed: Changed
) -> None:
    unit_key = row.unit_key
    if unit_key and f"/{UNLISTED}" in unit_key:
        unit_key = unit_key_of(declaration.units[row.unit_kind], row.village_code, UNLISTED + row.root_id)
    values = {
        "effective": place.effective and row.unit_key is not None,
        "superseded_by": place.superseded_by,
        "closed": place.superseded_by is not None or row.void is not None,
        "unit_key": unit_key,
    }
    if all(getattr(row, name) == value for name, value in values.items()):
        return
    connection.execute(
        update(records).where(records.c.db == row.db, records.c.record_id == row.record_id).values(**values)
    )
    key = (row.db, row.record_id)
    changed.records.add(key)
    if row.unit_key:
        changed.units |= {(row.unit_kind, row.unit_key), (row.unit_kind, unit_key)}
        if unit_key != row.unit_key:
            changed.units |= move_mentions(connection, key, row.unit_key, unit_key)
    if row.superseded_by != place.superseded_by:
        changed.closed[key] = place.superseded_by


def _flag_chains(
    connection: Connection, roots: list[str], rows: Sequence[Row[Any]], places: dict[tuple[str, str], Place]
) -> None:
    connection.execute(delete(flags).where(flags.c.unit_kind == CHAIN, flags.c.unit_key.in_(roots)))
    siblings = (row for row in rows if places[row.db, row.record_id].sibling)
    out = {row.record_id for row in rows if row.void is not None}
    # A correction may have been on its way when staff voided what it corrects; it counts, and is shown.
    back = (row for row in rows if row.supersedes in out and row.status in ACCEPTED and not row.voided)
    found = {
        (row.record_id, rule): _chain_flag(row, rule)
        for rule, some in (("SIBLING_CORRECTION", siblings), ("CORRECTS_VOIDED", back))
        for row in some
    }
    upsert(connection, flags, list(found.values()))


def _chain_flag(row: Row[Any], rule: str) -> dict[str, Any]:
    return {
        "unit_kind": CHAIN,
        "unit_key": row.root_id,
        "record_id": row.record_id,
        "rule": rule,
        "problem": codec.encode(problem(rule, "supersedes")),
    }
