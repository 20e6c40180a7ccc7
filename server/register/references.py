"""What an imported row refers to must exist, and its key must not stand in another village."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from server.register.kinds import DIGITS, OFFICE, Document, Kind, parent_of
from server.register.refusals import CellRefused
from server.register.report import Entry, Remark
from server.register.upsert import ids_with, standing
from sync.store import Store

Check = Callable[[Entry], None]


def checked(store: Store, kind: Kind, entries: list[Entry], refused: list[Remark]) -> list[Entry]:
    """The entries that hold; the others are added to `refused`."""
    checks = _checks(store, kind, entries)
    kept = []
    for entry in entries:
        failure = _first_failure(checks, entry)
        if failure is None:
            kept.append(entry)
        else:
            key = ":".join(entry.row[name] for name in kind.key)
            refused.append(Remark(entry.number, key, *failure))
    return kept


def _first_failure(checks: list[tuple[str, Check]], entry: Entry) -> tuple[str, CellRefused] | None:
    for column, check in checks:
        try:
            check(entry)
        except CellRefused as refusal:
            return column, refusal
    return None


def _checks(store: Store, kind: Kind, entries: list[Entry]) -> list[tuple[str, Check]]:
    areas = {doc_id.removeprefix("area:") for doc_id in ids_with(store, OFFICE, "area:")}
    if kind.name == "areas":
        return [("code", _parent_exists(areas | {entry.row["code"] for entry in entries}))]
    checks: list[tuple[str, Check]] = []
    if any(column.name == "town_code" for column in kind.columns):
        checks.append(("town_code", _area_exists("town_code", areas)))
    if any(column.name == "village_code" for column in kind.columns):
        checks.append(("village_code", _area_exists("village_code", areas)))
    if kind.per_village:
        checks.append((kind.key[-1], _not_elsewhere(store, kind, entries)))
    if kind.in_grid:
        checks.append(("grid_code", _grid_exists(areas)))
    if kind.in_household:
        checks += [("campaign_id", _in_campaign(store)), ("household_id", _household_exists(store, entries))]
    return checks


def _parent_exists(areas: set[str]) -> Check:
    def check(entry: Entry) -> None:
        code = entry.row["code"]
        if len(code) > DIGITS["district"] and parent_of(code) not in areas:
            raise CellRefused(
                f"上级 {parent_of(code)} 不存在", f"its parent {parent_of(code)} does not exist"
            )

    return check


def _area_exists(column: str, areas: set[str]) -> Check:
    def check(entry: Entry) -> None:
        code = entry.row.get(column)
        if code is not None and code not in areas:
            raise CellRefused(
                f"没有代码为 {code} 的区域，请先导入 areas", f"no area {code}: import areas first"
            )

    return check


def _grid_exists(areas: set[str]) -> Check:
    def check(entry: Entry) -> None:
        grid = entry.row.get("grid_code")
        if grid is None:
            return
        if parent_of(grid) != entry.row["village_code"]:
            raise CellRefused(f"网格 {grid} 不在该村", f"the grid {grid} is not in this village")
        if grid not in areas:
            raise CellRefused(f"没有网格 {grid}，请先导入 areas", f"no grid {grid}: import areas first")

    return check


def _not_elsewhere(store: Store, kind: Kind, entries: list[Entry]) -> Check:
    """An id that moved to another village must be ended in the old one first, or it counts twice."""
    wanted = {entry.document["_id"] for entry in entries}
    villages: dict[str, list[str]] = defaultdict(list)
    for name in store.names():
        if name.startswith("register-"):
            for doc_id in wanted.intersection(ids_with(store, name, kind.prefix)):
                villages[doc_id].append(name.removeprefix("register-"))

    def check(entry: Entry) -> None:
        doc_id = entry.document["_id"]
        for village in villages.get(doc_id, ()):
            if village != entry.row["village_code"] and _active(store, village, doc_id):
                raise CellRefused(
                    f"该编号已在 {village} 村登记，请先在那里填写停用日期",
                    f"this id stands in village {village}: end it there first (active_to)",
                )

    return check


def _active(store: Store, village: str, doc_id: str) -> bool:
    found = standing(store, f"register-{village}", [doc_id])
    return any("active_to" not in document for document in found.values())


def _in_campaign(store: Store) -> Check:
    found = store.ensure(OFFICE).documents("campaign:")
    campaigns: dict[str, Document] = {document["campaign_id"]: document for document in found}

    def check(entry: Entry) -> None:
        campaign = campaigns.get(entry.row["campaign_id"])
        if campaign is None:
            shown = entry.row["campaign_id"]
            raise CellRefused(
                f"没有活动 {shown}，请先导入 campaigns", f"no campaign {shown}: import campaigns first"
            )
        entry.document.setdefault("entitlement", campaign["items"])

    return check


def _household_exists(store: Store, entries: list[Entry]) -> Check:
    villages = {entry.row["village_code"] for entry in entries}
    known = {village: set(ids_with(store, f"register-{village}", "household:")) for village in villages}

    def check(entry: Entry) -> None:
        household = entry.row["household_id"]
        if f"household:{household}" not in known[entry.row["village_code"]]:
            raise CellRefused(
                f"该村没有户 {household}，请先导入 households", f"no household {household} in this village"
            )

    return check
