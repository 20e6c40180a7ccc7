"""Two runs of the same tests side by side, one from each end of the files: they end at the same time.

GRIDBOOK_TEST_SHARED   a folder that both know: who begins a file first has it
GRIDBOOK_TEST_FROM     `end` for the run that takes the last file first

Without the folder a run is like any other.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from hashlib import sha256
from itertools import groupby
from pathlib import Path

import pytest

SHARED = "GRIDBOOK_TEST_SHARED"
FROM = "GRIDBOOK_TEST_FROM"


def shared_folder() -> Path | None:
    named = os.environ.get(SHARED)
    return Path(named) if named else None


def run(session: pytest.Session, folder: Path) -> bool:
    """Run what of the collected items nobody else has begun: `pytest_runtestloop`."""
    if session.testsfailed and not session.config.option.continue_on_collection_errors:
        raise session.Interrupted(f"{session.testsfailed} errors during collection")
    mine = _mine(session.items, folder)
    item = next(mine, None)
    while item is not None:
        following = next(mine, None)  # asked first: it decides which fixtures are kept
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.shouldfail:
            raise session.Failed(session.shouldfail)
        if session.shouldstop:
            raise session.Interrupted(session.shouldstop)
        item = following
    return True


def _mine(items: list[pytest.Item], folder: Path) -> Iterator[pytest.Item]:
    files = [list(of_file) for _, of_file in groupby(items, key=lambda item: item.path)]
    for of_file in reversed(files) if os.environ.get(FROM) == "end" else files:
        if _is_first(of_file[0].path, folder):
            yield from of_file


def _is_first(path: Path, folder: Path) -> bool:
    mark = folder / f"begun-{sha256(str(path).encode()).hexdigest()}"
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True
