"""Where a list's table stands in its sheet, and what each of its rows says.

Superiors head their tables as they like: a title above, one or two rows of heads, totals and signatures
below. The heads are where most headings are known. No row that names somebody is ever left out, because the
answer must have them all: what is wrong with a row is remarked on and shown, and the row stays.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from schemas.expressions.identity import birth_date, normalize_resident_id
from server.lists.telling import EVERY, Tell, silent
from server.lists.template import COLUMNS, WHO, Template
from server.register import cells
from server.register.packages import Facts, letters, range_name, spans
from server.register.refusals import CellRefused, FileRefused, Refusal
from server.register.sheets import Rows, unread

HEADS_WITHIN = 20  # rows
TEXT_LENGTH_MAX = 200
ID_LENGTH = 18
NOT_A_NAME = re.compile(r"(合计|总计|小计|共计|填报|填表|审核|制表|备注|说明|注[:：]|total\b)", re.IGNORECASE)


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


@dataclass(frozen=True, slots=True)
class Layout:
    """`heads` are the rows of the headings; `headings`, `columns` and `results` name columns from 0."""

    heads: Sequence[int]
    headings: Mapping[int, str]
    columns: Mapping[str, int]
    results: Mapping[str, int]
    rows: Sequence[ListRow]
    left_out: Sequence[int]
    notes: Sequence[Remark] = field(default_factory=list)


def laid_out(
    rows: Rows, facts: Facts, template: Template, chosen: Mapping[str, int], tell: Tell = silent
) -> Layout:
    """`chosen` says which column a field has, -1 for none; the headings say it of the others. Raises
    FileRefused when the sheet has no such table."""
    filled = [(number, line) for number, line in rows if any(str(cell).strip() for cell in line)]
    if not filled:
        raise FileRefused("工作表是空的", "The sheet is empty")
    heads = _heads(filled, template)
    headings = _headings(dict(filled), heads)
    columns = _columns(headings, template, chosen)
    if not any(name in columns for name in WHO):
        raise _no_table(headings, template)
    body = [(number, line) for number, line in _unmerged(filled, facts, heads[-1]) if number > heads[-1]]
    named = [(number, line) for number, line in body if _names_somebody(line, columns)]
    found: list[ListRow] = []
    for number, line in named:
        if len(found) % EVERY == 0:
            tell(len(found), len(named), "read")
        found.append(_row(number, line, columns, facts))
    if not found:
        raise FileRefused("表头下面没有一行姓名", "There is no name below the heads")
    left_out = sorted({number for number, _ in body} - {number for number, _ in named})
    results = _results(headings, columns, template, facts)
    return Layout(heads, headings, columns, results, _twice(found), left_out, _notes(facts, heads))


# The heads


def _heads(filled: Rows, template: Template) -> list[int]:
    """The row of the headings, or two that have more of them together."""
    lines = dict(filled[: HEADS_WITHIN + 1])
    numbers = list(lines)[:HEADS_WITHIN]

    def known(heads: list[int]) -> int:
        return len({template.field(each) for each in _headings(lines, heads).values()} - {None})

    best = max(numbers, key=lambda number: known([number]))
    pairs = [[number, number + 1] for number in (best - 1, best) if number in lines and number + 1 in lines]
    return max([[best], *pairs], key=known)


def _headings(lines: Mapping[int, Sequence[Any]], heads: Sequence[int]) -> dict[int, str]:
    """Of two rows of heads the lower one counts, where it says something."""
    found: dict[int, str] = {}
    for number in heads:
        found |= {at: text for at, cell in enumerate(lines[number]) if (text := str(cell).strip())}
    return found


def _columns(headings: Mapping[int, str], template: Template, chosen: Mapping[str, int]) -> dict[str, int]:
    found = {name: at for name, at in chosen.items() if name in COLUMNS and at >= 0}
    taken = set(found.values())
    for at, heading in headings.items():
        name = template.field(heading)
        if name and name not in found and name not in chosen and at not in taken:
            found[name] = at
    return found


def _results(
    headings: Mapping[int, str], columns: Mapping[str, int], template: Template, facts: Facts
) -> dict[str, int]:
    """Where each column of the answer stands; those that the list lacks follow its last column. A column
    with formulas stays as it is."""
    found: dict[str, int] = {}
    for at, heading in headings.items():
        value = template.result(heading)
        if value and value not in found and at not in columns.values() and at not in facts.formula_columns:
            found[value] = at
    free = max(headings) + 1
    for each in template.results:
        if each.value not in found:
            found[each.value] = free
            free += 1
    return found


def _no_table(headings: Mapping[int, str], template: Template) -> FileRefused:
    seen = "、".join(list(headings.values())[:12])
    known = "、".join([*template.columns.get("name", ())[:3], *template.columns.get("id_number", ())[:3]])
    return FileRefused(
        f"没有找到姓名或身份证号一列。读到的表头：{seen}。认得的表头如：{known}。请选对工作表，或在下面指定列",
        f"There is no column of names or id numbers. Headings read: {seen}. Known are {known}, … "
        "Choose the right sheet, or say which column it is",
    )


def _notes(facts: Facts, heads: Sequence[int]) -> list[Remark]:
    found = []
    if len(heads) > 1:
        found.append(
            Remark(
                "",
                f"第 {heads[0]}、{heads[1]} 行合起来作为表头",
                f"rows {heads[0]} and {heads[1]} together are the heads",
            )
        )
    if facts.hidden_rows:
        rows = spans(facts.hidden_rows)
        found.append(
            Remark(
                "", f"隐藏（或被筛掉）的行也读了：{rows}", f"hidden or filtered rows were read too: {rows}"
            )
        )
    if facts.hidden_columns:
        names = ", ".join(letters(each) for each in facts.hidden_columns[:8])
        found.append(Remark("", f"隐藏的列也读了：{names}", f"hidden columns were read too: {names}"))
    return found


# The rows


def _unmerged(filled: Rows, facts: Facts, last_head: int) -> Iterator[tuple[int, list[Any]]]:
    """A cell merged over several rows holds for each of them."""
    lines = {number: list(line) for number, line in filled}
    for first_row, first, last_row, last in facts.merged:
        if first_row <= last_head or first_row == last_row or first_row not in lines:
            continue
        for number in range(first_row + 1, last_row + 1):
            line = lines.get(number)
            for at in range(first, last + 1):
                if line is not None and at < len(line) and at < len(lines[first_row]):
                    line[at] = line[at] or lines[first_row][first]
    yield from lines.items()


def _names_somebody(line: Sequence[Any], columns: Mapping[str, int]) -> bool:
    who = [_text(line, columns.get(name)) for name in (*WHO, "phone")]
    return any(who) and not NOT_A_NAME.match(who[0])


def _text(line: Sequence[Any], at: int | None) -> str:
    if at is None or at >= len(line):
        return ""
    return unicodedata.normalize("NFKC", cells.plain(line[at]))


def _row(number: int, line: Sequence[Any], columns: Mapping[str, int], facts: Facts) -> ListRow:
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
    if not any(name in values for name in WHO):
        remarks.append(
            Remark(
                "", "没有姓名和身份证号，只能人工核对", "neither name nor id number: to be looked up by hand"
            )
        )
    return ListRow(number, values, remarks)


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
    text = normalize_resident_id(cells.plain(cell) if not isinstance(cell, float) else _written_out(cell))
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
    if len(begin) >= cells.EXCEL_DIGITS - 2:
        values["id_begin"] = text[: cells.EXCEL_DIGITS]
    return [Remark(
        name,
        "身份证号被 Excel 当作数字保存，后面的数字已变成 0：请上级把该列设为“文本”重发；"
        "先按前 15 位列出疑似人员",
        "Excel stored the id number as a number and made its last digits zeros: ask for the list with that "
        "column as text; until then people are suggested by its first 15 digits",
    )]  # fmt: skip


def _written_out(number: Any) -> str:
    try:
        return format(Decimal(str(number)).to_integral_value(), "f")
    except InvalidOperation:
        return str(number)


_READERS = {"name": _read_name, "phone": _read_phone, "id_number": _read_id}


def _twice(rows: Sequence[ListRow]) -> list[ListRow]:
    """Who stands in the list twice is remarked on; each row is answered all the same."""
    first: dict[object, int] = {}
    found = []
    for row in rows:
        number = row.values.get("id_number")
        key = number or tuple(sorted(row.values.items()))
        earlier = first.setdefault(key, row.number)
        remarks = list(row.remarks)
        if earlier != row.number:
            remarks.append(Remark("", f"与第 {earlier} 行是同一人", f"the same person as in row {earlier}"))
        found.append(ListRow(row.number, row.values, remarks))
    return found
