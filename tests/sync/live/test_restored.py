"""A server that was restored from a backup, and real PouchDBs that are ahead of it.

Without `become_another` this fails: PouchDB takes its own, newer checkpoint when the server's is of the same
session, and skips what lies between.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import requests

from sync.embedded import copying

FOLDER = Path(__file__).parents[1] / "pouchdb"


def test_phones_ahead_of_a_restored_server_lose_and_miss_nothing(live_server: Any, tmp_path: Path) -> None:
    for name in ("inbox-a", "register-a"):
        assert requests.put(f"{live_server.admin_url}/{name}", timeout=30).status_code == 201
    backup = tmp_path / "backup.sqlite3"
    command = ["node", "restored.mjs", live_server.url, str(tmp_path)]
    with subprocess.Popen(
        command, cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as phones:
        assert phones.stdin and phones.stdout
        assert phones.stdout.readline() == "backup\n"
        copying.copy_store(live_server.store_path, backup)
        print(file=phones.stdin, flush=True)
        assert phones.stdout.readline() == "restore\n"
        live_server.kill()
        put_back(backup, live_server.store_path)
        live_server.start()
        print(file=phones.stdin, flush=True)
        assert phones.stdout.readline() == "ok\n"


def put_back(backup: Path, store: Path) -> None:
    for end in ("", "-wal", "-shm"):
        store.with_name(store.name + end).unlink(missing_ok=True)
    copying.become_another(backup)
    backup.rename(store)
