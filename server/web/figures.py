"""Figures laid out for the overview: groups with a leading figure, a table with sortable columns. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from server.readmodel.groups import Group
from server.web.numbers import change, number

Figure = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Shown:
    """One figure as the page writes it; `percent` is the width of its bar, 0 to 100."""

    id: str
    name: str
    text: str
    delta: str = ""
    mood: str = ""
    percent: float | None = None
    fraction: str = ""
    week: str = ""
    href: str = ""
    week_href: str = ""


def is_share(indicator: Any) -> bool:
    return str(indicator.unit.get("en")) == "%"


def has_figure(indicator: Any) -> bool:
    """False for one of which only the parts are given."""
    return bool(indicator.value or indicator.denominator or indicator.percentile is not None)


def shown(
    indicator: Any,
    now: Figure,
    before: Figure | None,
    pick: Callable[[Any], str],
    href: str = "",
    week_href: str = "",
) -> Shown:
    percent = is_share(indicator)
    value, earlier = now.get("value"), (before or {}).get("value")
    unit = "" if percent else pick(indicator.unit)
    text = number(value, percent=percent)
    return Shown(
        id=indicator.id,
        name=with_unit(pick(indicator.name), unit),
        text=text,
        delta=change(value, earlier, percent=percent),
        mood=mood(indicator.more, value, earlier),
        percent=None if indicator.mean else bar(now, percent),
        fraction=fraction(now),
        week=number(now["seven_days"]["value"], percent=percent) if "seven_days" in now else "",
        href=href,
        week_href=week_href,
    )


def with_unit(name: str, unit: str) -> str:
    """应走访户（户）, Area covered (m²); a unit that the name ends with is not said twice."""
    if not unit or (name.isascii() and set(unit.lower().split()) & set(name.lower().split())):
        return name
    return f"{name} ({unit})" if name.isascii() else f"{name}（{unit}）"


def bar(figure: Figure, percent: bool) -> float | None:
    """Shares show themselves; a count out of a total shows how much of the total is left without it."""
    if percent:
        return figure.get("value")
    above, below = figure.get("numerator"), figure.get("denominator")
    return round(100 * above / below, 2) if below and above is not None else None


def fraction(figure: Figure) -> str:
    above, below = figure.get("numerator"), figure.get("denominator")
    return f"{number(above)} / {number(below)}" if below and above is not None else ""


def mood(more: str, now: float | None, before: float | None) -> str:
    """better, worse or "", for a figure of which more is `more`."""
    if not more or now is None or before is None or now == before:
        return ""
    return more if now > before else {"better": "worse", "worse": "better"}[more]


def groups(declared: Mapping[str, Group], figures: Mapping[str, Sequence[Shown]]) -> list[dict[str, Any]]:
    """[{id, name, lead, rest}] of the groups that have figures; without a lead the rest stands alone."""
    return [
        {
            "id": group.id,
            "name": group.name,
            "lead": next((each for each in found if each.id == group.lead), None),
            "rest": [each for each in found if each.id != group.lead],
        }
        for group in declared.values()
        if (found := figures.get(group.id, ()))
    ]


def of_week(figures: Mapping[str, Figure]) -> dict[str, Figure]:
    """What is counted by day, of seven days; what is cumulative as it is."""
    return {name: each.get("seven_days", each) for name, each in figures.items()}


def sort_rows(rows: list[dict[str, Any]], sort: str) -> list[dict[str, Any]]:
    """By an indicator's value (`-A4` falls), rows without a value last; otherwise by the area's code."""
    column, falling = sort.removeprefix("-"), sort.startswith("-")
    if column in ("", "area"):
        return sorted(rows, key=lambda row: str(row["area"]["code"]), reverse=falling)

    def value(row: dict[str, Any]) -> float | None:
        found: float | None = row["figures"].get(column, {}).get("value")
        return found

    known = sorted(
        (row for row in rows if value(row) is not None), key=lambda row: value(row) or 0, reverse=falling
    )
    return known + [row for row in rows if value(row) is None]
