"""`flask backup` and `flask restore`: one moment, whole or not at all, and nothing is ever overwritten."""

from __future__ import annotations

import errno
import stat
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from server import audit, backup, datafolder, serving
from server.app import Gridbook, open_gridbook
from server.people import staff
from server.settings import Settings, SettingsError
from sync.embedded import check
from sync.store import NotFound
from tests.servers import Server

ADMIN = ("admin", "a long password")


class Phone(threading.Thread):
    """Pushes records one batch after the other and counts what was acknowledged."""

    def __init__(self, server: Server, name: str) -> None:
        super().__init__()
        self.name = name
        self.acknowledged = 0
        self.first_half = threading.Event()
        self.stopped = threading.Event()
        self._url = f"{server.url}/sync/inbox-a/_bulk_docs"

    def run(self) -> None:
        session = requests.Session()
        while not self.stopped.is_set():
            ids = [f"{self.name}:{self.acknowledged + n:06}" for n in range(10)]
            docs = [{"_id": doc_id, "_rev": "1-a", "text": "发热" * 200} for doc_id in ids]
            body = {"docs": docs, "new_edits": False}
            assert session.post(self._url, json=body, auth=ADMIN, timeout=60).status_code == 201
            self.acknowledged += 10
            if self.acknowledged >= 100:
                self.first_half.set()


@pytest.fixture
def gridbook(tmp_path: Path) -> Iterator[Callable[[str], Gridbook]]:
    opened = []

    def open_folder(name: str) -> Gridbook:
        opened.append(open_gridbook(Settings.from_environ({"GRIDBOOK_DATA": str(tmp_path / name)})))
        return opened[-1]

    yield open_folder
    for one in opened:
        one.store.close()


@pytest.fixture
def district(gridbook: Callable[[str], Gridbook]) -> Gridbook:
    """Chen works here; the store has a record with a photo."""
    made = gridbook("var")
    secret = "wash-the-rice-twice"
    staff.add(
        made.people, username="chen", password=secret, name="陈", roles=["district_staff"], area="420582"
    )
    inbox = made.store.create("inbox-a")
    rev = inbox.put({"_id": "r", "text": "发热"}, writer="device:alice")
    inbox.put_attachment("r", "p", b"photo", "image/jpeg", rev=rev, writer="device:alice")
    audit.append(made.settings.data, {"who": "chen", "why": "a fever to be traced"})
    return made


def test_a_backup_taken_under_load_restores_to_one_moment(
    new_server: Callable[..., Server], tmp_path: Path
) -> None:
    server = new_server(demo=False, GRIDBOOK_SYNC_ADMIN=":".join(ADMIN))
    assert requests.put(f"{server.url}/sync/inbox-a", auth=ADMIN, timeout=60).status_code == 201
    phones = [Phone(server, name) for name in ("alice", "bob", "charlie")]
    for phone in phones:
        phone.start()
    for phone in phones:
        assert phone.first_half.wait(60)
    before = {phone.name: phone.acknowledged for phone in phones}
    server.flask("backup", tmp_path / "backup")
    for phone in phones:
        phone.stopped.set()
        phone.join()
    restored = Server(tmp_path / "restored" / "var", GRIDBOOK_SYNC_ADMIN=":".join(ADMIN))
    restored.flask("restore", tmp_path / "backup")
    restored.start()
    try:
        rows = requests.get(f"{restored.url}/sync/inbox-a/_all_docs", auth=ADMIN, timeout=60).json()["rows"]
    finally:
        restored.stop()
    for phone in phones:
        found = [row["id"] for row in rows if row["id"].startswith(phone.name)]
        # What it had acknowledged before is there, and of the rest a beginning.
        assert before[phone.name] <= len(found) <= phone.acknowledged + 10
        assert found == [f"{phone.name}:{n:06}" for n in range(len(found))]
    assert "whole" in restored.flask("store", "check").stdout


def test_only_the_owner_can_read_a_backup(district: Gridbook, tmp_path: Path) -> None:
    manifest = backup.make(district, tmp_path / "backup")
    expected = {"store.sqlite3", "people.sqlite3", "secret.key", "person.key", audit.FILE}
    assert set(manifest["files"]) == expected
    assert {path.name for path in (tmp_path / "backup").iterdir()} == {*manifest["files"], "manifest.json"}
    assert stat.S_IMODE((tmp_path / "backup").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "backup").iterdir()} == {0o600}


def test_people_keys_and_documents_come_back(
    district: Gridbook, gridbook: Callable[[str], Gridbook], tmp_path: Path
) -> None:
    backup.make(district, tmp_path / "backup")
    backup.restore(gridbook("other"), tmp_path / "backup")
    other = gridbook("other")
    assert [member.username for member in staff.every(other.people)] == ["chen"]
    for key in ("secret.key", "person.key"):
        assert (other.settings.data / key).read_text() == (district.settings.data / key).read_text()
    assert other.store.open("inbox-a").attachment("r", "p").data == b"photo"
    assert check(other.settings.store_file).problems == []


