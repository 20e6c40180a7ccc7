"""`flask import`, as a clerk runs it."""

import csv
from pathlib import Path

import pytest

from server.register.kinds import KINDS
from tests.server.register.tables import AREAS, HOUSEHOLD, write_csv
from tests.servers import ROOT, Server


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Server:
    return Server(tmp_path_factory.mktemp("office") / "var")


def test_a_good_file_ends_with_0_and_a_bad_row_with_1_and_a_report(office: Server, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "areas.csv", [*AREAS, {"code": "=1+1", "name": "x"}])
    result = office.flask("import", "areas", path, "--report", tmp_path / "refused.csv", check=False)
    assert result.returncode == 1
    assert "新增 added 5" in result.stdout
    assert "拒绝 refused 1" in result.stdout
    assert "第 7 行" in result.stderr
    with open(tmp_path / "refused.csv", encoding="utf-8-sig", newline="") as file:
        header, row = csv.reader(file)
    assert header[0] == "行/row"
    assert row[0] == "7"
    assert "“=1+1” is no id" in row[5]
    assert row[3] == "拒绝/refused"
    again = office.flask("import", "areas", write_csv(path, AREAS))
    assert "未变 unchanged 5, 拒绝 refused 0" in again.stdout


def test_a_warning_is_shown_and_written_and_the_command_ends_with_0(office: Server, tmp_path: Path) -> None:
    office.flask("import", "areas", write_csv(tmp_path / "areas.csv", AREAS))
    path = write_csv(tmp_path / "households.csv", [HOUSEHOLD | {"household_id": "12345678901234567000"}])
    result = office.flask("import", "households", path, "--report", tmp_path / "report.csv")
    assert "新增 added 1" in result.stdout
    assert "提醒 warnings 1" in result.stdout
    assert "第 2 行" in result.stderr
    with open(tmp_path / "report.csv", encoding="utf-8-sig", newline="") as file:
        _, row = csv.reader(file)
    assert row[:4] == ["2", "12345678901234567000", "household_id", "提醒/warning"]


def test_without_a_name_the_report_goes_into_the_data_folder(office: Server, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "areas.csv", [{"code": "12", "name": "x"}])
    result = office.flask("import", "areas", path, check=False)
    (report,) = (office.data / "imports").glob("areas-*-refused.csv")
    assert str(report) in result.stderr


@pytest.mark.parametrize(
    ("content", "why"),
    [("colour\nred\n", "Missing: code, name. Unknown: colour."), ("", "is empty"), (None, "no file")],
)
def test_a_file_that_cannot_be_is_refused_in_a_sentence(office: Server, tmp_path: Path, content, why) -> None:
    path = tmp_path / "areas.csv"
    if content is not None:
        path.write_text(content, "utf-8")
    result = office.flask("import", "areas", path, check=False)
    assert result.returncode == 1
    assert why in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_the_page_on_imports_names_every_column(kind) -> None:
    page = (ROOT / "docs" / "import.md").read_text("utf-8")
    section = page.partition(f"### {kind.name}\n")[2].partition("###")[0]
    listed = [line for line in section.splitlines() if line.startswith("| `")]
    assert listed == [
        f"| `{column.name}` | {'、'.join(column.zh)} | {'yes' if column.required else ''} | {column.help} |"
        for column in kind.columns
    ]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_no_header_means_two_columns_of_one_kind(kind) -> None:
    names = [name for column in kind.columns for name in {column.name, *column.zh}]
    assert len(names) == len(set(names))
