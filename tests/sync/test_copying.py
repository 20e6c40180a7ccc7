"""A district moves between stores and loses nothing: there, back, broken off, and told of what differs."""

from __future__ import annotations

import base64
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sync import copying, couchdb, embedded
from sync.copying import Difference
from sync.store import Receipt, Store

WORDS = {"ö": "发热", "n": 1.5, "deep": [None, {"x": True}]}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Store]:
    """Alice's record with a photo, Bob's with a conflict, a history of edits, and many plain ones."""
    store = embedded.open_store(tmp_path / "home.sqlite3")
    inbox, register = store.create("inbox-1"), store.create("register-1")
    photo = {
        "content_type": "image/jpeg",
        "data": base64.b64encode(bytes(range(256)) * 9).decode(),
        "revpos": 1,
    }
    note = {"content_type": "text/plain", "data": base64.b64encode(b"fever " * 99).decode(), "revpos": 1}
    alice = {"_id": "record:alice", "_rev": "1-a", "_attachments": {"p/1.jpg": photo, "note": note}, **WORDS}
    inbox.restore([(alice, Receipt("device:alice", "2020-02-21T08:00:00.001Z"))])
    for rev, when in (("1-b", "2020-02-21T09:00:00.000Z"), ("1-c", "2020-02-22T09:00:00.000Z")):
        inbox.restore([({"_id": "record:bob", "_rev": rev, "by": rev}, Receipt("device:bob", when))])
    tombstone = {"_id": "record:bob", "_deleted": True, "_revisions": {"start": 2, "ids": ["d", "c"]}}
    inbox.restore([(tombstone, Receipt("staff:2", "2020-02-23T09:00:00.000Z"))])
    inbox.bulk_docs([{"_id": f"record:{n}", "n": n} for n in range(230)], writer="device:many")
    rev = register.put({"_id": "household:1"}, writer="server")
    for n in range(3):
        rev = register.put({"_id": "household:1", "_rev": rev, "n": n}, writer="server")
    gone = register.put({"_id": "household:2"}, writer="staff:1")
    register.put({"_id": "household:2", "_rev": gone, "_deleted": True, "why": "moved"}, writer="staff:1")
    register.set_revs_limit(50)
    yield store
    store.close()


@pytest.fixture
def couch(couch_address: str) -> Iterator[Store]:
    store = couchdb.open_store(couch_address)
    yield store
    store.close()


def copy(source: Store, target: Store, *names: str) -> int:
    return sum(sum(copying.copy_database(source, target, name)) for name in names or source.names())


def differences(source: Store, target: Store) -> list[Difference]:
    found = (copying.compare(source, target, name)[0] for name in source.names())
    return [difference for difference in found if difference]


@pytest.mark.beyond_stand_in("details")
def test_a_district_goes_to_couchdb_and_back_and_is_what_it_was(
    home: Store, couch: Store, tmp_path: Path
) -> None:
    again = embedded.open_store(tmp_path / "again.sqlite3")
    copying.copy_revs_limit(home, couch, "register-1")
    copying.copy_revs_limit(couch, again, "register-1")
    assert copy(home, couch) == copy(couch, again) == 230 + 1 + 2 + 2
    assert differences(home, couch) == differences(couch, again) == differences(home, again) == []
    bob = again.open("inbox-1").get("record:bob", deleted_conflicts=True)
    assert (bob["_rev"], bob["_deleted_conflicts"]) == ("1-b", ["2-d"])
    assert again.open("register-1").get("household:1", revs=True)["_revisions"]["start"] == 4
    assert again.open("register-1").revs_limit() == 50
    again.close()


def test_a_copy_brings_records_photos_and_receipts(home: Store, couch: Store) -> None:
    copy(home, couch, "inbox-1")
    inbox = couch.open("inbox-1")
    (row,) = inbox.changes(doc_ids=["record:alice"], receipts=True).rows
    assert (row.leaves[0].writer, row.leaves[0].received_at) == ("device:alice", "2020-02-21T08:00:00.001Z")
    assert inbox.attachment("record:alice", "p/1.jpg").data == bytes(range(256)) * 9
    assert inbox.get("record:alice")["ö"] == "发热"


def test_a_second_copy_writes_nothing_and_a_late_record_is_brought_alone(home: Store, couch: Store) -> None:
    copy(home, couch, "inbox-1")
    assert copy(home, couch, "inbox-1") == 0
    home.open("inbox-1").put({"_id": "record:late"}, writer="device:late")
    assert copy(home, couch, "inbox-1") == 1


def test_what_differs_is_named(home: Store, tmp_path: Path) -> None:
    other = embedded.open_store(tmp_path / "other.sqlite3")
    other.create("inbox-1").put({"_id": "only-there"}, writer="w")
    lie: dict[str, Any] = {"_id": "record:bob", "_rev": "1-b", "by": "somebody else"}
    other.open("inbox-1").restore([(lie, Receipt("device:bob", "2020-02-21T09:00:00.000Z"))])
    sum(copying.copy_database(home, other, "inbox-1"))
    difference, same = copying.compare(home, other, "inbox-1")
    assert difference.unequal == [("record:bob", "1-b")]
    assert [doc_id for doc_id, _ in difference.only_in_target] == ["only-there"]
    assert difference.only_in_source == []
    assert same == 230 + 1 + 1
    other.close()


def test_a_changed_receipt_is_a_difference(home: Store, tmp_path: Path) -> None:
    other = embedded.open_store(tmp_path / "other.sqlite3")
    other.create("inbox-1").restore(
        [
            (
                {"_id": "record:bob", "_rev": "1-b", "by": "1-b"},
                Receipt("device:eve", "2020-02-21T09:00:00.000Z"),
            )
        ]
    )
    sum(copying.copy_database(home, other, "inbox-1"))
    assert copying.compare(home, other, "inbox-1")[0].unequal == [("record:bob", "1-b")]
    other.close()


COPY = """
import os, sys
from pathlib import Path
from sync import copying, couchdb, embedded
home, couch = embedded.open_store(Path(sys.argv[1])), couchdb.open_store(sys.argv[2])
for page, written in enumerate(copying.copy_database(home, couch, "inbox-1")):
    os.kill(os.getpid(), 9)
"""


def test_a_copy_that_is_killed_in_the_middle_goes_on_where_it_was(
    home: Store, couch_address: str, tmp_path: Path
) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", COPY, tmp_path / "home.sqlite3", couch_address], check=False
    )
    assert killed.returncode == -9
    couch = couchdb.open_store(couch_address)
    there = len(couch.open("inbox-1").changes().rows)
    assert 0 < there < 232
    rest = sum(copying.copy_database(home, couch, "inbox-1"))
    assert 0 < rest < 233
    assert len(couch.open("inbox-1").changes().rows) == 232
    assert not copying.compare(home, couch, "inbox-1")[0].only_in_source
    couch.close()
