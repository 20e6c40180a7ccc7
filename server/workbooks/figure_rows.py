"""Rows of figures: the towns or villages of the day's bulletin, and what there is to know about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from server.api.beijing import local
from server.workbooks.asked import Asked
from server.workbooks.template import Template

WEEK = "seven_days"
LEVEL = {"towns": "town", "villages": "village"}

Row = dict[str, Any]


class FigureRows:
    def __init__(self, asked: Asked, template: Template) -> None:
        self._asked, self._level = asked, LEVEL[template.rows]
        villages = asked.content["villages"]
        self._silent = {each["code"] for each in villages["silent"]}
        self._nil = {each["code"] for each in villages.get("nil_reports", ())}

    def choices(self, value: str) -> str | None:
        return None

    def __iter__(self) -> Iterator[Row]:
        for area in self._asked.content["areas"]:
            if area["level"] == self._level and self._asked.covers(area["code"]):
                yield {"code": area["code"], "village": area["code"]}

    def value(self, row: Row, name: str) -> Any:
        if name == "state":
            return self._state(row["code"])
        _, indicator, *part = name.split(".")
        figure = self._asked.content["figures"][row["code"]].get(indicator, {})
        if part == [WEEK]:
            return figure.get(WEEK, {}).get("value")
        return figure.get(part[0] if part else "value")

    def _state(self, code: str) -> str:
        """A town has reported when one of its villages has, else it is nil when one has nothing to report."""
        inside = {
            area["code"]
            for area in self._asked.content["areas"]
            if area["level"] == "village" and area["code"].startswith(code)
        }
        if not inside or inside - self._silent - self._nil:
            return "reported"
        return "nil" if inside & self._nil else "silent"

    def total(self, name: str) -> Any:
        """The area's own figure: of a share, too, which parts do not add up to."""
        return self.value({"code": self._asked.area["code"]}, name) if name.startswith("figure.") else None


class QualityRows:
    """`item.section`, `item.name`, `item.value`, `item.note`."""

    def __init__(self, asked: Asked, template: Template) -> None:
        self._asked = asked

    def choices(self, value: str) -> str | None:
        return None

    def __iter__(self) -> Iterator[Row]:
        for section, name, value, note in _items(self._asked):
            yield {"section": section, "name": name, "value": value, "note": note, "village": ""}

    def value(self, row: Row, name: str) -> Any:
        return row.get(name.removeprefix("item."))


Item = tuple[str, str, Any, str]


def _items(asked: Asked) -> Iterator[Item]:
    yield from _reported(asked)
    yield from _waiting(asked)
    yield from _late(asked)
    for each in asked.content["indicators"]:
        figure = asked.content["figures"].get(asked.area["code"], {}).get(each["id"], {})
        section = asked.pick({"zh": "口径说明", "en": "Definitions"})
        yield (section, asked.pick(each["name"]), figure.get("value"), asked.pick(each["note"]))


def _reported(asked: Asked) -> Iterator[Item]:
    section = asked.pick({"zh": "未报村（社区）", "en": "Silent villages"})
    for village in asked.content["villages"]["silent"]:
        if asked.covers(village["code"]):
            yield (section, village["name"], None, asked.names.get(village["town"], ""))
    section = asked.pick({"zh": "零报告村（社区）", "en": "Villages with nothing to report"})
    for village in asked.content["villages"].get("nil_reports", ()):
        if asked.covers(village["code"]):
            said = f"{asked.names.get(village['town'], '')}；{village['by']} {local(village['at'])}"
            yield (section, village["name"], None, said)
    section = asked.pick({"zh": "未同步手机", "en": "Phones not heard from"})
    last = asked.pick({"zh": "最近联系", "en": "last contact"})
    for device in asked.content["devices"]["silent"]:
        villages = [code for code in device["villages"] if asked.covers(code)]
        if villages:
            where = "、".join(asked.names.get(code, code) for code in villages)
            heard = local(device.get("last_contact_at")) or "—"
            yield (section, device["label"], None, f"{where}；{last} {heard}")


def _waiting(asked: Asked) -> Iterator[Item]:
    section = asked.pick({"zh": "未计入的记录", "en": "Records not counted"})
    waiting: Mapping[str, Any] = asked.content["waiting"]
    for town, counts in sorted(waiting["by_town"].items()):
        if asked.covers(town) or str(asked.area["code"]).startswith(town):
            name = asked.names.get(town, town)
            yield (section, name, counts["quarantined"], asked.pick({"zh": "待更正", "en": "quarantined"}))
            yield (section, name, counts["returned"], asked.pick({"zh": "已退回", "en": "returned"}))


def _late(asked: Asked) -> Iterator[Item]:
    section = asked.pick({"zh": "补报", "en": "Late changes"})
    names = {each["id"]: asked.pick(each["name"]) for each in asked.content["indicators"]}
    if asked.area["level"] != "district":
        return
    for each in asked.content["late"]:
        for indicator, change in each["changes"].items():
            about = asked.pick({"zh": f"较第{each['number']}号（{each['day']}）", "en": f"{each['number']}"})
            yield (section, names.get(indicator, indicator), change, about)
