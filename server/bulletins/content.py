"""What a bulletin says of a day, as plain JSON.

    {district: {code, name}, day, cut_off, as_of,
     areas: [{code, name, level, parent}],                    district, towns, villages
     indicators: [{id, name, unit, note, cumulative}],        what was counted, in words
     figures: {area code: {indicator: {value, numerator?, denominator?, parts?}}},
     villages: {reported, nil, silent: [{code, name, town}],
                nil_reports: [{code, name, town, at, by}]},       absent in bulletins of before there were any
     devices: {active, silent: [{device_id, label, villages, last_contact_at?}]},
     waiting: {quarantined, returned, by_town: {code: {quarantined, returned}}},
     late: [{number, day, changes: {indicator: change}}]}     earlier bulletins, as they would read by now

No name, phone or address of a resident is in it; a device goes by the label that its enrolment gave it.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, select

from server.bulletins import cutoff
from server.bulletins.as_of import WAITING, AsOf, as_of
from server.bulletins.heard import heard_by_record
from server.bulletins.refusals import Refused
from server.people import devices
from server.people.people import People
from server.readmodel.declaration import Declaration, Indicator
from server.readmodel.figures import Sums, amounts, number
from server.readmodel.kept_areas import AreaAnswers
from server.readmodel.tables import areas
from server.villages.nil_reports import NilStep

Content = dict[str, Any]
Figures = dict[str, dict[str, Any]]
LEVELS = ("district", "town", "village")


@dataclass(frozen=True, slots=True)
class Frozen:
    """An earlier bulletin, to say what has come for its day since; of its figures the district's."""

    number: str
    day: str
    figures: Figures


def compose(
    connection: Connection,
    people: People,
    declaration: Declaration,
    settings: Mapping[str, Any],
    day: date,
    moment: str,
    earlier: Iterable[Frozen] = (),
    nil: Mapping[str, NilStep] = MappingProxyType({}),
    of_villages: Collection[str] | None = None,
    answers: AreaAnswers | None = None,
) -> Content:
    """The content for `day` as of `moment`, out of one snapshot; `nil` are the nil reports as of then, by
    village. With `of_villages` the day's villages have these indicators only: for a page that shows no
    others. Figures are taken from `answers` where those of the area still hold. Raises Refused when there is
    no district, or when parts do not sum to totals."""
    on = day.isoformat()
    known = _areas(connection)
    district = next((area for area in known if area["level"] == "district"), None)
    if district is None:
        raise Refused("bulletin-no-district")
    found = as_of(connection, declaration, settings, moment, answers)
    wanted = list(declaration.indicators.values())
    active = [area for area in known if _is_active(area, on)]
    villages = [area for area in active if area["level"] == "village"]
    if of_villages is None:
        figures = _figures(known, found, on, wanted)
    else:
        some = [each for each in wanted if each.id in of_villages]
        apart = set(_codes(villages))
        others = [area for area in known if area["code"] not in apart]
        figures = _figures(others, found, on, wanted)
        figures |= _figures(villages, found, on, some)
    listed = [_named(area) for area in known if area["code"] in figures]
    check_sums(listed, figures, wanted)
    return {
        "district": {name: district[name] for name in ("code", "name")},
        "day": on,
        "cut_off": cutoff.cut_off(settings, day),
        "as_of": moment,
        "areas": listed,
        "indicators": [_words(each) for each in wanted],
        "figures": figures,
        "villages": _villages(villages, found, on, declaration, nil),
        "devices": _devices(connection, people, cutoff.day_start(day), moment),
        "waiting": _waiting(listed, found),
        "late": [_late(found, each, district["code"], wanted) for each in earlier],
    }


def _areas(connection: Connection) -> list[dict[str, Any]]:
    """In order: the district, its towns, their villages."""
    names = ("code", "name", "level", "parent", "active_from", "active_to")
    query = select(*(areas.c[name] for name in names)).where(areas.c.level.in_(LEVELS))
    known = [dict(zip(names, row, strict=True)) for row in connection.execute(query).all()]
    return sorted(known, key=lambda area: (LEVELS.index(area["level"]), area["code"]))


def _is_active(area: Mapping[str, Any], day: str) -> bool:
    """An abolished village stays in the table for as long as its figures are in the totals."""
    return bool(area["active_from"] <= day <= area["active_to"])


def _named(area: Mapping[str, Any]) -> dict[str, Any]:
    return {name: area[name] for name in ("code", "name", "level", "parent")}


def _counts(sums: Sums) -> bool:
    return any(any(parts.values()) for parts in sums.values())


def _figures(
    known: Sequence[Mapping[str, Any]], found: AsOf, day: str, indicators: Sequence[Indicator]
) -> Figures:
    """Of the areas that there are on the day or that count anything."""
    own = found.told(
        question_of(day, indicators),
        _codes(known),
        lambda codes: told(found.sums(codes, day, indicators), indicators),
    )
    return {
        area["code"]: figures
        for area in known
        for counts, figures in [own[area["code"]]]
        if counts or _is_active(area, day)
    }


def question_of(day: str, indicators: Sequence[Indicator]) -> Hashable:
    """By what `told` is kept."""
    return "bulletin", day, tuple(each.id for each in indicators)


