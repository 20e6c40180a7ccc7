"""People: the handle on people.sqlite3 that every function of this folder takes first."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine

from server import clock
from server.people.tables import metadata


@dataclass(frozen=True, slots=True)
class People:
    """`secret` salts what is too short to be hashed bare; `now` is the clock, for tests to turn."""

    engine: Engine
    secret: str
    now: Callable[[], datetime] = clock.now

    def create(self) -> None:
        metadata.create_all(self.engine)

    def stamp(self, later: timedelta = timedelta()) -> str:
        """This moment, or one that much later, as the tables keep it."""
        return clock.stamp(self.now() + later)


def token_hash(token: str) -> str:
    """For tokens of 256 random bits: nothing to guess, so a plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def salted_hash(people: People, purpose: str, value: str) -> str:
    """For short values: without `people.secret` the hashes cannot be tried out."""
    return hmac.new(people.secret.encode(), f"{purpose}:{value}".encode(), hashlib.sha256).hexdigest()
