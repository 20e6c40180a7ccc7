"""From a cell to a value: each reader returns the value or raises CellRefused with what to do.

Excel is the usual sender. It turns ids into numbers, keeps 15 digits of them and writes the rest as zeros:
what can be repaired exactly is repaired, what may have been ruined is refused.
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from server.register.refusals import CellRefused

EXCEL_DIGITS = 15
TEXT_LENGTH_MAX = 200
INVISIBLE = re.compile("[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")

Reader = Callable[[Any], Any]


def text(cell: Any) -> str:
    """Trimmed text; numbers as Excel shows them."""
    value = plain(cell)
    if len(value) > TEXT_LENGTH_MAX:
        raise CellRefused(
            f"文字过长（最多 {TEXT_LENGTH_MAX} 字）", f"text longer than {TEXT_LENGTH_MAX} characters"
        )
    if any(unicodedata.category(character) in ("Cc", "Cs", "Co") for character in value):
        raise CellRefused("含有不可见的控制字符", "holds invisible control characters")
    return value


def seen(text: str) -> str:
    """What a reader sees of a text: no blanks around it, and none of the zero-width and direction marks that
    come along when something is copied from a chat or a web page."""
    return INVISIBLE.sub("", text).strip()


def plain(cell: Any) -> str:
    """A cell as text; whole numbers without a point, dates as YYYY-MM-DD."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime.datetime | datetime.date):
        return cell.isoformat()
    return seen(str(cell))


def identifier(cell: Any) -> str:
    """An id or code as text. Numbers are taken back to text where every digit is sure."""
    value = unicodedata.normalize("NFKC", _exact(cell))
    if re.fullmatch(r"[0-9]{16,}", value) and not value[EXCEL_DIGITS:].strip("0"):
        raise _ruined(value)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,63}", value):
        raise CellRefused(
            f"编号“{value[:40]}”无效：只能用字母、数字、点、横线、下划线，最多 64 位",
            f"“{value[:40]}” is no id: letters, digits, dot, hyphen, underscore, at most 64",
        )
    return value


def maybe_rounded(value: str) -> bool:
    """Whether a program that keeps numbers as doubles would write an id just so: 17 digits, zeros behind.

    It can be a true id all the same."""
    if not re.fullmatch(r"[0-9]{17,}0", value):
        return False
    number = float(value)
    return value in (format(Decimal(repr(number)), "f"), format(Decimal(f"{number:.17g}"), "f"))


def _exact(cell: Any) -> str:
    if isinstance(cell, bool):
        raise CellRefused("编号不能是 TRUE/FALSE", "TRUE and FALSE are no ids")
    if isinstance(cell, float | int):
        return _digits(Decimal(str(cell)), str(cell))
    value = seen(str(cell))
    if re.fullmatch(r"\d+\.0+", value) or re.fullmatch(r"\d(\.\d+)?[Ee]\+?\d+", value):
        return _digits(Decimal(value), value)
    return value


def _digits(number: Decimal, shown: str) -> str:
    """The integer's digits, if none of them can have been lost."""
    if number != number.to_integral_value() or number < 0:
        raise CellRefused(f"编号“{shown}”不是整数", f"the id {shown} is not a whole number")
    digits = format(number.to_integral_value(), "f")
    if len(digits) > EXCEL_DIGITS:
        raise _ruined(shown)
    significant = len(re.sub(r"[Ee].*|\D", "", shown))
    if "e" in shown.lower() and significant < len(digits):
        raise CellRefused(
            f"编号“{shown}”被 Excel 缩写，末尾数字已丢失：请把该列设为“文本”后重新填写",
            f"Excel shortened the id to {shown} and its last digits are lost: "
            "format the column as text and enter it again",
        )
    return digits


def _ruined(shown: str) -> CellRefused:
    return CellRefused(
        f"编号“{shown[:40]}”超过 15 位，Excel 按数字保存时已把后面的数字变成 0：请把该列设为“文本”后重新填写",
        f"the id {shown[:40]} has more than 15 digits; Excel stored it as a number and made the rest zeros: "
        "format the column as text and enter it again",
    )


def area_code(*lengths: int) -> Reader:
    def read(cell: Any) -> str:
        value = identifier(cell)
        if not value.isdigit() or len(value) not in lengths:
            wanted = "/".join(map(str, lengths))
            raise CellRefused(
                f"代码“{value}”应为 {wanted} 位数字", f"the code {value} should have {wanted} digits"
            )
        return value

    return read