def told(sums: Mapping[str, Sums], indicators: Sequence[Indicator]) -> dict[str, tuple[bool, dict[str, Any]]]:
    """{area: (whether it counts anything, its figures)}. What an area counts nothing of is one and the same
    object for all such areas."""
    nothing: Sums = {}
    asked = [
        (each.id, each, {term.at[span] for term in each.terms() for span in term.at}, amounts(each, nothing))
        for each in indicators
    ]
    return {
        code: (
            _counts(own),
            {
                name: none if own.keys().isdisjoint(wanted) else amounts(each, own)
                for name, each, wanted, none in asked
            },
        )
        for code, own in sums.items()
    }


def _codes(known: Iterable[Mapping[str, Any]]) -> list[str]:
    return [area["code"] for area in known]


def _words(indicator: Indicator) -> dict[str, Any]:
    texts = {name: dict(getattr(indicator, name)) for name in ("name", "unit", "note")}
    return {"id": indicator.id, "cumulative": indicator.cumulative, **texts}


def check_sums(
    listed: Sequence[Mapping[str, Any]], figures: Figures, indicators: Iterable[Indicator]
) -> None:
    """Villages sum to their towns and towns to the district, but for shares. Raises Refused naming where not:
    half a figure must not go out."""
    inside: dict[str, list[str]] = {}
    for area in listed:
        inside.setdefault(area["parent"], []).append(area["code"])
    members = [(each.id, name) for each in indicators for name in summed(each)]
    for code, parts in inside.items():
        told_by_all = set(figures[parts[0]]).intersection(*(figures[part] for part in parts))
        shared = [each for each in members if each[0] in told_by_all]
        if code in figures and shared:
            _check(code, shared, figures[code], [figures[part] for part in parts])


def summed(indicator: Indicator) -> tuple[str, ...]:
    """The members of a figure that parts add up to."""
    if indicator.percentile is not None:
        return ("denominator",)
    return ("numerator", "denominator") if indicator.denominator else ("value",)


def _check(
    code: str, members: Sequence[tuple[str, str]], own: Mapping[str, Any], parts: Sequence[Mapping[str, Any]]
) -> None:
    columns = zip(*([part[name][member] or 0 for name, member in members] for part in parts), strict=True)
    for (name, member), total in zip(members, map(sum, columns), strict=True):
        if round(total - (own[name][member] or 0), 5):
            raise Refused("bulletin-sums", indicator=name, area=code)


def _villages(
    villages: Sequence[Mapping[str, Any]],
    found: AsOf,
    day: str,
    declaration: Declaration,
    nil: Mapping[str, NilStep],
) -> dict[str, Any]:
    """A village has reported when a record of the day counts in it, whatever nil report there is."""
    counted = list(declaration.reports)
    heard = found.told(
        ("reported", day),
        _codes(villages),
        lambda codes: (
            dict.fromkeys(codes, False) | dict.fromkeys(found.active_areas(codes, day, counted), True)
        ),
    )
    others = [_place(area) for area in villages if not heard[area["code"]]]
    said = [
        each | {"at": nil[each["code"]].at, "by": nil[each["code"]].by["name"]}
        for each in others
        if each["code"] in nil
    ]
    return {
        "reported": len(villages) - len(others),
        "nil": len(said),
        "silent": [each for each in others if each["code"] not in nil],
        "nil_reports": said,
    }


def _place(area: Mapping[str, Any]) -> dict[str, str]:
    return {"code": area["code"], "name": area["name"], "town": area["parent"]}


def _devices(connection: Connection, people: People, start: str, moment: str) -> dict[str, Any]:
    """Of the devices in use at the moment those that were not heard from on the day: no sync, no record."""
    active, quiet = devices.in_use(people, start, moment)
    asked = [each.device_id for each in quiet]
    heard = heard_by_record(connection, asked, devices.former(people), start, moment)
    return {"active": active, "silent": [_device(each) for each in quiet if each.device_id not in heard]}


def _device(device: devices.Quiet) -> dict[str, Any]:
    return {name: value for name, value in device._asdict().items() if value is not None}


def _waiting(listed: Sequence[Mapping[str, Any]], found: AsOf) -> dict[str, Any]:
    towns = {area["code"]: area["parent"] for area in listed if area["level"] == "village"}
    by_town: dict[str, dict[str, int]] = {}
    for (village, status), count in found.waiting.items():
        if count:
            town = by_town.setdefault(towns.get(village, village[:9]), dict.fromkeys(WAITING, 0))
            town[status] += count
    totals = {status: sum(town[status] for town in by_town.values()) for status in WAITING}
    return {**totals, "by_town": by_town}


def _late(found: AsOf, earlier: Frozen, code: str, indicators: Sequence[Indicator]) -> dict[str, Any]:
    sums = found.sums([code], earlier.day, indicators)[code]
    now = {each.id: amounts(each, sums) for each in indicators}
    return {
        "number": earlier.number,
        "day": earlier.day,
        "changes": changes(earlier.figures[code], now),
    }


def changes(frozen: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, float | int]:
    """What is another figure by now: {indicator: now − frozen}; of a share, the difference in percentage
    points."""
    found = {}
    for name, figures in frozen.items():
        before, after = figures["value"] or 0, now.get(name, figures)["value"] or 0
        difference = round(after - before, 6)
        if difference:
            found[name] = number(round(difference * 1_000_000))
    return found
