"""The demo district as tables: real towns, synthetic everything else, the same on every machine.

Villages carry codes outside the ranges that are ever given out (…901 to …999) and names that nobody takes for
real; phone numbers begin with 1540000, a range never allotted. The totals are those of the district's report
of February 2020: 10 towns, 288 villages, 472 health stations, 99 supply points, 11,349 relief households. How
they spread over towns and kinds is invented.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from server.register.choices import IN_OUT, PLACE_TYPE

SEED = 20200221
DISTRICT = ("370304", "博山区", "Boshan District")
SINCE = "2020-01-20"
CAMPAIGN_ID = "aixin-2020"
TOWNS = {  # code: (name, English name, villages, longitude, latitude)
    "370304001": ("城东街道", "Chengdong Subdistrict", 28, 117.870, 36.500),
    "370304002": ("城西街道", "Chengxi Subdistrict", 26, 117.845, 36.497),
    "370304004": ("山头街道", "Shantou Subdistrict", 28, 117.852, 36.465),
    "370304102": ("域城镇", "Yucheng Town", 40, 117.800, 36.510),
    "370304103": ("白塔镇", "Baita Town", 20, 117.880, 36.545),
    "370304106": ("八陡镇", "Badou Town", 22, 117.925, 36.455),
    "370304108": ("石马镇", "Shima Town", 24, 117.950, 36.410),
    "370304111": ("源泉镇", "Yuanquan Town", 28, 118.060, 36.430),
    "370304112": ("池上镇", "Chishang Town", 32, 118.120, 36.350),
    "370304113": ("博山镇", "Boshan Town", 40, 117.960, 36.340),
}
STATIONS, ROSTER_ENTRIES = 472, 11_349
SUPPLY_POINTS = {"supermarket": 38, "village_shop": 41, "market": 20}
HOUSEHOLDS_OFF_ROSTER = (45, 55)  # a village
GRIDS = ("第一网格", "第二网格")
FAMILY = "王李张刘陈杨赵孙周吴徐朱马胡郭林何高罗郑梁谢宋唐许邓韩冯曹彭曾单解翟孟"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀英霞平刚桂兰玉珍建国文华志红春梅海燕成德𠮷䶮㛃𬎆"
CATEGORIES = (
    "dibao",
    "dibao",
    "dibao",
    "tekun",
    "poverty",
    "poverty",
    "low_margin",
    "disabled",
    "elder_alone",
    "left_child",
)
PLACES = (  # place type, in or outdoors, m², hours
    ("committee", "indoor", 120, 24),
    ("checkpoint", "outdoor", 40, 12),
    ("health_post", "indoor", 60, 24),
    ("waste", "outdoor", 25, 24),
    ("toilet", "indoor", 30, 12),
    ("stairwell", "indoor", 80, 24),
)

Table = list[dict[str, Any]]


@dataclass(slots=True)
class Demo:
    """The tables by import kind, in the order in which they must be imported."""

    areas: Table = field(default_factory=list)
    households: Table = field(default_factory=list)
    points: Table = field(default_factory=list)
    stations: Table = field(default_factory=list)
    supply_points: Table = field(default_factory=list)
    campaigns: Table = field(default_factory=list)
    roster: Table = field(default_factory=list)
    fillers: Table = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Village:
    index: int  # 0 … 287
    code: str
    name: str
    town_code: str
    lon: float
    lat: float


def generate() -> Demo:
    """The whole demo district. Raises AssertionError if a total is not the reported one."""
    dice = random.Random(SEED)  # noqa: S311 - the same district every time is the purpose
    demo = Demo()
    villages = list(_villages(dice))
    demo.areas = list(_areas(villages))
    demo.campaigns = [_campaign()]
    people = _people(dice)
    for village in villages:
        _fill_village(demo, village, people, dice)
    demo.supply_points = list(_supply_points(villages))
    _check(demo, villages)
    return demo


def _villages(dice: random.Random) -> Iterator[Village]:
    index = 0
    for town_code, (_, _, count, lon, lat) in TOWNS.items():
        for number in range(count):
            place = (round(lon + dice.uniform(-0.03, 0.03), 5), round(lat + dice.uniform(-0.02, 0.02), 5))
            yield Village(
                index, f"{town_code}{901 + number}", f"示范{chinese(index + 1)}村", town_code, *place
            )
            index += 1


def chinese(number: int) -> str:
    """1 → 一, 21 → 二十一, 288 → 二百八十八; up to 999."""
    digits = "零一二三四五六七八九"
    hundreds, tens, ones = number // 100, number // 10 % 10, number % 10
    words = f"{digits[hundreds]}百" if hundreds else ""
    if tens:
        words += "十" if tens == 1 and not hundreds else f"{digits[tens]}十"
    elif hundreds and ones:
        words += "零"
    return words + (digits[ones] if ones else "")


def _areas(villages: list[Village]) -> Iterator[dict[str, Any]]:
    code, name, english = DISTRICT
    yield {"code": code, "name": name, "name_en": english}
    for town_code, (town, town_english, _, lon, lat) in TOWNS.items():
        yield {"code": town_code, "name": town, "name_en": town_english, "lon": lon, "lat": lat}
    for village in villages:
        place = {"lon": village.lon, "lat": village.lat}
        yield {
            "code": village.code,
            "name": village.name,
            "name_en": f"Demo Village {village.index + 1}",
            **place,
        }
        for number, grid in enumerate(GRIDS, start=1):
            yield {"code": f"{village.code}{number:02}", "name": grid}


def _campaign() -> dict[str, Any]:
    names = {"name_zh": "防疫情、送爱心", "name_en": "Against the epidemic, with love"}
    items = "VEG_BOX:1:box; RICE_BAG:1:bag"
    return {"campaign_id": CAMPAIGN_ID, **names, "starts_on": "2020-01-26", "items": items}


def _people(dice: random.Random) -> Iterator[str]:
    while True:
        yield dice.choice(FAMILY) + "".join(dice.choice(GIVEN) for _ in range(dice.choice((1, 2, 2))))


def _fill_village(demo: Demo, village: Village, people: Iterator[str], dice: random.Random) -> None:
    on_roster = _share(ROSTER_ENTRIES, village.index)
    total = on_roster + dice.randint(*HOUSEHOLDS_OFF_ROSTER)
    households = [_household(village, number, next(people), dice) for number in range(1, total + 1)]
    for household in dice.sample(households, on_roster):
        category = dice.choice(CATEGORIES)
        household["special_groups"] = category
        demo.roster.append(_roster_entry(len(demo.roster) + 1, household, category))
    demo.households += households
    demo.points += _points(village, dice)
    demo.stations += [
        {
            "station_id": f"{village.code}-S{number}",
            "village_code": village.code,
            "name": f"{village.name}健康站{number}",
        }
        for number in range(1, _stations_of(village.index) + 1)
    ]
    demo.fillers += _fillers(village, people)


def _share(total: int, index: int) -> int:
    """The part of `total` that falls to village `index` when the villages share it evenly."""
    count = sum(town[2] for town in TOWNS.values())
    return total * (index + 1) // count - total * index // count


def _stations_of(index: int) -> int:
    """1 to 3: every village one, every twelfth three, and the rest of the 472 one more each."""
    thirds, seconds = 24, 136
    if index % 12 == 5:
        return 3
    rank = index - (index + 6) // 12  # among the villages that are not every twelfth
    return 2 if rank * seconds // (288 - thirds) < (rank + 1) * seconds // (288 - thirds) else 1


def _household(village: Village, number: int, head: str, dice: random.Random) -> dict[str, Any]:
    door = f"{number}号"
    household = {
        "household_id": f"{village.code}-{number:03}",
        "village_code": village.code,
        "grid_code": f"{village.code}{1 + number % 2:02}",
        "door_no": door,
        "address": f"{village.name}{door}",
        "head_name": head,
        "residents": dice.choice((1, 1, 2, 2, 2, 3, 3, 4, 5)),
        "lon": round(village.lon + dice.uniform(-0.003, 0.003), 5),
        "lat": round(village.lat + dice.uniform(-0.003, 0.003), 5),
        "active_from": SINCE,
    }
    if dice.random() < 0.7:
        household["phone"] = f"1540000{dice.randrange(10_000):04}"
    return household


def _roster_entry(number: int, household: dict[str, Any], category: str) -> dict[str, Any]:
    shared = {key: household[key] for key in ("household_id", "head_name", "village_code", "active_from")}
    return {"campaign_id": CAMPAIGN_ID, "entry_no": f"{number:05}", "category": category, **shared}


def _points(village: Village, dice: random.Random) -> Iterator[dict[str, Any]]:
    for number, (place, side, area, hours) in enumerate(dice.sample(PLACES, dice.randint(2, 4)), start=1):
        yield {
            "point_id": f"{village.code}-P{number}",
            "village_code": village.code,
            "name": f"{village.name}{PLACE_TYPE[place].partition('/')[0]}",
            "place_type": place,
            "indoor_outdoor": IN_OUT[side],
            "area_m2": area,
            "interval_h": hours,
            "lon": village.lon,
            "lat": village.lat,
            "active_from": SINCE,
        }


def _supply_points(villages: list[Village]) -> Iterator[dict[str, Any]]:
    kinds = [kind for kind, count in SUPPLY_POINTS.items() for _ in range(count)]
    for number, kind in enumerate(kinds, start=1):
        village = villages[number * len(villages) // len(kinds) - 1]
        names = {"supermarket": "超市", "village_shop": "小卖部", "market": "农贸市场"}
        yield {
            "supply_point_id": f"SP{number:03}",
            "name": f"{village.name}{names[kind]}蔬菜供应点",
            "kind": kind,
            "town_code": village.town_code,
            "village_code": village.code,
            "active_from": SINCE,
        }


def _fillers(village: Village, people: Iterator[str]) -> Iterator[dict[str, Any]]:
    roles = ["grid_volunteer", "grid_volunteer", "village_cadre"] + ["village_doctor"] * (
        village.index % 8 == 0
    )
    for number, role in enumerate(roles, start=1):
        filler = {
            "filler_id": f"{village.code}-F{number}",
            "name": next(people),
            "role": role,
            "village_code": village.code,
        }
        yield filler | ({"grid_code": f"{village.code}{number:02}"} if role == "grid_volunteer" else {})


def _check(demo: Demo, villages: list[Village]) -> None:
    """The totals are the point of the demo: a change that breaks one must not pass unseen."""
    totals = {
        "towns": (len(TOWNS), 10),
        "villages": (len(villages), 288),
        "stations": (len(demo.stations), STATIONS),
        "supply points": (len(demo.supply_points), 99),
        "roster entries": (len(demo.roster), ROSTER_ENTRIES),
    }
    wrong = {name: pair for name, pair in totals.items() if pair[0] != pair[1]}
    if wrong:
        raise AssertionError(f"the demo district has wrong totals (got, wanted): {wrong}")
