"""What holds for every list: outcomes partition it, decisions' order does not matter, matching finds whom it
should and offers nobody without a reason, cells are spliced in without touching another byte."""

from __future__ import annotations

import re
import string

from hypothesis import given
from hypothesis import strategies as st

from server.lists.matching import CANDIDATES_MAX, ENOUGH, POINTS, Known, Wanted, matches
from server.lists.outcomes import OUTCOMES, STATES, Decision, standing
from server.lists.splicing import spliced

ROWS = st.integers(1, 8)
DECISIONS = st.lists(
    st.builds(
        Decision,
        row=st.integers(1, 10),  # rows that the list does not have too
        n=st.integers(1, 5),
        decided_at=st.sampled_from(["2020-02-20", "2020-02-21", "2020-02-22"]),
        outcome=st.sampled_from([*OUTCOMES, None, "no such outcome"]),
    ),
    unique_by=lambda each: (each.row, each.n),
)
MOMENT = st.sampled_from([None, "2020-02-19", "2020-02-21", "2020-02-23"])


@given(st.sets(ROWS), DECISIONS, MOMENT)
def test_the_outcomes_and_the_open_rows_sum_to_the_list_at_any_moment(
    rows: set[int], decisions: list[Decision], as_of: str | None
) -> None:
    found = standing(sorted(rows), decisions, as_of)
    counts = found.counts()
    assert sum(counts.values()) == len(rows)
    assert set(counts) == set(STATES)
    for state in STATES:
        assert counts[state] == sum(found.state(row) == state for row in rows)


@given(DECISIONS, st.randoms())
def test_the_order_in_which_decisions_are_read_does_not_matter(decisions: list[Decision], random) -> None:
    shuffled = decisions[:]
    random.shuffle(shuffled)
    assert standing(range(1, 9), shuffled).counts() == standing(range(1, 9), decisions).counts()


@given(DECISIONS)
def test_what_was_decided_later_changes_no_earlier_answer(decisions: list[Decision]) -> None:
    early = [each for each in decisions if each.decided_at <= "2020-02-21"]
    assert standing(range(1, 9), decisions, "2020-02-21").counts() == standing(range(1, 9), early).counts()


NAMES, PHONES, IDS = (
    st.sampled_from(["", *each]) for each in (["丁", "戊", "己"], ["1", "2"], ["id:a", "id:b"])
)
PINYIN = {"": "", "丁": "ding", "戊": "wu", "己": "ji"}
SPELLED = NAMES.map(lambda name: {"name": name, "pinyin": PINYIN[name]})
WANTED = st.tuples(
    SPELLED,
    st.fixed_dictionaries(
        {
            "phone": PHONES,
            "id_key": IDS,
            "id_keys_begin": st.frozensets(st.sampled_from(["id:a", "id:b"])),
            "area": st.sampled_from(["", "370304102", "370304102901"]),
        }
    ),
).map(lambda parts: parts[0] | parts[1])
KNOWN = st.tuples(
    SPELLED,
    st.fixed_dictionaries(
        {
            "phone": PHONES,
            "id_key": IDS,
            "village_code": st.sampled_from(["370304102901", "370304103901"]),
        }
    ),
).map(lambda parts: parts[0] | parts[1])


@given(st.lists(WANTED, max_size=6), st.lists(KNOWN, max_size=12))
def test_matching_agrees_with_comparing_everybody_with_everybody(wanted, known) -> None:
    rows = [Wanted(number, **each) for number, each in enumerate(wanted, start=1)]
    people = [Known(f"person:{n}", "person", household_id="", **each) for n, each in enumerate(known)]
    found = matches(rows, people)
    for row in rows:
        slow = sorted((-_points(row, each), each.key) for each in people if _points(row, each) >= ENOUGH)
        assert [(-each.points, each.key) for each in found.get(row.number, [])] == slow[:CANDIDATES_MAX]


def _points(row: Wanted, known: Known) -> int:
    """The rules once more, plainly."""
    points = 0
    if row.id_key and row.id_key == known.id_key:
        points += POINTS["id"]
    elif known.id_key in row.id_keys_begin and known.id_key:
        points += POINTS["id_begin"]
    if row.name and row.name == known.name:
        points += POINTS["name"]
    elif row.pinyin and row.pinyin == known.pinyin:
        points += POINTS["pinyin"]
    if row.phone and row.phone == known.phone:
        points += POINTS["phone"]
    brought_up = points > 0
    if row.area == known.village_code:
        points += POINTS["village"]
    elif row.area and known.village_code[:9] == row.area[:9]:
        points += POINTS["town"]
    return points if brought_up else 0


LINES = st.lists(
    st.tuples(st.integers(0, 30), st.sampled_from(["v", "empty", "formula"])),
    max_size=6,
    unique_by=lambda each: each[0],
)
SHEETS = st.lists(st.tuples(st.booleans(), LINES), max_size=6)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)


@given(SHEETS, st.dictionaries(st.tuples(st.integers(1, 7), st.integers(0, 27)), TEXTS, max_size=8))
def test_splicing_sets_its_cells_and_no_other(sheet, cells) -> None:
    data = _sheet_xml(sheet)
    out = spliced(data, cells)
    before, after = _cells(data), _cells(out)
    rows = set(range(1, len(sheet) + 1))
    wanted = {key: text for key, text in cells.items() if key[0] in rows}
    assert {key: value for key, value in after.items() if key not in wanted} == {
        key: value for key, value in before.items() if key not in wanted
    }
    assert wanted.keys() <= after.keys()
    for number in rows:
        columns = [column for row, column in after if row == number]
        assert columns == sorted(columns), "Excel refuses cells that are out of order"
    assert re.sub(rb"<row.*</sheetData>|<row[^>]*/>|<dimension[^>]*>", b"", out, flags=re.DOTALL) == re.sub(
        rb"<row.*</sheetData>|<row[^>]*/>|<dimension[^>]*>", b"", data, flags=re.DOTALL
    )


LETTERS = [*string.ascii_uppercase, *(f"A{each}" for each in string.ascii_uppercase)]
INSIDE = {
    "v": '<c r="{}" s="3"><v>1</v></c>',
    "empty": '<c r="{}" s="2"/>',
    "formula": '<c r="{}"><f>A1&gt;2</f><v/></c>',
}


def _sheet_xml(sheet) -> bytes:
    lines = []
    for number, (tall, line) in enumerate(sheet, start=1):
        inside = "".join(INSIDE[kind].format(f"{LETTERS[column]}{number}") for column, kind in sorted(line))
        height = ' ht="20" spans="1:3"' if tall else ""
        lines.append(
            f'<row r="{number}"{height}>{inside}</row>' if inside else f'<row r="{number}"{height}/>'
        )
    rows = "".join(lines)
    return (
        '<?xml version="1.0" encoding="UTF-8"?><worksheet xmlns="x"><dimension ref="A1:C9"/>'
        f'<sheetData>{rows}</sheetData><mergeCells count="0"/></worksheet>'
    ).encode()


def _cells(data: bytes) -> dict[tuple[int, int], str]:
    from xml.etree import ElementTree

    from server.register.packages import place

    found = {}
    for cell in ElementTree.fromstring(data).iter("{x}c"):  # noqa: S314  our own
        found[place(cell.attrib["r"])] = ElementTree.tostring(cell, encoding="unicode")
    return found
