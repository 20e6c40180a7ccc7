"""Where a list's table stands in its sheet, and what each of its rows says.

Superiors head their tables as they like: a title above, one or two rows of heads, totals and signatures
below. The heads are where most headings are known. No row that names somebody is ever left out, because the
answer must have them all: what is wrong with a row is remarked on and shown, and the row stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from server.lists.rows import ListRow, Remark, names_somebody, read_row
from server.lists.telling import EVERY, Tell, silent
from server.lists.template import COLUMNS, WHO, Template
from server.register.packages import Facts, letters, named, range_name, spans
from server.register.refusals import FileRefused, NoTable
from server.register.sheets import Rows

HEADS_WITHIN = 20  # rows


@dataclass(frozen=True, slots=True)
class Layout:
    """`heads` are the rows of the headings; `headings`, `columns` and `results` name columns from 0, and so
    does `untitled`: those with content that no heading names."""

    heads: Sequence[int]
    headings: Mapping[int, str]
    columns: Mapping[str, int]
    results: Mapping[str, int]
    untitled: Sequence[int]
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
        raise FileRefused(
            "是空的：请确认名单在这个文件里，在 Excel 中保存后再导入",
            "empty: see that the list is in this file, save it in Excel and import it again",
        )
    heads = _heads(filled, template)
    headings = _headings(dict(filled), heads)
    columns = _columns(headings, template, chosen)
    if not any(name in columns for name in WHO):
        raise _no_table(headings, template)
    body = [(number, line) for number, line in _unmerged(filled, facts, heads[-1]) if number > heads[-1]]
    people = [(number, line) for number, line in body if names_somebody(line, columns, template)]
    found: list[ListRow] = []
    for number, line in people:
        if len(found) % EVERY == 0:
            tell(len(found), len(people), "read")
        found.append(read_row(number, line, columns, facts))
    if not found:
        raise NoTable(
            f"表头（第 {heads[-1]} 行）下面没有一行姓名：请核对表头和列",
            f"there is no name below the heads in row {heads[-1]}: check the heads and the columns",
        )
    left_out = sorted({number for number, _ in body} - {number for number, _ in people})
    untitled = _untitled(people, {*headings, *columns.values()})
    results = _results(headings, {*columns.values()}, template, facts, untitled)
    notes = [*_notes(facts, heads), *_untitled_notes(untitled, facts, heads)]
    return Layout(heads, headings, columns, results, untitled, _twice(found), left_out, notes)


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


def _untitled(named: Rows, titled: set[int]) -> list[int]:
    filled = {at for _, line in named for at, cell in enumerate(line) if str(cell).strip()}
    return sorted(filled - titled)


def _untitled_notes(untitled: Sequence[int], facts: Facts, heads: Sequence[int]) -> list[Remark]:
    """Heads that are merged over several columns leave all but the first without one."""
    if not untitled:
        return []
    columns = named(letters(at) for at in untitled)
    merged = [each for each in facts.merged if each[0] in heads and each[1] != each[3]]
    places = f" ({named(range_name(each) for each in merged)})" if merged else ""
    return [Remark(
        "",
        f"{columns} 列有内容但没有表头{places}，没有读：要核对的内容请指定它是哪一项，或填好表头再导入",
        f"column {columns} has content but no heading{places} and was not read: say what it is, if it "
        "matters, or fill in the heading and import the file again",
    )]  # fmt: skip


def _results(
    headings: Mapping[int, str],
    taken: set[int],
    template: Template,
    facts: Facts,
    untitled: Sequence[int],
) -> dict[str, int]:
    """Where each column of the answer stands; those that the list lacks follow its last column. A column
    with formulas stays as it is."""
    found: dict[str, int] = {}
    for at, heading in headings.items():
        value = template.result(heading)
        if value and value not in found and at not in taken and at not in facts.formula_columns:
            found[value] = at
    free = max({*headings, *taken, *untitled}) + 1
    for each in template.results:
        if each.value not in found:
            found[each.value] = free
            free += 1
    return found


def _no_table(headings: Mapping[int, str], template: Template) -> NoTable:
    seen = "、".join(list(headings.values())[:12])
    known = "、".join([*template.columns.get("name", ())[:3], *template.columns.get("id_number", ())[:3]])
    return NoTable(
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
