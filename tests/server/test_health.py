"""How the server is: each part measured by itself, with what to do; the probes need no credentials."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from server import backup, clock, health
from server.health import BAD, GOOD, WARN
from server.intake import heartbeat
from server.intake.follower import ask
from server.intake.rebuilding import FAILED, Progress, note_failure
from server.readmodel.model import write_meta
from server.web.system import size
from sync.store import StoreError
from tests.server.api.world import World, sample


def measured(world: World) -> dict[str, Any]:
    return health.measure(world.gridbook)


def data(world: World) -> Path:
    return world.gridbook.settings.data


def silent_for(world: World, seconds: float) -> None:
    moment = time.time() - seconds
    os.utime(data(world) / heartbeat.FILE, (moment, moment))


def test_a_follower_that_works_leaves_a_mark(world: World) -> None:
    silent_for(world, 3600)
    world.push(sample("household_visit/pass/uneventful", device_id=world.device_id))
    world.follow()
    found = measured(world)["follower"]
    assert (found["level"], found["alive"]) == (GOOD, True)


@pytest.mark.parametrize(
    ("seconds", "level", "alive"), [(5, GOOD, True), (60, WARN, True), (600, BAD, False)]
)
def test_a_silent_follower_is_told_by_its_age(world: World, seconds: float, level: str, alive: bool) -> None:
    silent_for(world, seconds)
    found = measured(world)["follower"]
    assert (found["level"], found["alive"]) == (level, alive)


def test_a_folder_on_which_no_follower_ever_ran_is_bad(world: World) -> None:
    (data(world) / heartbeat.FILE).unlink()
    found = measured(world)["follower"]
    assert (found["level"], found["last_beat_at"]) == (BAD, None)
    heartbeat.beat(data(world))


def test_records_without_a_verdict_are_counted_with_the_age_of_the_oldest(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert measured(world)["waiting"] == {
        "level": GOOD,
        "records": 0,
        "oldest_received_at": None,
        "oldest_age_s": None,
    }
    for _ in range(3):
        world.push(sample("household_visit/pass/uneventful", device_id=world.device_id))
    found = measured(world)["waiting"]
    assert (found["records"], found["level"]) == (3, GOOD)
    later = clock.now().replace(year=clock.now().year + 1)
    with monkeypatch.context() as patch:
        patch.setattr(clock, "now", lambda: later)
        assert measured(world)["waiting"]["level"] == BAD
    world.follow()
    assert measured(world)["waiting"]["records"] == 0


def test_quarantined_records_are_counted_by_rule_and_faults_of_ours_stand_out(world: World) -> None:
    found = measured(world)["quarantine"]
    assert found["level"] == GOOD
    assert sum(found["by_rule"].values()) >= found["records"] > 0
    unknown = sample("household_visit/pass/uneventful", device_id=world.device_id)
    world.push({**unknown, "form_version": "99"})
    world.follow()
    found = measured(world)["quarantine"]
    assert (found["level"], found["by_rule"]["V001"]) == (WARN, 1)


def test_a_rebuild_is_told_with_its_progress(world: World) -> None:
    assert measured(world)["rebuild"]["level"] == GOOD
    progress = Progress(world.gridbook.readmodel, 10)
    progress.add(4)
    assert measured(world)["rebuild"]["progress"] == {"handled": 4, "of": 10}
    assert "已完成 4 / 10 条（40%）" in world.signed_in("admin").get("/system").text
    progress.end()
    ask(world.gridbook.readmodel, "rebuild")
    assert measured(world)["rebuild"] == {
        "level": WARN,
        "state": "asked",
        "progress": None,
        "asked_for": True,
        "failure": None,
    }
    ask(world.gridbook.readmodel, "")


def test_a_rebuild_that_failed_says_why_until_one_succeeds(world: World) -> None:
    with world.gridbook.readmodel.engine.begin() as connection:
        note_failure(connection, "OSError: no space left")
    found = measured(world)["rebuild"]
    assert (found["level"], found["failure"].partition(" ")[2]) == (BAD, "OSError: no space left")
    page = world.signed_in("admin").get("/system").text
    assert "失败：" in page and "OSError: no space left" in page
    with world.gridbook.readmodel.engine.begin() as connection:
        write_meta(connection, FAILED, "")
    assert measured(world)["rebuild"]["level"] == GOOD


GIB = 1 << 30


@pytest.mark.parametrize(
    ("total", "free", "level"),
    [
        (100 * GIB, 50 * GIB, GOOD),
        (100 * GIB, 9 * GIB, WARN),
        (100 * GIB, 2 * GIB, BAD),
        (10_000 * GIB, 500 * GIB, GOOD),
        (4 * GIB, GIB, WARN),
        (4 * GIB, GIB // 4, BAD),
    ],
)
def test_the_disk_warns_in_time(
    world: World, monkeypatch: pytest.MonkeyPatch, total: int, free: int, level: str
) -> None:
    usage = shutil.disk_usage(data(world))._replace(total=total, free=free)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert measured(world)["disk"] == {"level": level, "free_bytes": free, "total_bytes": total}


def test_a_backup_is_remembered_and_grows_old(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert measured(world)["backup"] == {"level": BAD, "last_at": None, "elsewhere": False}
    made = backup.make(world.gridbook, tmp_path / "backup")
    assert measured(world)["backup"] == {"level": GOOD, "last_at": made["started_at"], "elsewhere": False}
    (data(world) / health.LAST_BACKUP).write_text("not json")
    assert measured(world)["backup"]["level"] == BAD


def test_sizes_and_versions_are_told(world: World) -> None:
    found = measured(world)
    assert found["store"]["bytes"] > 0 and found["store"]["databases"] > 3
    assert found["readmodel"]["bytes"] > 0 and found["readmodel"]["version"] > 0
    assert found["server"]["gridbook"] == health.gridbook_version()


def test_a_part_that_cannot_be_measured_hides_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> list[str]:
        raise StoreError("the store is away")

    monkeypatch.setattr(world.gridbook.store, "names", broken)
    found = measured(world)
    assert found["store"] == {"level": BAD, "error": "StoreError"}
    assert found["disk"].keys() >= {"free_bytes"}
    assert health.worst(found) == BAD
    page = world.signed_in("admin").get("/system").text
    assert "文档库没有应答" in page and "需要马上处理" in page


def test_only_administrators_read_it(world: World) -> None:
    answer = world.get("admin", "/api/v1/system")
    assert answer.status_code == 200
    assert answer.json["parts"].keys() == health.PARTS.keys()
    for who in ("dong", "bai", "cun"):
        assert world.get(who, "/api/v1/system").status_code == 403
        assert world.signed_in(who).get("/system").status_code == 403
    assert world.get(None, "/api/v1/system").status_code == 401


def test_the_probes_need_no_credentials_and_name_nobody(world: World) -> None:
    alive, ready = world.get(None, "/health"), world.get(None, "/ready")
    assert (alive.status_code, alive.json) == (200, {"status": "ok"})
    assert (ready.status_code, ready.json) == (200, {"status": "ok", "failing": []})
    assert ready.headers["Cache-Control"] == "no-store"


def test_a_server_whose_store_is_away_is_alive_and_not_ready(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise StoreError("the store is away")

    monkeypatch.setattr(world.gridbook.store, "updates", broken)
    assert world.get(None, "/health").status_code == 200
    ready = world.get(None, "/ready")
    assert (ready.status_code, ready.json) == (503, {"status": "unready", "failing": ["store"]})


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (None, "—"),
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KB"),
        (5 * GIB, "5.0 GB"),
        (GIB * 300_000, "293 TB"),
    ],
)
def test_sizes_read_as_people_say_them(count: int | None, words: str) -> None:
    assert size(count) == words
