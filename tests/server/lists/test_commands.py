"""`flask lists …`, the templates, and a backup that has the lists."""

import json
from pathlib import Path

import openpyxl
import pytest

from server import backup
from server.lists.template import templates
from sync import embedded
from tests.server.api.world import ROOT, World
from tests.server.lists import pushed


def run(world: World, *words: str) -> tuple[int, str]:
    found = world.app.test_cli_runner().invoke(args=["lists", *words])
    return found.exit_code, found.output


def test_a_list_is_imported_and_answered_from_the_command_line(world: World, tmp_path: Path) -> None:
    file = tmp_path / "名单.xlsx"
    file.write_bytes(pushed.file(pushed.workbook()))
    asked = ["import", str(file), "--template", "returnees", "--by", "dong"]
    assert "dry run" in run(world, *asked, "--dry-run")[1]
    code, told = run(world, *asked)
    assert code == 0, told
    list_id = told.splitlines()[-1].partition(":")[0]
    assert "already_managed 1, open 3" in told
    assert run(world, *asked)[0] == 1, "the same file is a list already"
    target = tmp_path / "答复.xlsx"
    answer = ["answer", list_id, str(target), "--reason", "反馈市指挥部", "--by", "dong"]
    code, told = run(world, *answer)
    assert code == 0 and "3 names are still open" in told
    assert openpyxl.load_workbook(target).worksheets[0]["G3"].value == "前期已排查"
    assert run(world, *answer)[0] == 1, "a file that exists is not overwritten"
    assert list_id in run(world, "list")[1]
    assert run(world, "match", list_id) == (0, "0 more names are settled\n")


@pytest.mark.parametrize("who", ["bai", "cun", "nobody"])
def test_a_list_is_imported_in_the_name_of_somebody_who_may(world: World, tmp_path: Path, who: str) -> None:
    (tmp_path / "a.csv").write_text("姓名\n示范丁\n", "utf-8")
    code, told = run(world, "import", str(tmp_path / "a.csv"), "--template", "returnees", "--by", who)
    assert code == 1 and "nobody who may" in told


def test_a_file_that_is_not_there_or_no_list_is_told(world: World, tmp_path: Path) -> None:
    asked = ["--template", "returnees", "--by", "dong"]
    assert "no file" in run(world, "import", str(tmp_path / "a.csv"), *asked)[1]
    (tmp_path / "a.csv").write_bytes(b"")
    assert "empty" in run(world, "import", str(tmp_path / "a.csv"), *asked)[1]


def test_a_backup_has_the_lists_and_what_was_decided(world: World, tmp_path: Path) -> None:
    made = pushed.kept(world)
    backup.make(world.gridbook, tmp_path / "backup")
    copy = embedded.open_store(tmp_path / "backup" / "store.sqlite3")
    ids = {row["id"] for row in copy.open("lists").all_docs()["rows"]}
    copy.close()
    assert {
        f"list:{made.list_id}",
        f"decision:{made.list_id}:0000003:0001",
        f"matching:{made.list_id}",
    } <= ids


# Templates


def test_the_templates_of_the_forms_folder_are_good() -> None:
    found, complaints = templates(ROOT / "forms")
    assert (sorted(found), complaints) == (["close_contacts", "returnees"], [])


def test_a_copied_template_needs_no_program(tmp_path: Path) -> None:
    given = json.loads((ROOT / "forms" / "lists" / "returnees.json").read_text("utf-8"))
    given["columns"]["name"] = ["被核查人"]
    given["outcomes"] = {"missed": "漏报"}
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "city.json").write_text(json.dumps(given), "utf-8")
    template = templates(tmp_path)[0]["city"]
    assert template.field("被核查人（必填） *") == "name"
    assert template.outcomes["missed"] == "漏报"


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"columns": {}}, "columns: write the headings of name or id_number"),
        ({"columns": {"name": ["姓名"], "age": ["年龄"]}}, "columns.age: there are"),
        ({"columns": {"name": ["姓名"], "phone": ["姓 名"]}}, "姓名 stands for two columns"),
        ({"columns": {"name": "姓名"}}, "columns.name: write a list"),
        ({"results": []}, "outcome among them"),
        ({"results": [{"value": "verdict", "title": "x"}]}, "results[0].value"),
        ({"outcomes": {"dead": "死亡"}}, "outcomes.dead: there are"),
        ({"title": "名单"}, "title: write"),
        ({"colour": 1}, "colour: no such field"),
        ({"number": ["⑤"]}, "number: write a text"),
    ],
)
def test_a_template_that_cannot_be_used_says_where_and_what(
    tmp_path: Path, changes: dict[str, object], complaint: str
) -> None:
    given = json.loads((ROOT / "forms" / "lists" / "returnees.json").read_text("utf-8")) | changes
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "a.json").write_text(json.dumps(given), "utf-8")
    found, complaints = templates(tmp_path)
    assert found == {} and any(complaint in each for each in complaints), complaints


@pytest.mark.parametrize("text", ["", "[", "[]", "3", "[" * 100_000])
def test_what_is_no_template_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "a.json").write_text(text, "utf-8")
    found, complaints = templates(tmp_path)
    assert found == {} and complaints[0].startswith("a.json: ")
