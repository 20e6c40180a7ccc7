"""Count units again: read the effective records of the units that a batch touched, and put the difference
into the cells."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, delete, select, tuple_

from server.readmodel import codec, mentions
from server.readmodel.areas import AreaTree
from server.readmodel.cells import Deltas, add, move, subtract, write_cells
from server.readmodel.contributions import Contributions, Entry, Unit, contributions, order, settled_on
from server.readmodel.declaration import Declaration, UnitKind
from server.readmodel.flagging import Flag
from server.readmodel.flagging import flags as flags_of
from server.readmodel.mentions import UnitKey
from server.readmodel.residence import Located
from server.readmodel.standing_out import write_standing_out
from server.readmodel.states import State, left
from server.readmodel.suspects import pairs
from server.readmodel.tables import NEVER, records, register, suspects, units
from server.readmodel.tables import flags as flag_table
from server.readmodel.tables import mentioned as mentioned_table
from server.readmodel.upsert import upsert

UNITS_AT_ONCE = 1000
LISTED = ("unit_id", "village_code", "active_from", "active_to", "doc")  # of a register's row
UNLISTED = "~"


@dataclass(frozen=True, slots=True)
class Shown:
    """What the register's document of a unit should show; `entry` is that document as the read model knows
    it."""

    village_code: str
    doc_id: str
    summary: State
    entry: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Counting:
    connection: Connection
    declaration: Declaration
    settings: Mapping[str, Any]
    tree: AreaTree


def unit_key_of(unit: UnitKind, village_code: str, unit_id: str) -> str:
    """Ids of households and points are unique within their village; a roster's within the district."""
    return (
        unit_id
        if unit.scope == "district" and not unit_id.startswith(UNLISTED)
        else f"{village_code}/{unit_id}"
    )


def recount(counting: Counting, touched: Iterable[UnitKey]) -> list[Shown]:
    """Returns what the registers should show of the units that have an entry."""
    deltas: Deltas = defaultdict(int)
    shown = count_again(counting, touched, deltas)
    write_cells(counting.connection, deltas)
    return shown


def count_again(counting: Counting, touched: Iterable[UnitKey], deltas: Deltas) -> list[Shown]:
    """The same, with what the cells differ by added to `deltas`."""
    shown: list[Shown] = []
    keys = sorted(set(touched))
    for chunk in _chunks([key for key in keys if key[0] in counting.declaration.units]):
        shown += _recount_chunk(counting, chunk, deltas)
    for chunk in _chunks([key for key in keys if key[0] in counting.declaration.mentioned]):
        _recount_mentioned(counting, chunk, deltas)
    return shown


def _chunks(keys: list[UnitKey]) -> Iterator[list[UnitKey]]:
    for start in range(0, len(keys), UNITS_AT_ONCE):
        yield keys[start : start + UNITS_AT_ONCE]


def _recount_chunk(counting: Counting, keys: list[UnitKey], deltas: Deltas) -> list[Shown]:
    histories = _histories(counting.connection, keys)
    before = _stored(counting.connection, keys)
    entries = _entries(counting, keys, histories, before)
    rows, gone, found_flags, found_pairs, shown = [], [], [], [], []
    for key in keys:
        history = histories.get(key, Villaged([]))
        unit = _unit(counting.declaration, key, history, entries.get(key), before.get(key))
        found = flags_of(unit, history.entries, counting.declaration, counting.settings)
        new = contributions(unit, history.entries, counting.declaration, counting.settings, found)
        end = left(unit, history.entries, counting.declaration, counting.settings)
        old_village, old = before.get(key, (unit.village_code, {}))
        move(deltas, counting.tree, old_village, old, unit.village_code, new)
        if unit.entry or history.entries:
            rows.append(_row(counting, unit, history.entries, new, end.state, end.summary, end.due_at))
        elif key in before:
            gone.append(key)
        found_flags += _flag_rows(unit, found)
        found_pairs += _pair_rows(counting, unit, history.entries)
        if unit.entry:
            shown.append(Shown(unit.village_code, str(unit.entry["_id"]), end.summary, unit.entry))
    _replace(counting.connection, flag_table, keys, found_flags)
    _replace(counting.connection, suspects, keys, found_pairs)
    upsert(counting.connection, units, rows)
    _forget(counting.connection, units, gone)
    return shown


def _flag_rows(unit: Unit, found: Sequence[Flag]) -> list[dict[str, Any]]:
    return [
        {
            "unit_kind": unit.kind,
            "unit_key": unit.key,
            "record_id": record_id,
            "rule": problem["rule"],
            "problem": codec.encode(problem),
        }
        for record_id, problem in found
    ]


