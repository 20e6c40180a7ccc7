"""Which grid of its village a unit counts in: the one that the register says; where it says none, that of the
household that it belongs to, else that of the last record that counts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from server.readmodel.declaration import Declaration
from server.readmodel.recount import unit_key_of
from server.readmodel.tables import areas, mentions, records, register

NO_GRID = "none"  # no grid is said, or none that the village has


class Grids:
    """Read village by village, when a unit of it is asked for."""

    def __init__(self, connection: Connection, declaration: Declaration) -> None:
        self._connection, self._declaration = connection, declaration
        self._known: dict[str, dict[str, str]] = {}
        self._listed: dict[tuple[str, str], dict[str, str]] = {}

    def known(self, village: str) -> dict[str, str]:
        """{code: name} of the village's grids, by code."""
        if village not in self._known:
            query = select(areas.c.code, areas.c.name).where(
                areas.c.parent == village, areas.c.level == "grid"
            )
            self._known[village] = {row.code: row.name for row in sorted(self._connection.execute(query))}
        return self._known[village]

    def of(self, village: str, kind: str, unit_key: str) -> str:
        """The grid's code, or NO_GRID."""
        known = self.known(village)
        if not known:
            return NO_GRID
        if (village, kind) not in self._listed:
            self._listed[village, kind] = self._by_register(village, kind)
        listed = self._listed[village, kind].get(unit_key)
        if listed in known:
            return listed
        return next((code for code in self._said(kind, unit_key) if code in known), NO_GRID)

    def _by_register(self, village: str, kind: str) -> dict[str, str]:
        """{unit key: grid code} of what the register lists."""
        unit = self._declaration.units.get(kind)
        if unit is None:
            return {}
        rows = self._entries(village, unit.register)
        homes = rows if unit.register == "household" else self._entries(village, "household")
        of_home = {row.unit_id: row.grid_code for row in homes}
        found = {row.unit_id: row.grid_code or of_home.get(row.household_id) for row in rows}
        return {unit_key_of(unit, village, unit_id): grid for unit_id, grid in found.items() if grid}

    def _entries(self, village: str, register_kind: str) -> list[Row[tuple[str, str, str]]]:
        query = select(register.c.unit_id, register.c.grid_code, register.c.household_id)
        at = (register.c.kind == register_kind, register.c.village_code == village)
        return list(self._connection.execute(query.where(*at)))

    def _said(self, kind: str, unit_key: str) -> Iterable[str]:
        """What records say, the last first."""
        query: Select[Any] = select(records.c.grid_code)
        if kind in self._declaration.units:
            query = query.where(records.c.unit_kind == kind, records.c.unit_key == unit_key)
        else:
            at = (mentions.c.record_id == records.c.record_id) & (mentions.c.db == records.c.db)
            query = query.select_from(mentions.join(records, at))
            query = query.where(mentions.c.kind == kind, mentions.c.unit_key == unit_key)
        last = (records.c.work_date.desc(), records.c.happened_at.desc(), records.c.record_id.desc())
        said = query.where(records.c.effective, records.c.grid_code.is_not(None)).order_by(*last)
        return self._connection.execute(said).scalars()
