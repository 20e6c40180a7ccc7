"""PouchDB from npm, in node, against the real server."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[1] / "pouchdb"


@pytest.fixture(scope="module")
def installed() -> Path:
    if not (FOLDER / "node_modules" / "pouchdb").is_dir():
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=FOLDER, check=True)
    return FOLDER


def test_an_unmodified_pouchdb_replicates_both_ways(
    live_server: Any, installed: Path, tmp_path: Path
) -> None:
    command = ["node", "replicate.mjs", live_server.url, str(tmp_path)]
    told = subprocess.run(command, cwd=installed, capture_output=True, text=True, timeout=240, check=False)
    steps = ["bothWays", "conflictsAndDeletes", "serverToServer", "live", "aPhoneOfTheVillage"]
    assert told.stdout.splitlines() == [f"ok {step}" for step in steps], told.stderr
    assert told.returncode == 0
