"""Templates: those that are shipped work, wrong ones are refused with everything that is wrong at once."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from server.api.masking import MASKS
from server.readmodel.declaration import read_declaration
from server.workbooks import library
from server.workbooks import template as templates
from server.workbooks.template import Template, TemplateErrors, check
from tests.server.intake.district import COMPILED

ROOT = Path(__file__).parents[3]
KNOWN = library.known(read_declaration(), {form["form_id"]: [form] for form in COMPILED})
PAGE = (ROOT / "docs" / "sheets.md").read_text("utf-8")
GOOD: dict[str, Any] = {
    "title": {"zh": "走访表", "en": "Visits"},
    "rows": "records",
    "form": "household_visit",
    "columns": [{"value": "answer.resident_count", "title": {"zh": "人口"}, "total": True}],
}


def complaints(**changes: Any) -> list[str]:
    with pytest.raises(TemplateErrors) as caught:
        check("a.json", "a", {**GOOD, **changes}, KNOWN)
    return caught.value.complaints


def test_every_template_that_is_shipped_can_be_used() -> None:
    found, wrong = library.templates(ROOT / "forms", KNOWN)
    assert wrong == []
    assert "".join(each.number for each in found.values()) == "①②③④⑥⑦⑧⑨⑯⑰"


def test_every_kind_of_rows_has_a_source_and_names() -> None:
    assert templates.ROWS.keys() == library.SOURCES.keys() == templates.NAMES.keys()


def test_a_good_template_is_read_with_its_defaults() -> None:
    found = check("a.json", "a", GOOD, KNOWN)
    assert isinstance(found, Template)
    assert (found.period, found.totals, found.columns[0].width) == ("day", "none", 12)


def test_everything_that_is_wrong_is_told_at_once_with_its_place() -> None:
    told = complaints(
        rows="poems",
        totals="first",
        colums=[],
        title="走访表",
        columns=[{"value": "x", "width": 900, "wdith": 3}, 7],
    )
    assert [complaint.split(": ")[1] for complaint in told] == [
        "colums", "rows", "title", "form",
        "columns[0].wdith", "columns[0].title", "columns[0].width", "columns[1]",
    ]  # fmt: skip
    assert all(complaint.startswith("a.json: ") for complaint in told)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"form": "poem"}, "no form 'poem' is published; there are household_visit"),
        ({"repeat": "rep_cat"}, "has no repeat 'rep_cat'; there are rep_person"),
        ({"where": "${q_fever} = "}, "where: cannot be read"),
        ({"where": "${q_cat} = 'yes'"}, "${q_cat} is no question"),
        ({"totals": "first"}, 'write "last"'),
        ({"last_of": ["persons_at_home"]}, "belongs only to a form and repeat that name persons"),
        ({"repeat": "rep_person", "last_of": ["visits"]}, "write a list of some of persons_at_home"),
        ({"repeat": "rep_person", "last_of": []}, "write a list of some of persons_at_home"),
        ({"period": "week"}, "write one of day, until"),
        ({"rows": "register"}, "register: write one of household"),
        ({"rows": "towns"}, 'belongs only to "rows": "records"'),
        ({"columns": []}, "a list of 1 to 100 columns"),
        ({"columns": [{"value": "answer.cat", "title": {"zh": "x"}}]}, "no question 'cat'"),
        ({"columns": [{"value": "row.age", "title": {"zh": "x"}}]}, "no question 'age' in the repeat None"),
        ({"columns": [{"value": "record.doc", "title": {"zh": "x"}}]}, "no column 'doc'"),
        ({"columns": [{"value": "figure.A1", "title": {"zh": "x"}}]}, "is nothing that records have"),
        ({"columns": [{"value": "answer.resident_count"}]}, "columns[0].title: write"),
        ({"columns": [{"value": "", "title": {"zh": "x"}, "mask": "none"}]}, "mask: write one of name"),
        ({"columns": [{"value": "", "title": {"zh": "x"}, "choices": "cats"}]}, "choices: write one of"),
        ({"columns": [{"value": "", "title": {"zh": "x"}, "total": "yes"}]}, "total: write true or false"),
    ],
)
def test_a_mistake_is_named_with_its_remedy(changes: dict[str, Any], words: str) -> None:
    assert words in "\n".join(complaints(**changes))


def test_an_indicator_that_is_not_declared_is_named() -> None:
    source = {
        "title": {"zh": "表"},
        "rows": "towns",
        "columns": [{"value": "figure.Z9", "title": {"zh": "x"}}],
    }
    with pytest.raises(TemplateErrors, match="no indicator 'Z9'"):
        check("a.json", "a", source, KNOWN)


@pytest.mark.parametrize("text", ["", "[]", "{", "null", '"x"', "{}", "[" * 100_000])
def test_what_is_no_template_is_refused_by_its_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "sheets").mkdir()
    (tmp_path / "sheets" / "broken.json").write_text(text, "utf-8")
    found, wrong = library.templates(tmp_path, KNOWN)
    assert not found and wrong and all(each.startswith("broken.json: ") for each in wrong)


def test_a_file_name_that_is_no_address_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sheets").mkdir()
    (tmp_path / "sheets" / "我的 表.json").write_text(json.dumps(GOOD), "utf-8")
    assert "file's name" in library.templates(tmp_path, KNOWN)[1][0]


def test_a_broken_template_leaves_the_others_usable(tmp_path: Path) -> None:
    (tmp_path / "sheets").mkdir()
    (tmp_path / "sheets" / "broken.json").write_text("{", "utf-8")
    (tmp_path / "sheets" / "good.json").write_text(json.dumps(GOOD), "utf-8")
    found, wrong = library.templates(tmp_path, KNOWN)
    assert list(found) == ["good"] and len(wrong) == 1


# The reference page


def documented(heading: str) -> list[str]:
    part = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    [section] = [each for each in part if each.startswith(heading)]
    return re.findall(r"^\| `([^`]+)`", section, flags=re.MULTILINE)


@pytest.mark.parametrize(
    ("heading", "names"),
    [
        ("The sheet", list(templates.SHEET_FIELDS)),
        ("A column", list(templates.COLUMN_FIELDS)),
        ("Rows", list(templates.ROWS)),
        ("Masks", list(MASKS)),
    ],
)
def test_the_reference_page_lists_exactly_what_there_is(heading: str, names: list[str]) -> None:
    assert documented(heading) == names


@pytest.mark.parametrize("rows", list(templates.ROWS))
def test_the_reference_page_lists_exactly_the_values_of_each_kind_of_rows(rows: str) -> None:
    [line] = re.findall(rf"^\* `{rows}`: (.*)$", PAGE, flags=re.MULTILINE)
    assert re.findall(r"`([^`]+)`", line) == list(templates.NAMES[rows])


def test_the_page_s_example_is_a_template_that_works() -> None:
    [example] = re.findall(r"```json\n(.*?)```", PAGE, flags=re.DOTALL)
    assert check("example.json", "example", json.loads(example), KNOWN).columns
    assert read_declaration().indicators
