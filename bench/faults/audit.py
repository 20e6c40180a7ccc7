"""What must hold after every fault, whoever was killed or cut off."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import requests

from bench.faults.phones import Ledger, digest_of
from sync.embedded import check

TIMEOUT_S = 60
MANY = 500
WORKERS_DYING_MAX = 2


class Audit:
    """Asks the server itself, past the bad network. Remembers how far sequences had come."""

    def __init__(self, url: str, admin: tuple[str, str], store_file: Path) -> None:
        self.url = f"{url}/sync"
        self._store_file = store_file
        self._session = requests.Session()
        self._session.auth = admin
        self._seqs: dict[str, int] = {}
        self._compared: set[tuple[str, str]] = set()
        self.revisions_checked = 0

    def losses(self, ledgers: list[Ledger]) -> list[str]:
        """A sentence for each thing that does not hold."""
        found: list[str] = []
        for village in sorted({ledger.village for ledger in ledgers}):
            found += self._sequences(f"inbox-{village}")
        for ledger in ledgers:
            acknowledged, told = dict(ledger.revisions), ledger.checkpoint_told
            found += self._absent(ledger, acknowledged)
            found += self._changed(ledger, acknowledged)
            found += self._skipped(ledger, told)
        findings = check(self._store_file)
        return found + [f"store check: {problem}" for problem in findings.problems]

    def _sequences(self, database: str) -> Iterator[str]:
        """They rise, none is used twice, none goes back."""
        before = self._seqs.get(database, 0)
        reached = _number(self._get(database)["update_seq"])
        changes = self._get(f"{database}/_changes")
        seqs = [_number(row["seq"]) for row in changes["results"]]
        last = _number(changes["last_seq"])
        if seqs != sorted(set(seqs)):
            yield f"{database}: sequences do not rise"
        # What moves while the answer is on its way may come once more, later.
        ids = [row["id"] for row, seq in zip(changes["results"], seqs, strict=True) if seq <= reached]
        if len(ids) != len(set(ids)):
            yield f"{database}: a document comes twice"
        if min(reached, last) < before:
            yield f"{database}: was at sequence {before}, is at {last}"
        self._seqs[database] = last

    def _absent(self, ledger: Ledger, acknowledged: dict[tuple[str, str], str | None]) -> Iterator[str]:
        """`_revs_diff` knows the whole tree: what it calls missing was lost."""
        self.revisions_checked += len(acknowledged)
        for some in _by(MANY, acknowledged):
            asked: dict[str, list[str]] = {}
            for doc_id, rev in some:
                asked.setdefault(doc_id, []).append(rev)
            for doc_id, row in self._post(f"inbox-{ledger.village}/_revs_diff", asked).items():
                yield f"LOST {doc_id} {row['missing']}"

    def _changed(self, ledger: Ledger, acknowledged: dict[tuple[str, str], str | None]) -> Iterator[str]:
        """Bodies and photos of what was acknowledged since the last audit come back unchanged."""
        fresh = {key: digest for key, digest in acknowledged.items() if key not in self._compared and digest}
        self._compared |= fresh.keys()
        for some in _by(MANY // 5, fresh):
            body = {"docs": [{"id": doc_id, "rev": rev} for doc_id, rev in some]}
            told = self._post(f"inbox-{ledger.village}/_bulk_get?attachments=true&revs=true", body)
            for (doc_id, rev), result in zip(some, told["results"], strict=True):
                doc = result["docs"][0].get("ok")
                if doc is None or digest_of(doc) != fresh[doc_id, rev]:
                    yield f"CHANGED {doc_id} {rev}: {json.dumps(result)[:200]}"

    def _skipped(self, ledger: Ledger, told: int) -> Iterator[str]:
        """Everything that a checkpoint stands for was acknowledged."""
        for batch in ledger.batches[:told]:
            for key in batch:
                if key not in ledger.revisions:
                    yield f"the checkpoint {told} ran ahead of {key}"

    def unjudged(self, village: str) -> list[str]:
        """The records without a verdict. None, once intake had its time: else its checkpoint ran ahead."""
        records = self._get(f"inbox-{village}/_all_docs")["rows"]
        verdicts = {row["id"] for row in self._get(f"register-{village}/_all_docs")["rows"]}
        return [row["id"] for row in records if f"verdict:{row['id']}" not in verdicts]

    def answers_within(self, seconds: float) -> float:
        """Seconds until the server answers."""
        begun = time.monotonic()
        while time.monotonic() < begun + seconds:
            try:
                if self._session.get(f"{self.url}/_all_dbs", timeout=seconds).ok:
                    return time.monotonic() - begun
            except requests.RequestException:
                time.sleep(0.05)
        raise TimeoutError(f"the server does not answer within {seconds} s")

    def _get(self, path: str) -> Any:
        return self._ask("GET", path)

    def _post(self, path: str, body: Any) -> Any:
        return self._ask("POST", path, json=body)

    def _ask(self, method: str, path: str, **body: Any) -> Any:
        """A worker that was just killed may take an answer with it; nothing else is excused."""
        for _ in range(WORKERS_DYING_MAX):
            try:
                return self._try(method, path, **body)
            except requests.ConnectionError:
                continue
        return self._try(method, path, **body)

    def _try(self, method: str, path: str, **body: Any) -> Any:
        answer = self._session.request(method, f"{self.url}/{path}", timeout=TIMEOUT_S, **body)
        answer.raise_for_status()
        return answer.json()


def _number(seq: object) -> int:
    return int(str(seq).partition("-")[0])


def _by(many: int, keys: Iterable[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    rest = iter(keys)
    while some := list(islice(rest, many)):
        yield some
