"""Two runs of the tests share the work: each file is run once, whoever comes first."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.side_by_side import FROM, SHARED

ROOT = Path(__file__).parents[1]
CONFTEST = """
from tests import side_by_side

def pytest_runtestloop(session):
    return side_by_side.run(session, side_by_side.shared_folder())
"""
A_FILE = """
import pytest

@pytest.fixture(scope="module")
def kept():
    yield
    print("let go")

def test_one(kept): ...
def test_two(kept): print("still kept")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "suite"
    made.mkdir()
    (made / "conftest.py").write_text(CONFTEST)
    for name in "abc":
        (made / f"test_{name}.py").write_text(A_FILE)
    return made


def run(folder: Path, *arguments: str, begins: str = "") -> tuple[list[str], str]:
    """The tests that a run passed, in their order, and all that it said."""
    environ = os.environ | {SHARED: str(folder.parent), FROM: begins, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pytest", "-v", "-s", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return [line.split()[0] for line in done.stdout.splitlines() if "::" in line], done.stdout


def test_a_run_from_the_end_leaves_what_another_has_begun(folder: Path) -> None:
    first, _ = run(folder, "test_b.py")
    assert first == ["test_b.py::test_one", "test_b.py::test_two"]
    second, said = run(folder, begins="end")
    assert second == [f"test_{name}.py::test_{which}" for name in "ca" for which in ("one", "two")]
    assert said.count("still kept") == said.count("let go") == 2
    third, _ = run(folder)
    assert third == []
