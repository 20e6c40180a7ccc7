"""Whether the server is well: what an administrator looks at first when figures stand still.

Each part is measured by itself and says how it is: `good`, `warn` (see to it today) or `bad` (see to it now).
Nothing here names a person.
"""

from __future__ import annotations

import platform
import shutil
import sqlite3
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from server import clock, datafolder
from server.app import Gridbook
from server.intake import asked_rebuild
from server.intake.heartbeat import last_beat
from server.intake.unjudged import unjudged
from server.readmodel.tables import SCHEMA, records
from sync.store import BEGINNING, StoreError

GOOD, WARN, BAD = "good", "warn", "bad"
Part = dict[str, Any]

# Above the first it is worth a look, above the second something is wrong.
BEAT_AGE_S = (30, 120)
WAITING_AGE_S = (60, 600)
BACKUP_AGE_S = (26 * 3600, 7 * 24 * 3600)
FREE_SHARE = (0.10, 0.03)
FREE_BYTES = (2 << 30, 512 << 20)


def measure(shared: Gridbook) -> dict[str, Part]:
    """Every part: {name: {level, …}}; numbers are bytes, seconds and counts."""
    return {name: _measured(part, shared) for name, part in PARTS.items()}


def _measured(part: Callable[[Gridbook], Part], shared: Gridbook) -> Part:
    """A part that cannot be measured is bad, and hides no other."""
    try:
        return part(shared)
    except (StoreError, SQLAlchemyError, OSError) as error:
        return {"level": BAD, "error": type(error).__name__}


def worst(parts: Mapping[str, Part]) -> str:
    levels = {part["level"] for part in parts.values()}
    return BAD if BAD in levels else WARN if WARN in levels else GOOD


def unready(shared: Gridbook) -> list[str]:
    """What does not answer, of what every request needs: store, people, readmodel."""

    def asks(engine: Engine) -> Callable[[], None]:
        def ask() -> None:
            with engine.connect() as connection:
                connection.execute(text("SELECT 1"))

        return ask

    checks: dict[str, Callable[[], Any]] = {
        "store": lambda: shared.store.updates(BEGINNING),
        "people": asks(shared.people.engine),
        "readmodel": asks(shared.readmodel.engine),
    }
    failing = []
    for name, check in checks.items():
        try:
            check()
        except (StoreError, SQLAlchemyError, OSError):
            failing.append(name)
    return failing


def _by_limits(value: float | None, limits: tuple[float, float]) -> str:
    if value is None:
        return BAD
    return BAD if value > limits[1] else WARN if value > limits[0] else GOOD


def age_s(moment: str | None) -> float | None:
    return (clock.now() - datetime.fromisoformat(moment)).total_seconds() if moment else None


def _follower(shared: Gridbook) -> Part:
    """The process that judges and counts; it leaves a mark at each round, at most some seconds apart."""
    beat = last_beat(shared.settings.data)
    age = age_s(beat)
    return {
        "level": _by_limits(age, BEAT_AGE_S),
        "alive": age is not None and age <= BEAT_AGE_S[1],
        "last_beat_at": beat,
    }


def _waiting(shared: Gridbook) -> Part:
    """Records that no verdict answers yet."""
    found = unjudged(shared.store, shared.readmodel).values()
    count = sum(each.records for each in found)
    oldest = min(filter(None, (each.oldest_received_at for each in found)), default=None)
    age = age_s(oldest)
    return {
        "level": GOOD if age is None else _by_limits(age, WAITING_AGE_S),
        "records": count,
        "oldest_received_at": oldest,
        "oldest_age_s": None if age is None else max(0, round(age)),
    }


def _rebuild(shared: Gridbook) -> Part:
    found = asked_rebuild.told(shared.readmodel)
    return {
        "level": {"none": GOOD, "failed": BAD}.get(found.state, WARN),
        "state": found.state,
        "progress": {"handled": found.handled, "of": found.of} if found.of is not None else None,
        "asked_for": found.asked_for,
        "failure": found.failure,
    }