def number(low: float, high: float, *, whole: bool = False) -> Reader:
    """A JSON number from `low` to `high`; whole numbers come out as int."""

    def read(cell: Any) -> int | float:
        shown = unicodedata.normalize("NFKC", plain(cell))
        try:
            value = Decimal(shown)
        except InvalidOperation:
            raise CellRefused(f"“{shown[:40]}”不是数字", f"“{shown[:40]}” is not a number") from None
        if not value.is_finite() or not Decimal(str(low)) <= value <= Decimal(str(high)):
            raise CellRefused(
                f"{shown[:40]} 不在 {low} 到 {high} 之间", f"{shown[:40]} is not between {low} and {high}"
            )
        if whole and value != value.to_integral_value():
            raise CellRefused(f"{shown} 不是整数", f"{shown} is not a whole number")
        return int(value) if value == value.to_integral_value() else float(value)

    return read


DATE_FORMS = (r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]00:00(?::00)?)?", r"(\d{4})[/.](\d{1,2})[/.](\d{1,2})",
              r"(\d{4})年(\d{1,2})月(\d{1,2})日", r"(\d{4})(\d{2})(\d{2})")  # fmt: skip


def date(cell: Any) -> str:
    """YYYY-MM-DD, from a date cell or the ways in which a date is written."""
    shown = unicodedata.normalize("NFKC", plain(cell))
    for form in DATE_FORMS:
        if found := re.fullmatch(form, shown):
            try:
                return datetime.date(*map(int, found.groups())).isoformat()
            except ValueError:
                break
    raise CellRefused(
        f"“{shown[:40]}”不是日期，请写成 2020-02-21", f"“{shown[:40]}” is not a date such as 2020-02-21"
    )


def phone(cell: Any) -> str:
    """A mobile number or a landline; spaces, dashes and +86 are dropped. No list of prefixes: they grow."""
    value = re.sub(r"^['‘’]|[\s\-]", "", unicodedata.normalize("NFKC", plain(cell)))
    value = re.sub(r"^(\+86|0086)", "", value)
    if not re.fullmatch(r"1[3-9]\d{9}|(0\d{2,3})?\d{7,8}", value):
        raise CellRefused(f"电话“{value[:20]}”无效", f"“{value[:20]}” is no phone number")
    return value


def choice(labels: Mapping[str, str]) -> Reader:
    """A code of the list, given as the code or as its zh label."""
    codes = {label: code for code, label in labels.items()} | {code: code for code in labels}

    def read(cell: Any) -> str:
        shown = plain(cell)
        if shown not in codes:
            options = "、".join(f"{label}（{code}）" for code, label in labels.items())
            raise CellRefused(
                f"“{shown[:40]}”不在选项中：{options}", f"“{shown[:40]}” is not one of: {', '.join(labels)}"
            )
        return codes[shown]

    return read


def choices(labels: Mapping[str, str]) -> Reader:
    """Several codes, separated by spaces, commas or semicolons."""
    one = choice(labels)

    def read(cell: Any) -> list[str]:
        parts = [part for part in re.split(r"[\s,，;；、|]+", plain(cell)) if part]
        return list(dict.fromkeys(one(part) for part in parts))

    return read


def items(item_codes: Mapping[str, str], units: Mapping[str, str]) -> Reader:
    """`VEG_BOX:1:box; RICE_BAG:1:袋` → [{item_code, qty, unit}]."""
    item, unit, quantity = choice(item_codes), choice(units), number(0.001, 1000)

    def read(cell: Any) -> list[dict[str, Any]]:
        entries = []
        for part in re.split(r"[;；]\s*", plain(cell).rstrip(";； ")):
            pieces = re.split(r"[:：]", part)
            if len(pieces) != 3:
                raise CellRefused(
                    f"“{part[:40]}”应写成 物资:数量:单位", f"“{part[:40]}” should be item:quantity:unit"
                )
            entries.append(
                {"item_code": item(pieces[0]), "qty": quantity(pieces[1]), "unit": unit(pieces[2])}
            )
        if len({entry["item_code"] for entry in entries}) < len(entries):
            raise CellRefused("同一物资写了两次", "an item is named twice")
        return entries

    return read
