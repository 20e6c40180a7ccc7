"""A store with something of everything, for tests of the file."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from sync.embedded import open_store
from sync.store import Store


def photo(data: bytes) -> dict[str, Any]:
    return {"p": {"content_type": "image/jpeg", "data": base64.b64encode(data).decode()}}


def filled_store(path: Path, records: int = 60) -> Store:
    """Two villages: records with photos, conflicts, deletions, old bodies; checkpoints of phones."""
    store = open_store(path)
    for village in ("inbox-a", "inbox-b"):
        database = store.create(village)
        docs = [{"_id": f"record:{n:03}", "_rev": "1-a", "text": f"发热 {n}" * 20} for n in range(records)]
        database.bulk_docs(docs, new_edits=False, writer="device:alice")
        for n in range(0, records, 10):
            revs = {"start": 3, "ids": ["c" * 32, "b" * 32, "a"]}
            database.bulk_docs(
                [{"_id": f"record:{n:03}", "_revisions": revs, "_attachments": photo(b"\xff%d" % n * 900)}],
                new_edits=False,
                writer="device:bob",
            )
            database.put({"_id": f"extra:{n}", "text": "x" * 9000}, writer="staff:chen")
            rev = database.put({"_id": f"gone:{n}"}, writer="staff:chen")
            database.put({"_id": f"gone:{n}", "_rev": rev, "_deleted": True}, writer="staff:chen")
            database.bulk_docs(
                [{"_id": f"record:{n:03}", "_rev": "2-d", "_deleted": n % 20 == 0}],
                new_edits=False,
                writer="device:alice",
            )
            database.put_local({"last_seq": n}, f"checkpoint-{n}")
    return store
