"""Numbers, days and moments as the pages write them."""

from __future__ import annotations

from datetime import date

WEEKDAYS = {
    "zh": ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}


def number(value: float | None, *, percent: bool = False) -> str:
    """1234.5 as 1,234.5; a share with its sign; nothing known as a dash."""
    if value is None:
        return "—"
    text = f"{value:,.1f}" if percent else f"{round(value, 2):,.2f}".rstrip("0").rstrip(".")
    return f"{text}%" if percent else text


def change(now: float | None, before: float | None, *, percent: bool = False) -> str:
    """+12, −3, or nothing when it is the same or unknown."""
    if now is None or before is None:
        return ""
    difference = round(now - before, 1 if percent else 2)
    if not difference:
        return ""
    sign = "+" if difference > 0 else "−"
    return sign + number(abs(difference), percent=False) + (" pt" if percent else "")


def day_words(day: date, language: str) -> str:
    weekday = WEEKDAYS[language][day.weekday()]
    return (
        f"{day.year}年{day.month}月{day.day}日 {weekday}"
        if language == "zh"
        else f"{weekday} {day.isoformat()}"
    )
