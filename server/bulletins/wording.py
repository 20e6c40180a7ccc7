"""A bulletin's figures and lines in words, shared by the message, the PDF and the page. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from server.api.beijing import local
from server.web.figures import with_unit
from server.web.numbers import number

LAYOUT = Path("bulletin") / "layout.json"
MAIN = "zh"

Content = Mapping[str, Any]


class LayoutError(ValueError):
    """What is wrong with the layout, naming the file."""


def layout(forms: Path) -> dict[str, Any]:
    """{"message": [{title, indicators}], "towns": [indicator]}: which figures go where, as data. Raises
    LayoutError."""
    try:
        found: dict[str, Any] = json.loads((forms / LAYOUT).read_text("utf-8"))
        lines = [*found["towns"], *(name for group in found["message"] for name in group["indicators"])]
        titled = all(isinstance(group["title"][MAIN], str) for group in found["message"])
    except FileNotFoundError:
        raise LayoutError(f"{LAYOUT}: there is no such file in {forms}.") from None
    except (ValueError, RecursionError, KeyError, TypeError) as error:
        raise LayoutError(f"{LAYOUT}: not of the right shape ({error!r}).") from error
    if not titled or not all(isinstance(name, str) for name in lines):
        raise LayoutError(f"{LAYOUT}: titles have a {MAIN}, indicators are named by their ids.")
    return found


def words_of(content: Content) -> dict[str, Mapping[str, Any]]:
    return {each["id"]: each for each in content["indicators"]}


def declared(content: Content, wanted: Iterable[str]) -> list[str]:
    """Those of the layout's indicators that the bulletin has."""
    known = words_of(content)
    return [each for each in wanted if each in known]


def is_percent(words: Mapping[str, Any]) -> bool:
    return str(words["unit"].get("en")) == "%"


def figure_text(words: Mapping[str, Any], figure: Mapping[str, Any]) -> str:
    return number(figure.get("value"), percent=is_percent(words))


def change_text(words: Mapping[str, Any], change: float) -> str:
    """+12, −3, +1.5 个百分点."""
    sign = "+" if change > 0 else "−"
    return f"{sign}{number(abs(change))}" + (" 个百分点" if is_percent(words) else "")


def titled(words: Mapping[str, Any], language: str = MAIN) -> str:
    """The name with its unit."""
    unit = "" if is_percent(words) else str(words["unit"].get(language, ""))
    return with_unit(str(words["name"][language]), unit)


def day_text(day: str) -> str:
    on = date.fromisoformat(day)
    return f"{on.year}年{on.month}月{on.day}日"


def number_text(content: Content) -> str:
    """2020年第3号, or 临时."""
    if "number" not in content:
        return "临时数据，未发布"
    year, count = str(content["number"]).split("-")
    return f"{year}年第{int(count)}号"


def until_text(content: Content) -> str:
    moment = local(content["as_of"])
    return f"截至{moment[11:] if moment[:10] == content['day'] else moment}"


def places(content: Content) -> dict[str, str]:
    return {area["code"]: area["name"] for area in content["areas"]}


def silent_by_town(content: Content) -> list[tuple[str, list[str]]]:
    """[(town, names of its silent villages)]"""
    return _by_town(content, content["villages"]["silent"])


def nil_by_town(content: Content) -> list[tuple[str, list[str]]]:
    """[(town, names of its villages that had nothing to report)]"""
    return _by_town(content, content["villages"].get("nil_reports", []))


def _by_town(content: Content, villages: Iterable[Mapping[str, str]]) -> list[tuple[str, list[str]]]:
    names = places(content)
    found: dict[str, list[str]] = {}
    for village in villages:
        found.setdefault(names.get(village["town"], village["town"]), []).append(village["name"])
    return list(found.items())


def late_lines(content: Content) -> Iterator[str]:
    """较第2号（2020-02-20）：当日联系上户 +2"""
    known = words_of(content)
    for each in content["late"]:
        parts = [f"{known[name]['name'][MAIN]} {change_text(known[name], change)}"
                 for name, change in each["changes"].items() if name in known]  # fmt: skip
        if parts:
            yield f"较第{each['number']}号（{each['day']}）订正（补报）：{'，'.join(parts)}"


def replaces_line(content: Content) -> str:
    if not content.get("replaces"):
        return ""
    return f"本号替代第{content['replaces']}号，原因：{content['reason']}"


def notes(content: Content) -> Sequence[str]:
    """What a reader of any output has to know."""
    waiting, villages = content["waiting"], content["villages"]
    return [
        f"统计范围：{until_text(content)}服务器已收到的记录；此后到达的记录列为补报，不改本号数字。",
        f"已报村（社区）{villages['reported']}个，零报告{villages['nil']}个，未报{len(villages['silent'])}个。"
        "零报告为截止前由工作人员代村登记的当日无情况；当日有记录的村算已报。",
        f"在用手机{content['devices']['active']}台，当日截止前未同步{len(content['devices']['silent'])}台。",
        f"待更正记录{waiting['quarantined']}条、已退回{waiting['returned']}条，均未计入。",
        "台账、参数与审核结论以发布时为准；累计数不可跨日相加；消毒点按当日24时计。",
    ]
