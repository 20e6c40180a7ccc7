"""What can be imported: for each kind its columns, its key and the document that a row becomes. One table.

`docs/import.md` lists the same columns; a test compares them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from server.register import choices, search
from server.register.cells import Reader, area_code, choice, date, identifier, items, number, phone, text
from server.register.cells import choices as several
from server.register.refusals import CellRefused

Row = dict[str, Any]  # column name → value; an empty cell has no entry
Document = dict[str, Any]
OFFICE = "office"
LEVELS = {6: "district", 9: "town", 12: "village", 14: "grid"}
DIGITS = {level: digits for digits, level in LEVELS.items()}


@dataclass(frozen=True, slots=True)
class Column:
    """`zh` are the Chinese headers under which the column is known; the first is the one shown."""

    name: str
    zh: tuple[str, ...]
    read: Reader
    help: str
    required: bool = False
    since_import: bool = False  # an absent value becomes the day of the first import


@dataclass(frozen=True, slots=True)
class Kind:
    """`prefix` + key is the document's id; `derive` adds what follows from the row and may refuse it."""

    name: str
    type: str
    prefix: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    derive: Callable[[Row], Row] = dict
    per_village: bool = True
    in_grid: bool = False
    in_household: bool = False

    def document(self, row: Row) -> Document:
        """The row's document, without `_rev`. Raises CellRefused when its cells contradict each other."""
        return {"_id": self.document_id(row), "type": self.type, **self.derive(row)}

    def document_id(self, row: Row) -> str:
        return self.prefix + ":".join(row[name] for name in self.key)

    def database(self, row: Row) -> str:
        return f"register-{row['village_code']}" if self.per_village else OFFICE


VILLAGE = Column(
    "village_code",
    ("村代码", "村（社区）代码", "村编码"),
    area_code(12),
    "12-digit code of the village",
    required=True,
)
GRID = Column("grid_code", ("网格代码", "网格编码", "网格"), area_code(14), "14-digit code of the grid")
LON = Column("lon", ("经度",), number(73, 136), "degrees east")
LAT = Column("lat", ("纬度",), number(3, 54), "degrees north")
FROM = Column(
    "active_from", ("启用日期",), date, "first day; empty: day of the first import", since_import=True
)
TO = Column("active_to", ("停用日期",), date, "last day; empty: still in use")


def _required(column: Column) -> Column:
    return Column(column.name, column.zh, column.read, column.help, required=True)


def _area(row: Row) -> Row:
    level = LEVELS[len(row["code"])]
    if row.get("level", level) != level:
        raise CellRefused(
            f"{len(row['code'])} 位代码是{_LEVEL_ZH[level]}，与级别不符",
            f"a code of {len(row['code'])} digits is a {level}",
        )
    _ordered(row, "valid_from", "valid_to")
    parent = (
        {"level": level} if level == "district" else {"level": level, "parent_code": parent_of(row["code"])}
    )
    return row | parent


_LEVEL_ZH = {"district": "区（县）", "town": "镇（街道）", "village": "村（社区）", "grid": "网格"}


def parent_of(code: str) -> str:
    return code[: {9: 6, 12: 9, 14: 12}[len(code)]]


def _active(row: Row) -> Row:
    _ordered(row, "active_from", "active_to")
    return row


def _ordered(row: Row, first: str, last: str) -> None:
    if first in row and last in row and row[first] > row[last]:
        raise CellRefused(f"{row[last]} 早于 {row[first]}", f"{row[last]} is before {row[first]}")


def _household(row: Row) -> Row:
    return _active(row) | {"head_search": search.person_key(row["head_name"])}


def _point(row: Row) -> Row:
    return _active(row) | {"name_search": search.place_key(row["name"])}


def _roster_entry(row: Row) -> Row:
    entry_id = f"{row['campaign_id']}:{row['entry_no']}"
    return _active(row) | {"roster_entry_id": entry_id, "head_search": search.person_key(row["head_name"])}


def _filler(row: Row) -> Row:
    return row | {"name_search": search.person_key(row["name"])}


def _campaign(row: Row) -> Row:
    _ordered(row, "starts_on", "ends_on")
    rest = {name: value for name, value in row.items() if name not in ("name_zh", "name_en")}
    return rest | {"name": {"zh": row["name_zh"], "en": row.get("name_en", row["name_zh"])}}


