"""A batch: changes of several databases that are handled in one transaction."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from server.intake.tools import Ready
from server.readmodel.mentions import RecordKey
from sync.store import Change, ChangesPage, Seq

Changes = dict[str, list[Change]]


@dataclass
class Batch:
    """Changes of several databases, and how far each was read."""

    changes: Changes = field(default_factory=dict)
    until: dict[str, Seq] = field(default_factory=dict)
    size: int = 0
    ready: Mapping[RecordKey, Ready] = field(default_factory=dict)

    def only_records(self) -> bool:
        return all(name.startswith("inbox-") for name in self.changes)

    def add(self, name: str, page: ChangesPage) -> None:
        self.changes.setdefault(name, []).extend(page.rows)
        self.until[name] = page.last_seq
        self.size += len(page.rows)

    def checkpoints(self) -> list[dict[str, Any]]:
        return [
            {"db": name, "since": seq, "last_received_at": _last_received(self.changes[name])}
            for name, seq in self.until.items()
        ]


def _last_received(changes: list[Change]) -> str | None:
    return max((leaf.received_at for change in changes for leaf in change.leaves), default=None)


@contextmanager
def without_collecting() -> Iterator[None]:
    """A batch makes many objects and hardly a cycle: the garbage collector would look at all of them, again
    and again, and find nothing."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
