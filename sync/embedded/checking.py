"""`check`: does a store file hold what was written to it?

It reads everything, in one transaction, so that it may run beside a server: SQLite's own structures and
indexes first, then each row against its checksum and each blob against its SHA-256, then what rows say of
each other.

    databases ── counters, clock ── documents ── tree ── revisions ── attachments ── blobs

What it cannot find: a change in bytes that nothing reads (free pages, the gaps in pages, SQLite's own
counters in the file's header), a file that is as a whole an older one, and a forgery that recomputes the
checksums.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sync import revtree
from sync.embedded import documents_sql, schema
from sync.embedded.checksums import COVERED
from sync.embedded.documents_sql import Entry
from sync.incoming import digest_of

PROBLEMS_TOLD_MAX = 100
BUSY_TIMEOUT_MS = 30_000
UNREADABLE = (sqlite3.Error, ValueError, TypeError, KeyError, AttributeError, RecursionError)

KEYS = {
    "server": "only",
    "databases": "db",
    "documents": "db, id",
    "revisions": "revision",
    "attachments": "revision, name",
    "locals": "db, id",
}


@dataclass(slots=True)
class Findings:
    """`problems` holds the first PROBLEMS_TOLD_MAX sentences; `count` counts them all."""

    problems: list[str] = field(default_factory=list)
    count: int = 0
    rows: Counter[str] = field(default_factory=Counter)

    def add(self, problem: str) -> None:
        self.count += 1
        if len(self.problems) < PROBLEMS_TOLD_MAX:
            self.problems.append(problem)


def check(path: Path) -> Findings:
    """Read the whole file `path` and tell what is wrong with it. Changes nothing."""
    findings = Findings()
    try:
        with closing(_open(path)) as connection, closing(sqlite3.connect("")) as named:
            connection.execute("BEGIN")
            named.execute("CREATE TABLE revisions (revision INTEGER PRIMARY KEY)")
            _Examination(connection, named, findings).run()
    except (sqlite3.Error, UnicodeDecodeError) as error:
        findings.add(f"{path.name} cannot be read: {error}")
    return findings


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, isolation_level=None)
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA cell_size_check = ON")
    # A broken text must reach its checksum instead of ending the reading.
    connection.text_factory = lambda raw: raw.decode(errors="replace")
    return connection


class _Examination:
    """The steps of one check."""

    def __init__(self, connection: sqlite3.Connection, named: sqlite3.Connection, findings: Findings) -> None:
        self._connection = connection
        self._named = named  # the revisions that documents name; on disk, because they can be many
        self._findings = findings
        self._tell = findings.add

    def run(self) -> None:
        if not self._layout_is_known():
            return
        steps: list[Callable[[], None]] = [
            *(self._structure, self._checksums, self._clock, self._databases),
            *(self._documents, self._revisions, self._attachments, self._blobs, self._locals),
        ]
        for step in steps:
            try:
                step()
            except UNREADABLE as error:
                self._tell(f"reading {step.__name__.strip('_')} stopped at: {error}")

    def _layout_is_known(self) -> bool:
        layout = self._one("PRAGMA user_version")
        if layout != schema.LAYOUT:
            self._tell(f"the file has layout {layout}; layout {schema.LAYOUT} can be checked")
        return bool(layout == schema.LAYOUT)

    def _structure(self) -> None:
        """SQLite's pages, trees and indexes, and the tables' definitions."""
        for (told,) in self._connection.execute(f"PRAGMA integrity_check({PROBLEMS_TOLD_MAX})"):
            if told != "ok":
                self._tell(f"SQLite: {told}")
        if self._definitions(self._connection) != _expected_definitions():
            self._tell("the definitions of tables and indexes are not those of this layout")

    @staticmethod
    def _definitions(connection: sqlite3.Connection) -> set[tuple[str, ...]]:
        # sqlite_sequence is a leftover of layout 1.
        return set(
            connection.execute(
                "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name <> 'sqlite_sequence'"
            )
        )

    def _checksums(self) -> None:
        for table, (columns, checksum_of) in COVERED.items():
            for row in self._rows(f"SELECT {KEYS[table]}, checksum, {columns} FROM {table}"):  # noqa: S608
                keys = KEYS[table].count(",") + 1
                self._findings.rows[table] += 1
                if not _matches(row[keys], checksum_of, row[keys + 1 :]):
                    self._tell(f"{table} {_named(row[:keys])}: its checksum does not match")

    def _clock(self) -> None:
        if self._one("SELECT count(*) FROM server") != 1:
            self._tell("the row of `server` is not there once")
        if self._one("SELECT max(moved) FROM databases") > self._one("SELECT clock FROM server"):
            self._tell("a database moved later than the clock has come")

    # Databases and documents

    def _databases(self) -> None:
        """Counters and sequences against the documents."""
        counted = {
            db: tuple(counts)
            for db, *counts in self._rows(
                "SELECT db, count(*) FILTER (WHERE NOT deleted), count(*) FILTER (WHERE deleted), max(seq)"
                " FROM documents GROUP BY db"
            )
        }
        told = "SELECT db, name, doc_count, doc_del_count, seq FROM databases"
        for db, name, doc_count, doc_del_count, seq in self._rows(told):
            live, deleted, newest = counted.pop(db, (0, 0, 0))
            if (live, deleted) != (doc_count, doc_del_count):
                self._tell(
                    f"database {name}: counts {doc_count} live and {doc_del_count} deleted documents;"
                    f" there are {live} and {deleted}"
                )
            if newest > seq:
                self._tell(f"database {name}: has come to sequence {seq}, a document to {newest}")
        for db in counted:
            self._tell(f"documents of database {db}, which does not exist")
        doubled = "SELECT db, seq FROM documents GROUP BY db, seq HAVING count(*) > 1"
        for db, seq in self._rows(doubled):
            self._tell(f"documents of database {db}: more than one has sequence {seq}")

    def _documents(self) -> None:
        for db, *row in self._rows(f"SELECT d.db, {documents_sql.COLUMNS} FROM documents d"):  # noqa: S608
            where = f"document {row[0]!r} of database {db}"
            try:
                entry = documents_sql.entry_of(tuple(row))
                for problem in _tree_problems(entry, tuple(row[2:5])):
                    self._tell(f"{where}: {problem}")
                self._name(entry, where)
            except UNREADABLE as error:
                self._tell(f"{where}: its tree cannot be read: {error}")

    def _name(self, entry: Entry, where: str) -> None:
        for rev, revision in entry.bodies.items():
            try:
                self._named.execute("INSERT INTO revisions VALUES (?)", (revision,))
            except sqlite3.IntegrityError:
                self._tell(f"{where}: {rev} names body {revision}, which another revision names too")

    # Bodies and what hangs on them

    def _revisions(self) -> None:
        rows = self._rows(
            "SELECT revision, attachments, (SELECT count(*) FROM attachments a WHERE a.revision = r.revision)"
            " FROM revisions r"
        )
        for revision, told, found in rows:
            if told != found:
                self._tell(f"revision {revision}: has {told} attachments; there are {found}")
            if not self._named.execute("DELETE FROM revisions WHERE revision = ?", (revision,)).rowcount:
                self._tell(f"revision {revision}: no document names it")
        for (revision,) in self._named.execute("SELECT revision FROM revisions"):
            self._tell(f"revision {revision}: a document names it, and it is not there")

    def _attachments(self) -> None:
        orphans = self._rows(
            "SELECT a.revision, a.name, b.blob IS NULL FROM attachments a"
            " LEFT JOIN revisions r ON r.revision = a.revision LEFT JOIN blobs b ON b.blob = a.blob"
            " WHERE r.revision IS NULL OR b.blob IS NULL"
        )
        for revision, name, without_blob in orphans:
            what = "its content is not there" if without_blob else "its revision is not there"
            self._tell(f"attachment {_named((revision, name))}: {what}")

    def _blobs(self) -> None:
        for blob, sha256, data in self._rows("SELECT blob, sha256, data FROM blobs"):
            self._findings.rows["blobs"] += 1
            if not isinstance(data, bytes) or hashlib.sha256(data).digest() != sha256:
                self._tell(f"blob {blob}: its content is not what its SHA-256 says")
                continue
            claims = self._rows("SELECT digest, length FROM attachments WHERE blob = ?", blob)
            told = set(claims)
            if not told:
                self._tell(f"blob {blob}: no attachment names it")
            elif told != {(digest_of(data), len(data))}:
                self._tell(f"blob {blob}: an attachment tells another digest or length")

    def _locals(self) -> None:
        strays = "SELECT db, id FROM locals WHERE db NOT IN (SELECT db FROM databases)"
        for row in self._rows(strays):
            self._tell(f"local document {_named(row)}: its database does not exist")

    def _one(self, statement: str) -> Any:
        return self._connection.execute(statement).fetchone()[0] or 0

    def _rows(self, statement: str, *values: object) -> Iterator[Sequence[Any]]:
        return iter(self._connection.execute(statement, values))


def _tree_problems(entry: Entry, told: tuple[str, int, int]) -> Iterator[str]:
    """`told` is the row's (rev, deleted, revision)."""
    tree = entry.tree
    winner = revtree.winner(tree)
    if told != (winner, int(winner in tree.deleted), entry.bodies.get(winner)):
        yield f"its row tells the winner {told[0]}, its tree {winner}"
    if bare := [leaf for leaf in revtree.leaves(tree) if leaf not in entry.bodies]:
        yield f"leaves without a body: {', '.join(bare)}"
    if strange := [rev for rev in (*entry.bodies, *tree.deleted) if rev not in tree]:
        yield f"revisions outside of its tree: {', '.join(strange)}"
    if any(not _follows(rev, above) for rev, parents in tree.parents.items() for above in parents):
        yield "a revision does not follow its parent's generation"


def _follows(rev: str, parent: str) -> bool:
    return revtree.generation(rev) == revtree.generation(parent) + 1


def _matches(checksum: object, checksum_of: Callable[..., int], values: Sequence[Any]) -> bool:
    try:
        return checksum == checksum_of(*values)
    except (TypeError, ValueError):
        return False


def _named(keys: Sequence[object]) -> str:
    return " ".join(repr(key) for key in keys)


def _expected_definitions() -> set[tuple[str, ...]]:
    with closing(sqlite3.connect(":memory:")) as connection:
        for statement in schema.statements():
            connection.execute(statement)
        return _Examination._definitions(connection)
