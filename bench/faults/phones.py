"""Phones that push through the bad network and write down what they were told.

`Phone` does what PouchDB's replicator does (checkpoint, `_revs_diff`, `_bulk_docs`, checkpoint) and knows for
each revision what the server must have now. `PouchPhone` is the real one, in a node process.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import json
import random
import subprocess
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

POUCHDB = Path(__file__).parents[2] / "tests" / "sync" / "pouchdb"
TIMEOUT_S = 20
PAUSE_S_MAX = 0.1
REST_S_MAX = 1.0  # after a batch: a series must not end because its small disk is full
BATCH_DOCS_MAX = 15
PHOTO_BYTES_MAX = 20_000


@dataclass
class Ledger:
    """What one phone was told. `revisions` holds for each acknowledged (id, rev) the digest of its content,
    or None where that is not known.
    """

    village: str
    token: str
    revisions: dict[tuple[str, str], str | None] = field(default_factory=dict)
    checkpoint_told: int = 0
    checkpoint_tried: int = 0
    batches: list[list[tuple[str, str]]] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)


class Cut(Exception):
    """No answer, or one that asks to try again."""


def digest_of(doc: dict[str, Any]) -> str:
    """Of the text and the photo: what must come back unchanged."""
    photo = doc.get("_attachments", {}).get("p", {}).get("data", "")
    return hashlib.sha256(f"{doc.get('remark')}|{photo}".encode()).hexdigest()


class Phone(threading.Thread):
    def __init__(self, port: int, ledger: Ledger, seed: str) -> None:
        super().__init__(daemon=True, name=f"phone {seed}")
        self.ledger = ledger
        self.stopped = threading.Event()
        self.troubled: Exception | None = None
        self._port = port
        self._chance = random.Random(seed)
        self._histories: dict[str, list[list[str]]] = {}  # id → its branches, each newest first
        self._connection: http.client.HTTPConnection | None = None
        self._checkpoint = f"/sync/inbox-{ledger.village}/_local/{seed.replace(' ', '-')}"
        self._inbox = f"/sync/inbox-{ledger.village}"

    def run(self) -> None:
        try:
            while not self.stopped.is_set():
                self._push(self._batch())
                self.stopped.wait(self._chance.random() * REST_S_MAX)
        except Exception as error:
            self.troubled = error

    # What it has to say

    def _batch(self) -> list[dict[str, Any]]:
        return [self._change() for _ in range(self._chance.randint(1, BATCH_DOCS_MAX))]

    def _change(self) -> dict[str, Any]:
        """A record, or now and then an edit, a conflict or a deletion of one."""
        chance = self._chance
        if not self._histories or chance.random() < 0.8:
            doc_id = f"record:household_visit:20200221:{uuid.UUID(int=chance.getrandbits(128))}"
            branches = self._histories.setdefault(doc_id, [])
            parent: list[str] = []
        else:
            doc_id = chance.choice(list(self._histories))
            branches = self._histories[doc_id]
            parent = chance.choice(branches)
            parent = parent[chance.randrange(len(parent)) :]
        path = [f"{chance.getrandbits(128):032x}", *parent]
        branches.append(path)
        return self._document(doc_id, path, deleted=bool(parent) and chance.random() < 0.2)

    def _document(self, doc_id: str, path: list[str], *, deleted: bool) -> dict[str, Any]:
        doc: dict[str, Any] = {
            "_id": doc_id,
            "_rev": f"{len(path)}-{path[0]}",
            "_revisions": {"start": len(path), "ids": path},
            "type": "record",
            "remark": "发热" * self._chance.randint(1, 200),
        }
        if deleted:
            doc["_deleted"] = True
        if self._chance.random() < 0.2:
            photo = self._chance.randbytes(self._chance.randint(1, PHOTO_BYTES_MAX))
            data = base64.b64encode(photo).decode()
            doc["_attachments"] = {"p": {"content_type": "image/jpeg", "data": data}}
        return doc

    # Saying it until it is heard

    def _push(self, batch: list[dict[str, Any]]) -> None:
        self.ledger.batches.append([(doc["_id"], doc["_rev"]) for doc in batch])
        number = len(self.ledger.batches)
        while not self.stopped.is_set():
            try:
                self._read_checkpoint()
                missing = self._missing(batch)
                self._acknowledge([doc for doc in batch if doc["_rev"] not in missing.get(doc["_id"], ())])
                self._hand_in([doc for doc in batch if doc["_rev"] in missing.get(doc["_id"], ())])
                self._write_checkpoint(number)
                return
            except Cut:
                self._drop()
                time.sleep(self._chance.random() * PAUSE_S_MAX)

    def _missing(self, batch: list[dict[str, Any]]) -> dict[str, list[str]]:
        asked: dict[str, list[str]] = {}
        for doc in batch:
            asked.setdefault(doc["_id"], []).append(doc["_rev"])
        told = self._call("POST", f"{self._inbox}/_revs_diff", asked)
        return {doc_id: row["missing"] for doc_id, row in told.items()}

    def _hand_in(self, docs: list[dict[str, Any]]) -> None:
        rows = self._call("POST", f"{self._inbox}/_bulk_docs", {"docs": docs, "new_edits": False})
        refused = [row for row in rows if "error" in row]
        assert not refused, refused
        self._acknowledge(docs)

    def _acknowledge(self, docs: list[dict[str, Any]]) -> None:
        self.ledger.revisions |= {(doc["_id"], doc["_rev"]): digest_of(doc) for doc in docs}

    def _write_checkpoint(self, number: int) -> None:
        self.ledger.checkpoint_tried = number
        self._call("PUT", self._checkpoint, {"last_seq": number})
        self.ledger.checkpoint_told = number

    def _read_checkpoint(self) -> None:
        found = self.checkpoint()
        told, tried = self.ledger.checkpoint_told, self.ledger.checkpoint_tried
        # A repeated old request may set it back, which costs work and loses nothing; ahead is what loses.
        assert found <= tried, f"the checkpoint says {found}; {tried} was the last, {told} acknowledged"

    def checkpoint(self) -> int:
        try:
            return int(self._call("GET", self._checkpoint)["last_seq"])
        except KeyError:
            return 0

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        """The answer's JSON. Raises Cut when the request must be tried again."""
        try:
            status, answer = self._request(method, path, body)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Cut from error
        self.ledger.answers[status] += 1
        if status in (500, 502, 503, 507):
            raise Cut
        assert status in (200, 201, 404), f"{method} {path}: {status} {answer}"
        return answer

    def _request(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        if self._connection is None or self._chance.random() < 0.3:
            self._drop()
            self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT_S)
        content = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.ledger.token}", "Content-Type": "application/json"}
        self._connection.request(method, path, content, headers)
        response = self._connection.getresponse()
        return response.status, json.loads(response.read())

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class PouchPhone(threading.Thread):
    """An unmodified PouchDB: it prints what a replication that ended well has handed over."""

    def __init__(self, port: int, ledger: Ledger, seed: str, folder: Path) -> None:
        super().__init__(daemon=True, name=f"pouchdb {seed}")
        self.ledger = ledger
        url = f"http://127.0.0.1:{port}/sync/inbox-{ledger.village}"
        self._process = subprocess.Popen(
            ["node", "pushing.mjs", url, ledger.token, str(folder), seed],
            cwd=POUCHDB,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # what ends the run early must not end the phone before it is done
        )
        self.errors: Counter[str] = Counter()

    def run(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            told = json.loads(line)
            self.ledger.revisions |= dict.fromkeys(map(tuple, told.get("kept", [])))
            if "error" in told:
                self.errors[told["error"]] += 1

    def finish(self) -> str | None:
        """Let it hand over the rest, and wait for that; what went wrong with it, if anything did."""
        assert self._process.stdin
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self.join(120)
        try:
            status = self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return f"{self.name} did not end"
        return f"{self.name} ended with status {status}" if status else None
