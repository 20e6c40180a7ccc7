"""An entity's key in an address: `household_visit('r1')`, `people(record_id='r1',row=2)`."""

from __future__ import annotations

import re

from server.odata.model import EntitySet
from server.odata.options import Refused

QUOTED = "'…'"
_PART = re.compile(r"(?:(?P<name>\w+)=)?(?P<value>'(?:[^'\0]|'')*'|\d{1,9})(?:,|$)", re.ASCII)


def split(address: str) -> tuple[str, str] | None:
    """`set(key)` → (set, key); None for what has no key."""
    name, opened, rest = address.partition("(")
    return (name, rest[:-1]) if opened and rest.endswith(")") else None


def key(text: str, entities: EntitySet) -> dict[str, str | int]:
    """The value of each property of the key. Raises Refused."""
    found: dict[str, str | int] = {}
    at = 0
    while at < len(text) and (part := _PART.match(text, at)):
        name = part["name"] or (entities.key[0] if len(entities.key) == 1 else "")
        if name in found:
            break
        found[name] = _value(part["value"])
        at = part.end()
    right = {name: int if entities.properties[name].kind == "integer" else str for name in entities.key}
    if at < len(text) or text.endswith(",") or {name: type(value) for name, value in found.items()} != right:
        written = ",".join(f"{name}={'1' if kind is int else QUOTED}" for name, kind in right.items())
        raise Refused(400, f"The key of {entities.name} is written {entities.name}({written}).")
    return {name: found[name] for name in entities.key}


def _value(text: str) -> str | int:
    return text[1:-1].replace("''", "'") if text.startswith("'") else int(text)
