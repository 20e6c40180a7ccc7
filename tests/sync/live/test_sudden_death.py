"""The server is killed while phones push: what was acknowledged is there afterwards."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Any

import requests

PHONES = 4
BATCH = 10
ROUNDS = 4
DOCS_AT_LEAST = 60


class Phone(threading.Thread):
    """Pushes batches until it is stopped or cut off, and remembers what it was told to be kept."""

    def __init__(self, url: str, name: str, on_kept: Callable[[], None]) -> None:
        super().__init__()
        self.stopped = threading.Event()
        self.kept: list[str] = []
        self._url = url
        self._name = name
        self._on_kept = on_kept

    def run(self) -> None:
        session = requests.Session()
        for batch in range(100_000):
            if self.stopped.is_set():
                return
            docs = [self._record(f"{self._name}-{batch}-{n}") for n in range(BATCH)]
            body = {"docs": docs, "new_edits": False}
            try:
                answer = session.post(f"{self._url}/_bulk_docs", json=body, timeout=60)
            except requests.RequestException:
                return
            assert answer.status_code == 201, answer.text
            self.kept += [doc["_id"] for doc in docs]
            self._on_kept()

    @staticmethod
    def _record(doc_id: str) -> dict[str, Any]:
        photo = {"content_type": "image/jpeg", "data": "QUJD" * 200}
        return {"_id": doc_id, "_rev": "1-a", "text": "发热" * 100, "_attachments": {"p": photo}}


def push_until_killed(server: Any, round_number: int, dies_after: int) -> list[str]:
    enough = threading.Semaphore(0)
    url = f"{server.admin_url}/village"
    phones = [Phone(url, f"r{round_number}p{n}", enough.release) for n in range(PHONES)]
    for phone in phones:
        phone.start()
    for _ in range(dies_after):
        assert enough.acquire(timeout=60)
    server.kill()
    for phone in phones:
        phone.stopped.set()
    server.start()  # a request that came while nobody listened is answered by the next server
    for phone in phones:
        phone.join(timeout=120)
        assert not phone.is_alive()
    return [doc_id for phone in phones for doc_id in phone.kept]


def test_every_acknowledged_document_survives_sigkill(two_workers: Any) -> None:
    url = f"{two_workers.admin_url}/village"
    assert requests.put(url, timeout=30).status_code == 201
    kept: list[str] = []
    last_seq = 0
    chance = random.Random(4)
    for round_number in range(ROUNDS):
        kept += push_until_killed(two_workers, round_number, dies_after=chance.randint(3, 12))
        rows = requests.post(f"{url}/_all_docs", json={"keys": kept}, timeout=60).json()["rows"]
        assert [row.get("id") for row in rows] == kept
        changes = requests.get(f"{url}/_changes", timeout=60).json()
        seqs = [int(row["seq"].partition("-")[0]) for row in changes["results"]]
        assert seqs == sorted(set(seqs))
        assert seqs[-1] >= last_seq
        last_seq = seqs[-1]
        info = requests.get(url, timeout=60).json()
        assert info["doc_count"] == len(seqs)
        photo = requests.get(f"{url}/{kept[-1]}/p", timeout=60)
        assert photo.content == b"ABC" * 200
    assert len(kept) > DOCS_AT_LEAST
