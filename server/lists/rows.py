"""What each row of a list says, and what is to be remarked on. A row that names somebody always stays."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from schemas.expressions.identity import birth_date, normalize_resident_id
from server.lists.template import WHO, Template
from server.register import cells
from server.register.packages import Facts, Merged, range_name
from server.register.refusals import CellRefused, Refusal
from server.register.sheets import unread

TEXT_LENGTH_MAX = 200
NOT_A_NAME = re.compile(r"(合计|总计|小计|共计|填报|填表|审核|制表|备注|说明|注[:：]|total\b)", re.IGNORECASE)
HOW_MANY = re.compile(r"共?\s*\d{1,6}\s*[人名]?")


@dataclass(frozen=True, slots=True)
class Remark:
    """What somebody should know of a row; `column` is a field, "" the row as a whole."""

    column: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class ListRow:
    """`number` is the row in the sheet. `values` has the fields that are filled, and `id_begin`: the digits
    that Excel left of an id number."""

    number: int
    values: Mapping[str, str]
    remarks: Sequence[Remark] = ()


def names_somebody(line: Sequence[Any], columns: Mapping[str, int], template: Template) -> bool:
    """Not a total, a signature, a note, or the heads once more, as on each page of a long list."""
    name, id_number, phone = (_text(line, columns.get(each)) for each in (*WHO, "phone"))
    if NOT_A_NAME.match(name) or _heads_again(line, columns, template):
        return False
    first = next((text for at in range(len(line)) if (text := _text(line, at))), "")
    total = HOW_MANY.fullmatch(name) and NOT_A_NAME.match(first) and not id_number
    return bool(name or id_number or phone) and not total


def _heads_again(line: Sequence[Any], columns: Mapping[str, int], template: Template) -> bool:
    texts = {name: text for name, at in columns.items() if (text := _text(line, at))}
    return bool(texts) and all(template.field(text) == name for name, text in texts.items())


def _text(line: Sequence[Any], at: int | None) -> str:
    if at is None or at >= len(line):
        return ""
    return unicodedata.normalize("NFKC", cells.plain(line[at]))


def read_row(number: int, line: Sequence[Any], columns: Mapping[str, int], facts: Facts) -> ListRow:
    values: dict[str, str] = {}
    remarks: list[Remark] = []
    for name, at in columns.items():
        if reason := unread(facts, number, at):
            remarks.append(_remark(name, reason))
        elif at < len(line) and str(line[at]).strip():
            remarks += _READERS.get(name, _read_text)(name, line[at], values)
    if number in facts.hidden_rows:
        remarks.append(Remark("", "此行在 Excel 里被隐藏", "Excel hides this row"))
    if merged := [each for each in facts.merged if each[0] <= number <= each[2] and each[0] != each[2]]:
        place = range_name(merged[0])
        remarks.append(
            Remark(
                "",
                f"有合并单元格 {place}：按每行都填写读取",
                f"merged cells {place}: read as filled in each row",
            )
        )
    if beside := [each for each in facts.merged if each[0] <= number <= each[2] and _hides(each, columns)]:
        place = range_name(beside[0])
        remarks.append(
            Remark(
                "",
                f"有横向合并的单元格 {place}：只有第一列有内容，其余列按空读取",
                f"cells merged side by side {place}: only the first column has content, the others are empty",
            )
        )
    if not any(name in values for name in WHO):
        remarks.append(
            Remark(
                "", "没有姓名和身份证号，只能人工核对", "neither name nor id number: to be looked up by hand"
            )
        )
    return ListRow(number, values, remarks)


def _hides(merged: Merged, columns: Mapping[str, int]) -> bool:
    """Whether a cell that is merged over columns hides one that is read."""
    return any(merged[1] < at <= merged[3] for at in columns.values())


def _remark(name: str, reason: Refusal) -> Remark:
    return Remark(name, reason.zh, reason.en)


def _read_text(name: str, cell: Any, values: dict[str, str]) -> list[Remark]:
    try:
        values[name] = unicodedata.normalize("NFKC", cells.text(cell))
    except CellRefused as refusal:
        values[name] = unicodedata.normalize("NFKC", _printable(str(cell)))[:TEXT_LENGTH_MAX]
        return [_remark(name, refusal)]
    return []


def _printable(text: str) -> str:
    return "".join(each for each in text if each.isprintable())


def _read_name(name: str, cell: Any, values: dict[str, str]) -> list[Remark]:
    remarks = _read_text(name, cell, values)
    if re.search(r"\d", values[name]):
        remarks.append(
            Remark(name, "姓名里有数字：列是不是错位了？", "digits in a name: is a column out of place?")
        )
    return remarks


def _read_phone(name: str, cell: Any, values: dict[str, str]) -> list[Remark]:
    try:
        values[name] = cells.phone(cell)
    except CellRefused as refusal:
        return [_remark(name, refusal)]
    return []


def _read_id(name: str, cell: Any, values: dict[str, str]) -> list[Remark]:
    given = cells.plain(cell) if not isinstance(cell, float) else _written_out(cell)
    text = normalize_resident_id(given.lstrip("'‘’"))  # typed so that Excel keeps the digits
    if re.fullmatch(r"\d(\.\d+)?[Ee]\+?\d+", text):
        text = _written_out(text)
    if birth_date(text) and isinstance(cell, str):
        values[name] = text
        return []
    if re.fullmatch(r"[1-9]\d{17}", text) and (not isinstance(cell, str) or text.endswith("000")):
        return _cut(name, text, values)
    values[name] = text[:TEXT_LENGTH_MAX]
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9()]{5,17}", text):
        return []  # another document
    return [
        Remark(
            name,
            f"不是有效的身份证号（{len(text)} 位）：请向上级核实",
            f"no valid id number ({len(text)} characters): ask who sent the list",
        )
    ]


def _cut(name: str, text: str, values: dict[str, str]) -> list[Remark]:
    begin = text[: cells.EXCEL_DIGITS].rstrip("0")
    zh, en = (
        f"只剩前 {len(begin)} 位，不能按证件号找人",
        f"its first {len(begin)} digits are too few to go by",
    )
    if len(begin) >= cells.EXCEL_DIGITS - 2:
        values["id_begin"] = text[: cells.EXCEL_DIGITS]
        zh, en = "先按前 15 位列出疑似人员", "until then people are suggested by its first 15 digits"
    return [Remark(
        name,
        f"身份证号被 Excel 当作数字保存，后面的数字已变成 0：请上级把该列设为“文本”重发；{zh}",
        "Excel stored the id number as a number and made its last digits zeros: ask for the list with that "
        f"column as text; {en}",
    )]  # fmt: skip


def _written_out(number: Any) -> str:
    try:
        return format(Decimal(str(number)).to_integral_value(), "f")
    except InvalidOperation:
        return str(number)


_READERS = {"name": _read_name, "phone": _read_phone, "id_number": _read_id}
