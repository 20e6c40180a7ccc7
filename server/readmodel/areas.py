"""Areas: district, towns, villages, and who lies in whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from server.readmodel import codec
from server.readmodel.tables import NEVER, areas
from server.readmodel.upsert import upsert

TOWN_DIGITS, DISTRICT_DIGITS = 9, 6
LEVELS = {DISTRICT_DIGITS: "district", TOWN_DIGITS: "town", 12: "village"}


def area_row(code: str, level: str, parent: str, name: str, doc: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "code": codec.key(code),
        "level": level,
        "parent": codec.key(parent),
        "name": codec.plain(name),
        "active_from": day_or(doc, "valid_from", ""),
        "active_to": day_or(doc, "valid_to", NEVER),
        "doc": codec.encode(doc),
    }


def day_or(doc: Mapping[str, Any], name: str, otherwise: str) -> str:
    value = doc.get(name)
    return value[:10] if isinstance(value, str) and value else otherwise


def area_from_doc(doc: Mapping[str, Any]) -> dict[str, Any] | None:
    """The row of an `area:<code>` document; level and parent follow from the code where the document is
    silent."""
    code = doc.get("code")
    if not isinstance(code, str) or not code:
        return None
    level = doc.get("level")
    level = level if level in ("district", "town", "village", "grid") else LEVELS.get(len(code), "grid")
    parent = next((doc[name] for name in ("parent_code", "parent") if isinstance(doc.get(name), str)), None)
    return area_row(
        code, level, parent if parent is not None else parent_by_code(code, level), name_of(doc, code), doc
    )


def parent_by_code(code: str, level: str) -> str:
    return {"district": "", "town": code[:DISTRICT_DIGITS], "village": code[:TOWN_DIGITS]}.get(
        level, code[:12]
    )


def name_of(doc: Mapping[str, Any], code: str) -> str:
    name = doc.get("name")
    if isinstance(name, dict):
        name = name.get("zh")
    return name if isinstance(name, str) and name else code


def areas_of_village_doc(doc: Mapping[str, Any], district_code: str) -> list[dict[str, Any]]:
    """The village and its town, as a register's own `village:<code>` document knows them."""
    code, town = doc.get("code"), doc.get("town_code")
    if not isinstance(code, str) or not code:
        return []
    town = town if isinstance(town, str) and town else code[:TOWN_DIGITS]
    town_name = doc.get("town_name")
    return [
        area_row(town, "town", district_code, town_name if isinstance(town_name, str) else town, {}),
        area_row(code, "village", town, name_of(doc, code), {}),
    ]


def write_areas(connection: Connection, rows: list[dict[str, Any]], *, official: bool) -> None:
    """Rows that are not `official` fill gaps only: the office's documents win."""
    if not official:
        known = set(
            connection.execute(
                select(areas.c.code).where(areas.c.code.in_([row["code"] for row in rows]))
            ).scalars()
        )
        rows = [row for row in rows if row["code"] not in known]
    if rows:
        upsert(connection, areas, rows)


class AreaTree:
    """Every area's ancestors, read once."""

    def __init__(self, connection: Connection) -> None:
        self._parents = dict(connection.execute(select(areas.c.code, areas.c.parent)).all())
        self._paths: dict[str, tuple[str, ...]] = {}

    def town(self, village_code: str) -> str:
        return self._parents.get(village_code) or village_code[:TOWN_DIGITS]

    def path(self, village_code: str) -> tuple[str, ...]:
        """The village, its town, its district: the areas that count what happens in the village."""
        if village_code not in self._paths:
            town = self.town(village_code)
            district = self._parents.get(town) or village_code[:DISTRICT_DIGITS]
            self._paths[village_code] = tuple(dict.fromkeys((village_code, town, district)))
        return self._paths[village_code]
