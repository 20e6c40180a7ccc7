"""What follows from an import: databases and village documents, campaigns' copies in the registers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from server.register.kinds import DIGITS, OFFICE, Document, Kind
from server.register.upsert import ids_with, standing, upsert
from sync.store import Store


def run(store: Store, kind: Kind, documents: Sequence[Document]) -> None:
    """Bring what depends on `documents` up to date; doing it again changes nothing."""
    if kind.name == "areas":
        _villages(store, documents)
    if kind.name == "campaigns":
        _campaign_copies(store, {document["_id"] for document in documents})
    if kind.name == "roster":
        _campaigns_of_entries(store, documents)


def _villages(store: Store, changed: Sequence[Document]) -> None:
    areas = {area["code"]: area for area in store.open(OFFICE).documents("area:")}
    touched = tuple(area["code"][: DIGITS["village"]] for area in changed)
    grids: dict[str, list[Document]] = defaultdict(list)
    for area in areas.values():
        if area["level"] == "grid":
            grids[area["parent_code"]].append({"code": area["code"], "name": area["name"]})
    for code, area in areas.items():
        if area["level"] == "village" and code.startswith(touched):
            store.ensure(f"inbox-{code}")
            upsert(store, f"register-{code}", [_village(area, areas[area["parent_code"]], grids[code])])


def _village(area: Document, town: Document, grids: list[Document]) -> Document:
    return {
        "_id": f"village:{area['code']}",
        "type": "village",
        "code": area["code"],
        "name": area["name"],
        "town_code": town["code"],
        "town_name": town["name"],
        "grids": grids,
    }


def _campaign_copies(store: Store, campaign_ids: set[str]) -> None:
    """Refresh the copies; a register gets a campaign with its first roster entry."""
    for name in store.names():
        if name.startswith("register-"):
            held = campaign_ids.intersection(ids_with(store, name, "campaign:"))
            _copy(store, name, sorted(held))


def _campaigns_of_entries(store: Store, entries: Sequence[Document]) -> None:
    wanted: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        wanted[f"register-{entry['village_code']}"].add(f"campaign:{entry['campaign_id']}")
    for name, ids in wanted.items():
        _copy(store, name, sorted(ids))


def _copy(store: Store, register: str, ids: list[str]) -> None:
    originals = standing(store, OFFICE, ids).values() if ids else ()
    upsert(
        store, register, [{key: value for key, value in doc.items() if key != "_rev"} for doc in originals]
    )