def _quarantine(shared: Gridbook) -> Part:
    """Records that wait for a correction, by the rules that they broke; a record may break several."""
    waits = (records.c.status == "quarantined") & records.c.closed.is_(False)
    query = select(records.c.rules, func.count()).where(waits).group_by(records.c.rules)
    total, by_rule = 0, Counter[str]()
    with shared.readmodel.engine.connect() as connection:
        for rules, count in connection.execute(query):
            total += count
            by_rule.update(dict.fromkeys(set(rules.split()), count))
    # A form that nobody published, or a failure of ours: no volunteer can mend that.
    ours = by_rule["V001"] + by_rule["INTAKE_FAILED"]
    return {"level": WARN if ours else GOOD, "records": total, "by_rule": dict(by_rule.most_common())}


def _disk(shared: Gridbook) -> Part:
    usage = shutil.disk_usage(shared.settings.data)
    share = usage.free / usage.total if usage.total else 0
    short = [
        (share < FREE_SHARE[at] and usage.free < 50 * FREE_BYTES[at]) or usage.free < FREE_BYTES[at]
        for at in (0, 1)
    ]
    level = BAD if short[1] else WARN if short[0] else GOOD
    return {"level": level, "free_bytes": usage.free, "total_bytes": usage.total}


def _store(shared: Gridbook) -> Part:
    names = shared.store.names()
    embedded = shared.settings.store_is_embedded
    size = _file_bytes(shared.settings.store_file) if embedded else None
    return {
        "level": GOOD,
        "kind": "embedded" if embedded else "couchdb",
        "databases": len(names),
        "bytes": size,
    }


def _readmodel(shared: Gridbook) -> Part:
    engine = shared.readmodel.engine
    if engine.dialect.name == "sqlite":
        size = _file_bytes(Path(str(engine.url.database)).resolve())
    else:
        with engine.connect() as connection:
            size = connection.scalar(text("SELECT pg_database_size(current_database())")) or 0
    return {
        "level": GOOD,
        "kind": engine.dialect.name,
        "bytes": size,
        "version": shared.readmodel.version(),
    }


def _file_bytes(path: Path) -> int:
    """With what has not been carried over from its write-ahead log."""
    beside = (path, path.with_name(path.name + "-wal"))
    return sum(each.stat().st_size for each in beside if each.exists())


def _backup(shared: Gridbook) -> Part:
    """The last `flask backup`. Documents in a CouchDB are backed up there."""
    if not shared.settings.store_is_embedded:
        return {"level": GOOD, "last_at": None, "elsewhere": True}
    last = read_last_backup(shared.settings.data)
    return {"level": _by_limits(age_s(last), BACKUP_AGE_S), "last_at": last, "elsewhere": False}


LAST_BACKUP = "last-backup.json"


def note_backup(data: Path, at: str) -> None:
    datafolder.write_private(data / LAST_BACKUP, orjson.dumps({"at": at}).decode())


def read_last_backup(data: Path) -> str | None:
    try:
        found = orjson.loads((data / LAST_BACKUP).read_bytes())
        at = found["at"]
        datetime.fromisoformat(at)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return str(at)


def _server(shared: Gridbook) -> Part:
    return {
        "level": GOOD,
        "workers": shared.settings.workers,
        "gridbook": gridbook_version(),
        "schema": SCHEMA,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }


@cache
def gridbook_version() -> str:
    project = Path(__file__).parent.parent / "pyproject.toml"
    return str(tomllib.loads(project.read_text("utf-8"))["project"]["version"])


PARTS: Mapping[str, Callable[[Gridbook], Part]] = {
    "follower": _follower,
    "waiting": _waiting,
    "rebuild": _rebuild,
    "quarantine": _quarantine,
    "disk": _disk,
    "backup": _backup,
    "store": _store,
    "readmodel": _readmodel,
    "server": _server,
}
