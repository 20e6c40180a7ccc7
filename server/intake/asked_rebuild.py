"""A rebuild that staff ask the running follower for: begun, watched, called off."""

from __future__ import annotations

from dataclasses import dataclass

from server.intake.rebuilding import (
    ATTEMPTS,
    CALL_OFF,
    FAILED,
    REBUILD,
    REQUEST,
    read_failure,
    read_progress,
)
from server.readmodel.model import ReadModel, read_meta, write_meta

STATES = ("none", "asked", "running", "cancelling", "failed")


class UnderWay(Exception):
    """A rebuild was asked for already, or runs."""


class NotAskedFor(Exception):
    """None was asked for. One that the follower has to make, for its tables are out of date, cannot be called
    off."""


@dataclass(frozen=True, slots=True)
class Told:
    """How a rebuild stands, in records; `of` is None before anything was read. `failure` is when and why the
    last one failed, as the follower wrote it."""

    state: str
    handled: int
    of: int | None
    asked_for: bool
    failure: str | None


def told(readmodel: ReadModel) -> Told:
    with readmodel.engine.connect() as connection:
        request = read_meta(connection, REQUEST)
    progress, failure = read_progress(readmodel), read_failure(readmodel)
    if request == CALL_OFF:
        state = "cancelling"
    elif progress:
        state = "running"
    elif request == REBUILD:
        state = "asked"
    else:
        state = "failed" if failure else "none"
    handled, of = (progress["handled"], progress["of"]) if progress else (0, None)
    return Told(state, handled, of, request == REBUILD, failure if state == "failed" else None)


def start(readmodel: ReadModel) -> None:
    """Ask for one. Raises UnderWay."""
    if told(readmodel).state not in ("none", "failed"):
        raise UnderWay
    with readmodel.engine.begin() as connection:
        for name, value in ((FAILED, ""), (ATTEMPTS, "0"), (REQUEST, REBUILD)):
            write_meta(connection, name, value)


def call_off(readmodel: ReadModel) -> None:
    """The follower ends it after the batch that it is at; the figures stay as they are. Doing it twice
    changes nothing more. Raises NotAskedFor."""
    with readmodel.engine.begin() as connection:
        request = read_meta(connection, REQUEST)
        if request == REBUILD:
            write_meta(connection, REQUEST, CALL_OFF)
    if request not in (REBUILD, CALL_OFF):
        raise NotAskedFor
