"""What there is to read: an entity set for each form, each of its repeat groups and each register, and the
CSDL of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from server.exports.columns import Column, record_columns, repeat_columns, repeat_groups
from server.odata import registers
from sync.store import Doc

NAMESPACE = "Gridbook"
TYPES = {
    "integer": "Edm.Int64",
    "count": "Edm.Int64",
    "number": "Edm.Double",
    "degrees": "Edm.Double",
    "yes_no": "Edm.Boolean",
    "flag": "Edm.Boolean",
}
_NOT_NULL = ' Nullable="false"'
_EDM = "http://docs.oasis-open.org/odata/ns/edm"
_EDMX = "http://docs.oasis-open.org/odata/ns/edmx"


@dataclass(frozen=True, slots=True)
class EntitySet:
    """`properties` are by their OData names, in the columns' order. `table` is a repeat group, or None;
    `register` is the kind of a register's entries, which have no form."""

    name: str
    form_id: str
    table: str | None
    key: tuple[str, ...]
    properties: Mapping[str, Column]
    register: str | None = None


def entity_sets(forms: Mapping[str, list[Doc]]) -> dict[str, EntitySet]:
    """`forms` are the published ones, oldest version first."""
    found = []
    for form_id, versions in forms.items():
        columns = record_columns(versions, in_full=False)
        found.append(EntitySet(_word(form_id), form_id, None, ("record_id",), _named(columns)))
        for name, group in repeat_groups(versions).items():
            rows = _named(repeat_columns(group, in_full=False))
            found.append(EntitySet(_word(f"{form_id}_{name}"), form_id, name, ("record_id", "row"), rows))
    return {each.name: each for each in (*_of_registers(), *found)}


def _of_registers() -> Iterator[EntitySet]:
    for name, kind in registers.SETS.items():
        key = (registers.key_of(kind), "village_code")
        yield EntitySet(name, "", None, key, _named(registers.columns(kind)), kind)


def _named(columns: list[Column]) -> dict[str, Column]:
    return {_word(column.name): column for column in columns}


def _word(name: str) -> str:
    """An OData identifier: no dots, no dashes."""
    return re.sub(r"\W", "_", name)


def metadata(sets: Mapping[str, EntitySet]) -> str:
    types = "".join(map(_entity_type, sets.values()))
    listed = "".join(f'<EntitySet Name={quoteattr(name)} EntityType="{NAMESPACE}.{name}"/>' for name in sets)
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<edmx:Edmx Version="4.0" xmlns:edmx="{_EDMX}">'
        f'<edmx:DataServices><Schema Namespace="{NAMESPACE}" xmlns="{_EDM}">{types}'
        f'<EntityContainer Name="Container">{listed}</EntityContainer>'
        "</Schema></edmx:DataServices></edmx:Edmx>\n"
    )


def _entity_type(each: EntitySet) -> str:
    key = "".join(f'<PropertyRef Name="{name}"/>' for name in each.key)
    properties = "".join(
        f'<Property Name={quoteattr(name)} Type="{TYPES.get(column.kind, "Edm.String")}"'
        f"{_NOT_NULL if name in each.key else ''}/>"
        for name, column in each.properties.items()
    )
    return f'<EntityType Name="{each.name}"><Key>{key}</Key>{properties}</EntityType>'