def test_a_restored_store_is_another_one_with_new_epochs_and_no_checkpoints(
    district: Gridbook, gridbook: Callable[[str], Gridbook], tmp_path: Path
) -> None:
    inbox = district.store.open("inbox-a")
    inbox.put_local({"last_seq": 7}, "checkpoint")
    backup.make(district, tmp_path / "backup")
    backup.restore(gridbook("other"), tmp_path / "backup")
    other = gridbook("other")
    assert other.store.uuid != district.store.uuid
    assert other.store.open("inbox-a").epoch != inbox.epoch
    with pytest.raises(NotFound):
        other.store.open("inbox-a").get_local("checkpoint")


def test_who_saw_personal_data_is_still_known_after_a_restore(
    district: Gridbook, gridbook: Callable[[str], Gridbook], tmp_path: Path
) -> None:
    backup.make(district, tmp_path / "backup")
    other = gridbook("other")
    backup.restore(other, tmp_path / "backup")
    assert "a fever to be traced" in (other.settings.data / audit.FILE).read_text("utf-8")


def test_documents_in_a_couchdb_are_not_said_to_be_backed_up(district: Gridbook, tmp_path: Path) -> None:
    elsewhere = replace(
        district, settings=replace(district.settings, store_url="couchdb+http://u:p@127.0.0.1:5984")
    )
    for way in (backup.make, backup.restore):
        with pytest.raises(backup.BackupRefused, match=r"couchdb\.md"):
            way(elsewhere, tmp_path / "backup")
    assert not (tmp_path / "backup").exists()


def test_what_exists_is_not_overwritten(
    district: Gridbook, gridbook: Callable[[str], Gridbook], tmp_path: Path
) -> None:
    backup.make(district, tmp_path / "backup")
    with pytest.raises(backup.BackupRefused, match="exists"):
        backup.make(district, tmp_path / "backup")
    with pytest.raises(backup.BackupRefused, match="holds a district already"):
        backup.restore(district, tmp_path / "backup")
    assert district.store.open("inbox-a").get("r")["text"] == "发热"


def test_a_full_disk_leaves_no_half_a_backup(
    district: Gridbook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(backup, "_copy_people", full)
    with pytest.raises(backup.BackupRefused, match="No space left"):
        backup.make(district, tmp_path / "backup")
    assert [path.name for path in tmp_path.iterdir()] == ["var"]


def test_a_damaged_store_gives_no_backup(district: Gridbook, tmp_path: Path) -> None:
    path = district.settings.store_file
    district.store.close()
    content = path.read_bytes()
    at = content.index("发热".encode())
    path.write_bytes(content[:at] + b"X" + content[at + 1 :])
    with pytest.raises(backup.BackupRefused, match="checksum"):
        backup.make(district, tmp_path / "backup")
    assert not (tmp_path / "backup").exists()


def test_a_damaged_backup_is_not_put_back(
    district: Gridbook, gridbook: Callable[[str], Gridbook], tmp_path: Path
) -> None:
    backup.make(district, tmp_path / "backup")
    store = tmp_path / "backup" / "store.sqlite3"
    content = store.read_bytes()
    store.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(backup.BackupRefused, match="not what was written"):
        backup.restore(gridbook("other"), tmp_path / "backup")
    assert gridbook("other").store.names() == []


def test_a_restore_that_broke_off_keeps_the_server_from_starting_and_can_be_repeated(
    district: Gridbook,
    gridbook: Callable[[str], Gridbook],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    backup.make(district, tmp_path / "backup")
    other = gridbook("other")
    bring = backup._bring

    def breaks_at_the_store(source: Path, target: Path) -> None:
        if target.name == "store.sqlite3":
            raise KeyboardInterrupt
        bring(source, target)

    with monkeypatch.context() as broken:
        broken.setattr(backup, "_bring", breaks_at_the_store)
        with pytest.raises(KeyboardInterrupt):
            backup.restore(other, tmp_path / "backup")
    with pytest.raises(SettingsError, match="did not end"):
        serving.begin(other.settings)
    serving.end()
    backup.restore(gridbook("other"), tmp_path / "backup")
    assert gridbook("other").store.open("inbox-a").get("r")["text"] == "发热"
    assert not datafolder.unfinished_restore(other.settings.data).exists()


def test_nothing_is_restored_under_a_running_server(
    new_server: Callable[..., Server], district: Gridbook, tmp_path: Path
) -> None:
    backup.make(district, tmp_path / "backup")
    server = new_server(demo=False)
    refused = server.flask("restore", tmp_path / "backup", check=False)
    assert refused.returncode != 0
    assert "is in use by a server" in refused.stderr
    assert "Traceback" not in refused.stderr
