"""A backup is a folder; making one and putting one back.

    backup/  store.sqlite3           every database, revision and attachment, at one moment
             people.sqlite3          staff, devices, tokens: at that moment or a little later, never earlier
             *.key                   all keys: of the salts in people.sqlite3, of the bulletins' seals, …
             demo-credentials.json   only of a demo district
             manifest.json           when it was made, and the SHA-256 of each file

The read model is derived and is not in it. A backup stands under its name only when it is whole, checked and
on disk. Nothing that exists is ever overwritten.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from server import audit, clock, datafolder, health, serving
from server.app import Gridbook
from server.people import devices, staff
from server.settings import SettingsError
from sync.embedded import check, copying

STORE, PEOPLE, CREDENTIALS = "store.sqlite3", "people.sqlite3", "demo-credentials.json"
MANIFEST = "manifest.json"
FORMAT = 1


class BackupRefused(Exception):
    """The message says what is wrong and what to do."""


# Making one


def make(shared: Gridbook, target: Path) -> dict[str, Any]:
    """Write a backup to the folder `target` and return its manifest. Raises BackupRefused."""
    _refuse_couchdb(shared)
    if target.exists():
        raise BackupRefused(f"{target} exists. Name a folder that does not.")
    if not target.parent.is_dir():
        raise BackupRefused(f"{target.parent} is no folder.")
    with _draft_of(target) as draft:
        manifest = _fill(shared, draft)
        _keep_whole(draft / STORE)
        draft.rename(target)
        copying.flush(target.parent)
    health.note_backup(shared.settings.data, str(manifest["started_at"]))
    return manifest


def _refuse_couchdb(shared: Gridbook) -> None:
    if not shared.settings.store_is_embedded:
        raise BackupRefused(
            "The documents are in a CouchDB, and this backs up the data folder's own store: docs/couchdb.md,"
            ' "Compaction and backup", tells how to copy them into one.'
        )


@contextmanager
def _draft_of(target: Path) -> Iterator[Path]:
    """A private folder beside `target`, gone when the block is left, unless it was renamed."""
    draft = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        yield draft
    except (OSError, sqlite3.Error, SQLAlchemyError) as error:
        raise BackupRefused(f"No backup was made: {error}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _fill(shared: Gridbook, draft: Path) -> dict[str, Any]:
    started_at = clock.stamp(clock.now())
    copying.copy_store(shared.settings.store_file, draft / STORE)
    # After the store: then whoever handed in a record of the store is among these people.
    if shared.people.engine.dialect.name == "sqlite":
        _copy_people(shared.people.engine, draft / PEOPLE)
    data = shared.settings.data
    for source in (*data.glob("*.key"), *data.glob(audit.FILE), *data.glob(CREDENTIALS)):
        datafolder.write_private(draft / source.name, source.read_text("utf-8"))
    names = sorted(path.name for path in draft.iterdir())
    manifest = {
        "format": FORMAT,
        "started_at": started_at,
        "store_uuid": shared.store.uuid,
        "files": {
            name: {"bytes": (draft / name).stat().st_size, "sha256": _sha256(draft / name)} for name in names
        },
    }
    datafolder.write_private(draft / MANIFEST, json.dumps(manifest, indent=1) + "\n")
    copying.flush(draft)
    return manifest


def _copy_people(engine: Engine, target: Path) -> None:
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM INTO :target"), {"target": str(target)})
    copying.flush(target)


def _keep_whole(store: Path) -> None:
    """Raises BackupRefused for a copy that is damaged, which the original is then too."""
    findings = check(store)
    if findings.count:
        raise BackupRefused(
            f"No backup was made: its store is damaged ({findings.problems[0]}; {findings.count} in all)."
            " `flask store check` tells whether the district's own is. Keep the last good backup."
        )


# Putting one back


def restore(shared: Gridbook, source: Path) -> dict[str, Any]:
    """Fill the empty data folder from the backup `source` and return its manifest. Raises BackupRefused.

    The restored store counts as a new one (see `copying.become_another`). Ends the use of `shared`: its files
    are replaced.
    """
    _refuse_couchdb(shared)
    manifest = verified_manifest(source)
    try:
        lock = serving.take_data_folder(shared.settings, f"a restore, process {os.getpid()}")
    except SettingsError as error:
        raise BackupRefused(str(error)) from None
    try:
        _refuse_district(shared)
        _replace(shared, source, list(manifest["files"]))
    finally:
        lock.release()
    return manifest


def _replace(shared: Gridbook, source: Path, names: list[str]) -> None:
    data = shared.settings.data
    marker = datafolder.unfinished_restore(data)
    datafolder.write_private(marker, f"{source}\n")
    copying.flush(data)
    _put_away(shared)
    for name in names:
        _bring(source / name, data / name)
    copying.flush(data)
    marker.unlink()
    copying.flush(data)


def verified_manifest(source: Path) -> dict[str, Any]:
    """The manifest of a backup whose files are all there and as they were written. Raises BackupRefused."""
    try:
        manifest: dict[str, Any] = json.loads((source / MANIFEST).read_text("utf-8"))
        files = manifest["files"]
        if manifest["format"] != FORMAT or STORE not in files or not all(map(_is_restorable, files)):
            raise BackupRefused(f"{source / MANIFEST} is not one that this Gridbook can put back.")
        for name, told in files.items():
            if _sha256(source / name) != told["sha256"]:
                raise BackupRefused(f"{source / name} is not what was written into the backup.")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BackupRefused(f"{source} is no whole backup: {error}") from error
    _keep_whole(source / STORE)
    return manifest


def _is_restorable(name: str) -> bool:
    return name in (STORE, PEOPLE, CREDENTIALS, audit.FILE) or re.fullmatch(r"[a-z]+\.key", name) is not None


def _refuse_district(shared: Gridbook) -> None:
    """Only an empty folder is filled, or one that an earlier restore left half filled."""
    settings = shared.settings
    if datafolder.unfinished_restore(settings.data).exists():
        return
    if shared.store.names() or staff.every(shared.people) or devices.every(shared.people):
        raise BackupRefused(
            f"The data folder {settings.data.resolve()} holds a district already. Restore into another:"
            " GRIDBOOK_DATA=<a new folder> flask restore …"
        )


def _put_away(shared: Gridbook) -> None:
    """Remove the empty files that opening the data folder made; SQLite must not have them open any more."""
    shared.store.close()
    shared.people.engine.dispose()
    shared.readmodel.engine.dispose()
    for name in (STORE, PEOPLE, "readmodel.sqlite3"):
        for end in ("", "-wal", "-shm"):
            (shared.settings.data / f"{name}{end}").unlink(missing_ok=True)


def _bring(source: Path, target: Path) -> None:
    draft = target.with_name(f".{target.name}.restore")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as written:
        with source.open("rb") as read:
            shutil.copyfileobj(read, written)
        written.flush()
        os.fsync(written.fileno())
    if target.name == STORE:
        copying.become_another(draft)
    draft.rename(target)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