def _pair_rows(counting: Counting, unit: Unit, history: Sequence[Entry]) -> list[dict[str, Any]]:
    if len(history) < 2:
        return []
    return [
        {
            "unit_kind": unit.kind,
            "unit_key": unit.key,
            "pair_key": pair.key,
            "rule": pair.rule.name,
            "first_id": pair.first.record_id,
            "second_id": pair.second.record_id,
            "unit_id": unit.unit_id,
            "village_code": unit.village_code,
            "town_code": counting.tree.town(unit.village_code),
            "since": pair.second.happened_at,
        }
        for pair in pairs(unit, history, counting.declaration, counting.settings)
    ]


def _recount_mentioned(counting: Counting, keys: list[UnitKey], deltas: Deltas) -> None:
    """Like `_recount_chunk`, for those whom no register lists; they may count in several villages."""
    rows, gone, found_flags = [], [], []
    for kind, names in _by_kind(keys).items():
        located: dict[str, Located] = {}
        histories = mentions.histories(counting.connection, kind, names)
        before = mentions.stored(counting.connection, kind, names)
        for name in names:
            history = histories.get(name, [])
            unit, new = mentions.counted(kind, name, history, counting.declaration, counting.settings)
            located[name] = new
            for village, old in before.get(name, {}).items():
                subtract(deltas, counting.tree.path(village), old)
            for village, found in new.items():
                add(deltas, counting.tree.path(village), found)
            if history:
                rows.append({"kind": kind, "unit_key": name, "contributions": codec.encode(new)})
            elif name in before:
                gone.append((kind, name))
            found_flags += _flag_rows(unit, flags_of(unit, history, counting.declaration, counting.settings))
        declared = counting.declaration.standing_out_of(kind)
        write_standing_out(counting.connection, counting.tree, declared, located)
    _replace(counting.connection, flag_table, keys, found_flags)
    upsert(counting.connection, mentioned_table, rows)
    _forget(counting.connection, mentioned_table, gone)


@dataclass(frozen=True, slots=True)
class Villaged:
    """A history, sorted, and the village of its first record."""

    entries: list[Entry]

    def __post_init__(self) -> None:
        self.entries.sort(key=order)

    @property
    def village_code(self) -> str:
        return self.entries[0].village_code if self.entries else ""


def _histories(connection: Connection, keys: Sequence[UnitKey]) -> dict[UnitKey, Villaged]:
    found: dict[UnitKey, list[Entry]] = {}
    columns = (
        "unit_key",
        "record_id",
        "work_date",
        "happened_at",
        "device_id",
        "village_code",
        "root_id",
        "facts",
    )
    for kind, names in _by_kind(keys).items():
        rows = connection.execute(
            select(*(records.c[name] for name in columns)).where(
                records.c.unit_kind == kind, records.c.unit_key.in_(names), records.c.effective
            )
        )
        for name, record_id, work_date, happened_at, device_id, village, root_id, facts in rows:
            entry = Entry(
                record_id, work_date, happened_at, device_id or "", codec.decode(facts), village, "", root_id
            )
            found.setdefault((kind, name), []).append(entry)
    return {key: Villaged(entries) for key, entries in found.items()}


def _by_kind(keys: Iterable[UnitKey]) -> dict[str, list[str]]:
    result: dict[str, list[str]] = {}
    for kind, name in keys:
        result.setdefault(kind, []).append(name)
    return result


def _stored(connection: Connection, keys: Sequence[UnitKey]) -> dict[UnitKey, tuple[str, Contributions]]:
    found: dict[UnitKey, tuple[str, Contributions]] = {}
    for kind, names in _by_kind(keys).items():
        rows = connection.execute(
            select(units.c.unit_key, units.c.village_code, units.c.contributions).where(
                units.c.kind == kind, units.c.unit_key.in_(names)
            )
        )
        found |= {(kind, row.unit_key): (row.village_code, codec.decode(row.contributions)) for row in rows}
    return found


@dataclass(frozen=True, slots=True)
class Listed:
    village_code: str
    active_from: str
    active_to: str
    doc: dict[str, Any]
    twins: tuple[str, ...] = ()


