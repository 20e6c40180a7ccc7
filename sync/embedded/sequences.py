"""The embedded store's sequences: `<number>-<epoch>`, where the epoch names the database's incarnation."""

from __future__ import annotations

import re

from sync.store import Seq

_SEQUENCE = re.compile(r"([0-9]{1,18})(?:-(.+))?", re.ASCII)


def written(number: int, epoch: str) -> Seq:
    return f"{number}-{epoch}"


def number_of(since: Seq, epoch: str) -> int:
    """What to start after: 0 for a sequence of another incarnation. A plain number is one of this."""
    found = _SEQUENCE.fullmatch(since)
    return int(found[1]) if found is not None and found[2] in (None, epoch) else 0
