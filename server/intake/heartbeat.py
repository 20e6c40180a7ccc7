"""A mark that the follower leaves in the data folder at each round and each batch, so that other processes
can tell whether it is alive, whoever started it."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from server import clock

FILE = "intake.heartbeat"


def beat(data: Path) -> None:
    """A mark that cannot be left must not stop who leaves it."""
    with suppress(OSError):
        (data / FILE).touch(mode=0o600)


def last_beat(data: Path) -> str | None:
    """When, RFC 3339 UTC; None when no follower ever ran on this folder."""
    try:
        return clock.stamp(datetime.fromtimestamp((data / FILE).stat().st_mtime, UTC))
    except FileNotFoundError:
        return None
