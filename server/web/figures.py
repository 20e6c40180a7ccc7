"""Figures laid out for the overview: groups with a leading figure, a table with sortable columns. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from server.web.numbers import change, number

Figure = Mapping[str, Any]

# Group -> the ids' first letters, and the figure that leads it.
GROUPS = (("visits", "AB", "A4"), ("disinfection", "C", "C3"), ("relief", "D", "D3"), ("quality", "J", "J1"))
COLUMNS = (
    ("visits", ("A1", "A4", "A5", "A6", "B_fever")),
    ("disinfection", ("C1", "C3", "C5")),
    ("relief", ("D1", "D3", "D4")),
)
BARS = frozenset({"A4", "D3"})
MORE_IS_BETTER = frozenset({"A2", "A2_visits", "A3", "A4", "A5", "C1", "C5", "D2", "D3", "J1"})
MORE_IS_WORSE = frozenset({"A6", "A7", "A7_day", "B_fever", "B_key_area", "B_contact", "C3", "D4"}) | {
    *("D4_partial", "D5", "D6", "J1_median", "J1_p95", "J4_duplicates", "J4_disputed")
}


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
        mood=mood(indicator.id, value, earlier),
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


def mood(indicator_id: str, now: float | None, before: float | None) -> str:
    if now is None or before is None or now == before:
        return ""
    good = MORE_IS_BETTER if now > before else MORE_IS_WORSE
    bad = MORE_IS_WORSE if now > before else MORE_IS_BETTER
    return "better" if indicator_id in good else "worse" if indicator_id in bad else ""


def groups(figures: Sequence[Shown]) -> list[dict[str, Any]]:
    """[{key, lead, rest}]; a group whose lead is missing shows the rest alone, an unknown letter goes to
    `other`."""
    known = "".join(letters for _, letters, _ in GROUPS)
    laid = [(key, [each for each in figures if each.id[0] in letters], lead) for key, letters, lead in GROUPS]
    laid.append(("other", [each for each in figures if each.id[0] not in known], ""))
    return [
        {
            "key": key,
            "lead": next((each for each in found if each.id == lead), None),
            "rest": [e for e in found if e.id != lead],
        }
        for key, found, lead in laid
        if found
    ]


def of_week(figures: Mapping[str, Figure]) -> dict[str, Figure]:
    """What is counted by day, of seven days; what is cumulative as it is."""
    return {name: each.get("seven_days", each) for name, each in figures.items()}


def columns_of(known: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """The table's columns by group, as far as the indicators are declared."""
    return [(key, ids) for key, wanted in COLUMNS if (ids := [each for each in wanted if each in known])]


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
