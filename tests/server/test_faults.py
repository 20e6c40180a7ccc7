"""The short form of `python -m bench.faults`: a few faults, and nothing that was acknowledged is lost."""

from __future__ import annotations

import pytest

from bench.faults.__main__ import run
from bench.faults.district import mount_small, unmount


def test_nothing_acknowledged_is_lost_by_faults() -> None:
    kinds = ("worker", "follower", "network", "disk full")
    outcome = run(5, 7, phones=2, pouchdb=1, only=kinds, say=lambda _line: None)
    assert outcome.losses == []
    assert sum(outcome.faults.values()) >= 2


def test_a_disk_could_be_filled(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Tells at the end of the run when the faults above had to leave out the full disk."""
    folder = tmp_path_factory.mktemp("disk")
    if not mount_small(folder, 1):
        pytest.skip("Not tested: losses on a full disk (this user may not mount a small file system)")
    unmount(folder)