def _supply_point(row: Row) -> Row:
    if "village_code" in row and parent_of(row["village_code"]) != row["town_code"]:
        raise CellRefused("村代码不属于该镇（街道）", "the village is not in this town")
    return _active(row)


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "areas",
            "area",
            "area:",
            ("code",),
            (
                Column(
                    "code",
                    ("代码", "区划代码"),
                    area_code(*LEVELS),
                    "6 district, 9 town, 12 village or 14 grid digits",
                    required=True,
                ),
                Column("name", ("名称",), text, "name in Chinese", required=True),
                Column("name_en", ("英文名称",), text, "name in English"),
                Column("level", ("级别",), choice(_LEVEL_ZH), "follows from the code; checked when given"),
                LON,
                LAT,
                Column("valid_from", ("启用日期",), date, "first day of the code"),
                Column("valid_to", ("撤销日期", "停用日期"), date, "last day of the code"),
            ),
            derive=_area,
            per_village=False,
        ),
        Kind(
            "households",
            "household",
            "household:",
            ("household_id",),
            (
                Column(
                    "household_id", ("户编号", "户号"), identifier, "unique in the district", required=True
                ),
                VILLAGE,
                _required(GRID),
                Column("door_no", ("门牌号", "门牌"), text, "door or room number", required=True),
                Column("address", ("地址", "住址"), text, "address", required=True),
                Column("head_name", ("户主", "户主姓名"), text, "name of the head", required=True),
                Column("phone", ("电话", "联系电话"), phone, "mobile or landline"),
                Column(
                    "residents", ("人口数", "常住人口"), number(0, 99, whole=True), "people who live there"
                ),
                Column(
                    "special_groups",
                    ("特殊群体",),
                    several(choices.SPECIAL_GROUP),
                    "codes or labels, separated by ;",
                ),
                LON,
                LAT,
                FROM,
                TO,
            ),
            derive=_household,
            in_grid=True,
        ),
        Kind(
            "points",
            "point",
            "point:",
            ("point_id",),
            (
                Column(
                    "point_id",
                    ("消毒点编号", "点位编号"),
                    identifier,
                    "unique in the district",
                    required=True,
                ),
                VILLAGE,
                Column("name", ("名称", "消毒点名称"), text, "name of the point", required=True),
                Column(
                    "place_type", ("场所类型",), choice(choices.PLACE_TYPE), "code or label", required=True
                ),
                Column("indoor_outdoor", ("室内外",), choice(choices.IN_OUT), "code or label", required=True),
                Column("area_m2", ("面积", "面积（㎡）"), number(0.1, 1_000_000), "m²", required=True),
                Column(
                    "interval_h",
                    ("消毒间隔", "消毒间隔（小时）"),
                    number(1, 8760),
                    "hours between disinfections",
                    required=True,
                ),
                LON,
                LAT,
                FROM,
                TO,
            ),
            derive=_point,
        ),
        Kind(
            "stations",
            "station",
            "station:",
            ("station_id",),
            (
                Column(
                    "station_id", ("健康站编号", "编号"), identifier, "unique in the district", required=True
                ),
                VILLAGE,
                Column("name", ("名称", "健康站名称"), text, "name of the station", required=True),
            ),
        ),
        Kind(
            "supply-points",
            "supply_point",
            "supply_point:",
            ("supply_point_id",),
            (
                Column(
                    "supply_point_id",
                    ("供应点编号", "编号"),
                    identifier,
                    "unique in the district",
                    required=True,
                ),
                Column("name", ("名称", "供应点名称"), text, "name of the supply point", required=True),
                Column(
                    "kind",
                    ("类型", "供应点类型"),
                    choice(choices.SUPPLY_POINT_KIND),
                    "code or label",
                    required=True,
                ),
                Column(
                    "town_code",
                    ("镇代码", "镇（街道）代码"),
                    area_code(9),
                    "9-digit code of the town",
                    required=True,
                ),
                Column("village_code", VILLAGE.zh, area_code(12), "12-digit code of the village"),
                Column("address", ("地址",), text, "address"),
                LON,
                LAT,
                FROM,
                TO,
            ),
            derive=_supply_point,
            per_village=False,
        ),
        Kind(
            "campaigns",
            "campaign",
            "campaign:",
            ("campaign_id",),
            (
                Column("campaign_id", ("活动编号",), identifier, "unique in the district", required=True),
                Column("name_zh", ("活动名称", "名称"), text, "name in Chinese", required=True),
                Column("name_en", ("英文名称",), text, "name in English; empty: as in Chinese"),
                Column("starts_on", ("开始日期",), date, "first day", required=True),
                Column("ends_on", ("结束日期",), date, "last day; empty: open"),
                Column(
                    "items",
                    ("发放物资", "物资"),
                    items(choices.ITEM, choices.UNIT),
                    "VEG_BOX:1:box; RICE_BAG:1:bag",
                    required=True,
                ),
            ),
            derive=_campaign,
            per_village=False,
        ),
        Kind(
            "roster",
            "roster_entry",
            "roster:",
            ("campaign_id", "entry_no"),
            (
                Column("campaign_id", ("活动编号",), identifier, "an imported campaign", required=True),
                Column(
                    "entry_no", ("序号", "花名册序号"), identifier, "unique in the campaign", required=True
                ),
                Column(
                    "household_id", ("户编号", "户号"), identifier, "an imported household", required=True
                ),
                Column("head_name", ("户主", "户主姓名", "姓名"), text, "name of the head", required=True),
                Column(
                    "category",
                    ("类别", "困难类别"),
                    choice(choices.SPECIAL_GROUP),
                    "code or label",
                    required=True,
                ),
                VILLAGE,
                Column(
                    "entitlement",
                    ("应发物资",),
                    items(choices.ITEM, choices.UNIT),
                    "empty: the campaign's items",
                ),
                FROM,
                TO,
            ),
            derive=_roster_entry,
            in_household=True,
        ),
        Kind(
            "fillers",
            "filler",
            "filler:",
            ("filler_id",),
            (
                Column(
                    "filler_id", ("填报人编号", "编号"), identifier, "unique in the district", required=True
                ),
                Column("name", ("姓名",), text, "name", required=True),
                Column("role", ("角色", "职务"), choice(choices.FILLER_ROLE), "code or label", required=True),
                VILLAGE,
                GRID,
            ),
            derive=_filler,
            in_grid=True,
        ),
    )
}
