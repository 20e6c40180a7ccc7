"""`check`: every flipped byte that anybody could read is found; a whole file is called whole."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sync.embedded import check
from sync.embedded.schema import TABLES
from tests.sync.embedded.villages import filled_store

FLIPS = 300
THROUGH_INDEXES = (
    "SELECT db, moved FROM databases INDEXED BY databases_by_moved ORDER BY moved",
    "SELECT name FROM databases ORDER BY name",
    "SELECT db, seq, rev, deleted, revision, single, id FROM documents INDEXED BY documents_by_seq"
    " ORDER BY db, seq",
    "SELECT blob, revision FROM attachments INDEXED BY attachments_by_blob ORDER BY blob",
    "SELECT sha256, blob FROM blobs ORDER BY sha256",
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "store.sqlite3"
    filled_store(path).close()
    return path


def everything(path: Path) -> list[Any]:
    """All that SQLite can read in the file, by its tables and by its indexes; an error is told as such."""
    tables = [line.split()[2] for line in TABLES.splitlines() if line.startswith("CREATE TABLE")]
    queries = ["SELECT * FROM sqlite_schema", "PRAGMA user_version", "PRAGMA encoding"]
    queries += [f"SELECT * FROM {table}" for table in tables]  # noqa: S608
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = bytes
        return [answer(connection, query) for query in (*queries, *THROUGH_INDEXES)]


def answer(connection: sqlite3.Connection, query: str) -> Any:
    try:
        return connection.execute(query).fetchall()
    except (sqlite3.Error, UnicodeDecodeError) as error:  # the latter: a broken name in SQLite's own message
        return str(error)


def with_flip(content: bytes, at: int, bit: int) -> bytes:
    return content[:at] + bytes([content[at] ^ (1 << bit)]) + content[at + 1 :]


def test_a_whole_file_is_whole(whole: Path) -> None:
    findings = check(whole)
    assert findings.problems == []
    assert (findings.rows["databases"], findings.rows["documents"]) == (2, 144)


@pytest.mark.parametrize("seed", range(3))
def test_every_flipped_bit_that_can_be_read_is_found(whole: Path, tmp_path: Path, seed: int) -> None:
    content, expected = whole.read_bytes(), everything(whole)
    path = tmp_path / "store.sqlite3"
    chance = random.Random(seed)
    readable = 0
    for _ in range(FLIPS // 3):
        at, bit = chance.randrange(len(content)), chance.randrange(8)
        path.write_bytes(with_flip(content, at, bit))
        if everything(path) != expected:
            readable += 1
            assert check(path).count, f"byte {at}, bit {bit} (seed {seed})"
    assert readable > FLIPS // 6


DAMAGE = {
    "DELETE FROM documents WHERE id = 'record:003'": "there are",
    "DELETE FROM revisions WHERE revision = 7": "it is not there",
    "DELETE FROM attachments WHERE revision IN (SELECT min(revision) FROM attachments)": "; there are 0",
    "DELETE FROM blobs WHERE blob = 1": "its content is not there",
    "DELETE FROM databases WHERE name = 'inbox-a'": "which does not exist",
    "UPDATE documents SET seq = 3 WHERE id = 'record:000'": "more than one has sequence 3",
    "UPDATE databases SET seq = 3 WHERE name = 'inbox-a'": "has come to sequence 3",
    "UPDATE server SET clock = 1": "later than the clock",
    "UPDATE documents SET rev = '1-b' WHERE id = 'record:000'": "tells the winner 1-b",
    "UPDATE documents SET tree = '{', single = 0 WHERE id = 'record:000'": "its tree cannot be read",
    "UPDATE documents SET revision = 8 WHERE id = 'record:001'": "which another revision names too",
    "UPDATE blobs SET data = 'x' WHERE blob = 1": "SHA-256",
    "DROP INDEX documents_by_seq": "definitions",
    "PRAGMA user_version = 77": "layout 77",
}


@pytest.mark.parametrize("statement", DAMAGE)
def test_what_does_not_fit_together_is_told(whole: Path, tmp_path: Path, statement: str) -> None:
    path = tmp_path / "store.sqlite3"
    path.write_bytes(whole.read_bytes())
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()
    assert any(DAMAGE[statement] in problem for problem in check(path).problems), check(path).problems


def test_a_file_that_is_no_store_is_told(tmp_path: Path) -> None:
    (tmp_path / "store.sqlite3").write_bytes(b"no database" * 1000)
    assert "cannot be read" in check(tmp_path / "store.sqlite3").problems[0]


def test_a_store_can_be_checked_while_it_is_written_to(tmp_path: Path) -> None:
    store = filled_store(tmp_path / "store.sqlite3")
    assert check(tmp_path / "store.sqlite3").count == 0
    store.open("inbox-a").put({"_id": "later"}, writer="w")
    assert check(tmp_path / "store.sqlite3").rows["documents"] == 145
    store.close()