def _entries(
    counting: Counting,
    keys: Sequence[UnitKey],
    histories: Mapping[UnitKey, Villaged],
    before: Mapping[UnitKey, Any],
) -> dict[UnitKey, Listed]:
    found: dict[UnitKey, Listed] = {}
    for kind, names in _by_kind(keys).items():
        unit = counting.declaration.units[kind]
        ids = sorted({name if unit.scope == "district" else name.partition("/")[2] for name in names})
        rows = counting.connection.execute(
            select(*(register.c[name] for name in LISTED))
            .where(register.c.kind == unit.register, register.c.unit_id.in_(ids))
            .order_by(register.c.village_code.desc())
        ).all()
        wanted = set(names)
        for row in rows:
            key = unit_key_of(unit, row.village_code, row.unit_id)
            if key in wanted:
                found[kind, key] = Listed(
                    row.village_code, row.active_from, row.active_to, codec.decode(row.doc)
                )
    return _with_twins(counting.connection, found)


def _with_twins(connection: Connection, found: dict[UnitKey, Listed]) -> dict[UnitKey, Listed]:
    """Other roster entries of the same household and campaign."""
    homes = {
        (listed.village_code, str(listed.doc.get("household_id")))
        for (kind, _), listed in found.items()
        if kind == "roster_entry"
    }
    if not homes:
        return found
    rows = connection.execute(
        select(
            register.c.village_code, register.c.household_id, register.c.campaign_id, register.c.unit_id
        ).where(
            register.c.kind == "roster_entry",
            tuple_(register.c.village_code, register.c.household_id).in_(sorted(homes)),
        )
    ).all()
    by_home: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for row in rows:
        by_home[row.village_code, row.household_id, row.campaign_id].append(row.unit_id)
    result = dict(found)
    for key, listed in found.items():
        home = (listed.village_code, str(listed.doc.get("household_id")), str(listed.doc.get("campaign_id")))
        twins = tuple(sorted(name for name in by_home.get(home, ()) if name != key[1]))
        if key[0] == "roster_entry" and twins:
            result[key] = Listed(listed.village_code, listed.active_from, listed.active_to, listed.doc, twins)
    return result


def _unit(
    declaration: Declaration,
    key: UnitKey,
    history: Villaged,
    listed: Listed | None,
    before: tuple[str, Contributions] | None,
) -> Unit:
    kind, name = key
    if listed:
        unit_id = name if declaration.units[kind].scope == "district" else name.partition("/")[2]
        return Unit(
            kind,
            name,
            unit_id,
            listed.village_code,
            True,
            listed.active_from,
            listed.active_to,
            listed.doc,
            listed.twins,
        )
    village = history.village_code or (before[0] if before else "")
    unit_id = name.partition("/")[2] if "/" in name else name
    joins = (
        declaration.units[kind].unlisted == "join" and unit_id.startswith(UNLISTED) and bool(history.entries)
    )
    return Unit(kind, name, unit_id, village, joins, history.entries[0].work_date if joins else "", NEVER)


def _row(
    counting: Counting,
    unit: Unit,
    history: Sequence[Entry],
    new: Contributions,
    state: State,
    summary: State,
    due_at: str,
) -> dict[str, Any]:
    settled = settled_on(unit, history, counting.declaration)
    campaign = unit.entry.get("campaign_id")
    return {
        "kind": unit.kind,
        "unit_key": unit.key,
        "unit_id": unit.unit_id,
        "village_code": unit.village_code,
        "town_code": counting.tree.town(unit.village_code),
        "registered": unit.listed,
        # A unit that nothing lists is in no list of what is still to do.
        "active_from": unit.active_from if unit.listed else NEVER,
        "active_to": unit.active_to if unit.listed else "",
        "campaign_id": codec.key(campaign) if isinstance(campaign, str) else None,
        "open": settled == NEVER,
        "attempts": state.get("visits", 0),
        "settled_on": settled,
        "due_at": due_at,
        "contributions": codec.encode(new),
        "state": codec.encode(state),
        "summary": codec.encode(summary),
    }


def _replace(
    connection: Connection, table: Table, keys: Sequence[UnitKey], rows: list[dict[str, Any]]
) -> None:
    """What the table says of these units."""
    for kind, names in _by_kind(keys).items():
        connection.execute(delete(table).where(table.c.unit_kind == kind, table.c.unit_key.in_(names)))
    upsert(connection, table, rows)


def _forget(connection: Connection, table: Table, keys: Sequence[UnitKey]) -> None:
    """Nothing lists them, and no record that counts is about them: as if there had never been one."""
    for kind, names in _by_kind(keys).items():
        connection.execute(delete(table).where(table.c.kind == kind, table.c.unit_key.in_(names)))
