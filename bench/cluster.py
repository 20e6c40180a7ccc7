"""A node of a CouchDB cluster goes down and comes back while phones push: is every acknowledged record there?

    GRIDBOOK_TEST_COUCHDB_CLUSTER=http://user:password@host:port,…   one address for each node
    .venv/bin/python -m bench.cluster STOP START [pushes]

STOP and START are shell commands that end a node, and bring it back. The gateway's store talks to the first
address; the node may be that one, or another. Eight phones push batches of 20 records and repeat what was not
acknowledged, as PouchDB does; a clerk writes a verdict for each acknowledged batch. A third of the way STOP
runs, at two thirds START. At the end every node is asked for every acknowledged record, verdict and receipt.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

from sync import couchdb
from sync.store import Conflict, Database, Store, StoreError

PHONES = 8
RECORDS = 20
AGAIN_S = 0.5
AGREED_WITHIN_S = 120
DOWN_S = 15


class Load:
    """What was acknowledged, and what it took."""

    def __init__(self, inbox: Database, register: Database) -> None:
        self.inbox, self.register = inbox, register
        self.records: set[str] = set()
        self.verdicts: set[str] = set()
        self.refused = 0
        self.slowest_s = 0.0
        self._lock = threading.Lock()

    def push(self, number: int) -> None:
        docs = [
            {"_id": f"record:{uuid.uuid4()}", "_rev": "1-" + secrets.token_hex(16)} for _ in range(RECORDS)
        ]
        started = time.monotonic()
        self._until_taken(
            lambda: self.inbox.bulk_docs(docs, new_edits=False, writer=f"device:{number % PHONES}")
        )
        verdict = f"verdict:{docs[0]['_id']}"
        self._until_taken(lambda: self._decide(verdict))
        with self._lock:
            self.records |= {doc["_id"] for doc in docs}
            self.verdicts.add(verdict)
            self.slowest_s = max(self.slowest_s, time.monotonic() - started)

    def _decide(self, verdict: str) -> None:
        try:
            self.register.put({"_id": verdict, "status": "accepted"}, writer="server")
        except Conflict:
            self.register.get(verdict)  # an attempt that seemed to fail had written it

    def _until_taken(self, write) -> None:  # type: ignore[no-untyped-def]
        while True:
            try:
                write()
                return
            except StoreError:
                with self._lock:
                    self.refused += 1
                time.sleep(AGAIN_S)


def missing(node: str, prefix: str, load: Load) -> int:
    """How many acknowledged documents, or receipts of records, this node's answers lack."""
    store = couchdb.open_store(f"couchdb+{node}/{prefix}")
    try:
        inbox = {row.id: row for row in store.open("inbox-1").changes(receipts=True).rows}
        register = {row.id for row in store.open("register-1").changes().rows}
        unknown = sum(
            not inbox[each].leaves[0].writer.startswith("device:") for each in load.records & inbox.keys()
        )
        return len(load.records - inbox.keys()) + len(load.verdicts - register) + unknown
    finally:
        store.close()


def agreed(nodes: list[str], prefix: str, load: Load) -> dict[str, int]:
    """What each node lacks, once they agree: a node that was away is brought up to date by the others."""
    end = time.monotonic() + AGREED_WITHIN_S
    while True:
        lacking = {node.rpartition("@")[2]: missing(node, prefix, load) for node in nodes}
        if not any(lacking.values()) or time.monotonic() > end:
            return lacking
        time.sleep(1)


def operate(load: Load, pushes: int, stop: str, start: str) -> None:
    """Stop the node when a third is acknowledged, start it at two thirds, or when nothing goes on."""
    while len(load.verdicts) < pushes // 3:
        time.sleep(0.05)
    subprocess.run(["sh", "-c", stop], check=True)
    end = time.monotonic() + DOWN_S
    while len(load.verdicts) < pushes * 2 // 3 and time.monotonic() < end:
        time.sleep(0.05)
    print(f"the node was away while {len(load.verdicts) - pushes // 3} pushes were acknowledged")
    subprocess.run(["sh", "-c", start], check=True)


def main() -> None:
    nodes = os.environ["GRIDBOOK_TEST_COUCHDB_CLUSTER"].split(",")
    stop, start = sys.argv[1:3]
    pushes = int(sys.argv[3]) if len(sys.argv) > 3 else 120
    prefix = f"test{secrets.token_hex(6)}"
    store: Store = couchdb.open_store(f"couchdb+{nodes[0]}/{prefix}")
    load = Load(store.create("inbox-1"), store.create("register-1"))
    started = time.monotonic()
    operator = threading.Thread(target=operate, args=(load, pushes, stop, start))
    operator.start()
    with ThreadPoolExecutor(PHONES) as pool:
        list(pool.map(load.push, range(pushes)))
    operator.join()
    took = time.monotonic() - started
    print(f"{len(load.records)} records and {len(load.verdicts)} verdicts acknowledged in {took:.1f} s")
    print(f"{load.refused} attempts failed and were repeated; the slowest push took {load.slowest_s:.1f} s")
    lacking = agreed(nodes, prefix, load)
    print("lacking on each node:", lacking)
    for name in store.names():
        store.delete(name)
    sys.exit(1 if any(lacking.values()) else 0)


if __name__ == "__main__":
    main()
