"""Exports as jobs: ordered over HTTP, done by a worker in this process, fetched by who ordered them."""

from __future__ import annotations

import csv
import errno
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from server import audit, clock
from server.exports.job import export
from server.jobs import worker as workers
from server.jobs.kinds import KINDS
from server.jobs.queue import ATTEMPTS_MAX, OPEN_MAX, Job, Queue
from server.jobs.worker import Result, Work, Worker
from tests.server.api.world import World

ORDER = {"form": "household_visit"}


@pytest.fixture(autouse=True)
def queue(world: World) -> Iterator[Queue]:
    found = world.gridbook.jobs
    yield found
    for name in world.tokens:
        for job in found.of(staff_id(world, name)):
            found.remove(job.job_id)


def staff_id(world: World, name: str) -> str:
    from server.people import tokens

    return tokens.member_of(world.gridbook.people, world.tokens[name]).staff_id


def order(world: World, who: str = "dong", **body: Any) -> dict[str, Any]:
    answer = world.post(who, "/api/v1/jobs/exports", json=ORDER | body)
    assert answer.status_code == 202, answer.text
    assert answer.headers["Location"] == f"/api/v1/jobs/{answer.json['job_id']}"
    return dict(answer.json)


def work(
    world: World,
    queue: Queue,
    do: Callable[[Work], Result] = export,
    bytes_max: int = 1 << 30,
    stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Everything that waits, as after a start."""
    with world.app.app_context(), world.app.test_request_context():
        worker = Worker(queue, {"export": replace(KINDS["export"], do=do)}, bytes_max, stopped)
        queue.recover()
        while worker.run_once() and not stopped():
            pass


def look(world: World, job: dict[str, Any], who: str = "dong", **more: Any) -> dict[str, Any]:
    answer = world.get(who, f"/api/v1/jobs/{job['job_id']}", **more)
    assert answer.status_code == 200, answer.text
    return dict(answer.json)


def files(queue: Queue) -> list[str]:
    return [path.name for path in queue.folder.iterdir()]


def test_an_ordered_export_is_made_fetched_and_the_same_as_the_direct_one(world: World, queue: Queue) -> None:
    job = order(world)
    assert (job["state"], job["done"], job["total"], job["file"]) == ("queued", 0, None, None)
    assert world.get("dong", f"/api/v1/jobs/{job['job_id']}/file").json["code"] == "job-not-done"
    work(world, queue)
    done = look(world, job)
    assert done["state"] == "done" and done["done"] == done["total"] > 0
    assert queue.file(job["job_id"]).stat().st_mode & 0o777 == 0o600
    assert queue.folder.stat().st_mode & 0o777 == 0o700
    answer = world.get("dong", done["file"]["href"])
    assert answer.data == world.get("dong", "/api/v1/export/household_visit.csv").data
    assert answer.content_type == "text/csv; charset=utf-8"
    assert int(answer.headers["Content-Length"]) == done["file"]["bytes"] == len(answer.data)
    assert "household_visit-" in answer.headers["Content-Disposition"]


def test_the_cursor_of_a_job_is_where_the_next_export_begins(world: World, queue: Queue) -> None:
    job = order(world)
    work(world, queue)
    later = order(world, since=look(world, job)["cursor"])
    work(world, queue)
    assert look(world, later)["state"] == "done"
    refused = world.post(
        "dong",
        "/api/v1/jobs/exports",
        json=ORDER | {"since": look(world, job)["cursor"], "status": "returned"},
    )
    assert refused.json["code"] == "bad-cursor"


def test_the_filters_and_the_area_of_the_ordering_hold(world: World, queue: Queue) -> None:
    job = order(world, status="quarantined")
    other_town = order(world, who="ba")
    work(world, queue)
    text = world.get("dong", look(world, job)["file"]["href"]).data.decode("utf-8-sig")
    assert {row["status"] for row in csv.DictReader(io.StringIO(text, newline=""))} == {"quarantined"}
    assert look(world, other_town, who="ba")["total"] == 0


@pytest.mark.parametrize("what", ["", "/file"])
def test_another_persons_job_does_not_exist(world: World, queue: Queue, what: str) -> None:
    job = order(world)
    work(world, queue)
    path = f"/api/v1/jobs/{job['job_id']}{what}"
    stranger, unknown = world.get("bai", path), world.get("bai", f"/api/v1/jobs/nope{what}")
    assert (stranger.status_code, stranger.json["code"]) == (404, "unknown-job")
    assert stranger.json == unknown.json
    assert world.get(None, path).status_code == 401
    assert world.get("bai", "/api/v1/jobs").json["items"] == []
    deleted = world.app.test_client().delete(f"/api/v1/jobs/{job['job_id']}", headers=world.headers("bai"))
    assert deleted.status_code == 404 and look(world, job)["state"] == "done"


def test_who_may_not_export_orders_nothing(world: World) -> None:
    refused = world.post("admin", "/api/v1/jobs/exports", json=ORDER)
    assert refused.json["code"] == "forbidden"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"form": "nope"}, "unknown-form"),
        ({"table": "nope"}, "unknown-table"),
        ({"format": "dbf"}, "invalid"),
        ({"form": None}, "invalid"),
        ({"since": "broken"}, "bad-cursor"),
        ({"area": "370305"}, "unknown-area"),
        ({"poem": 1}, "invalid"),
        ({"unmask": True}, "reason-missing"),
    ],
)
def test_a_wrong_order_is_refused_and_nothing_waits(
    world: World, queue: Queue, body: dict[str, Any], code: str
) -> None:
    assert world.post("dong", "/api/v1/jobs/exports", json=ORDER | body).json["code"] == code
    assert queue.of(staff_id(world, "dong")) == []


def test_an_export_in_full_is_put_on_record_when_it_is_ordered(world: World, queue: Queue) -> None:
    body = {"unmask": True, "reason": "流调核实", "table": "rep_person"}
    assert world.post("bai", "/api/v1/jobs/exports", json=ORDER | body).json["code"] == "forbidden"
    job = order(world, **body)
    log = (world.gridbook.settings.data / audit.FILE).read_text("utf-8").splitlines()
    assert json.loads(log[-1])["what"] == "export of household_visit/rep_person"
    work(world, queue)
    assert "420106198808080006" in world.get("dong", look(world, job)["file"]["href"]).text


def test_who_lost_the_right_to_a_file_in_full_cannot_fetch_it(world: World, queue: Queue) -> None:
    from server.people import tokens

    job = order(world, unmask=True, reason="流调核实")
    work(world, queue)
    member = tokens.member_of(world.gridbook.people, world.tokens["dong"])
    world.tokens["dong narrowed"] = tokens.create(
        world.gridbook.people, member, label="narrow", scopes=["export.masked"], days=1
    )
    refused = world.get("dong narrowed", look(world, job)["file"]["href"])
    del world.tokens["dong narrowed"]
    assert (refused.status_code, refused.json["code"]) == (403, "outside-scope")


def cancel(world: World, job: dict[str, Any]) -> dict[str, Any]:
    answer = world.app.test_client().delete(f"/api/v1/jobs/{job['job_id']}", headers=world.headers("dong"))
    assert answer.status_code == 200, answer.text
    return dict(answer.json)


def test_a_job_that_waits_is_cancelled_at_once_and_cancelling_twice_changes_nothing(
    world: World, queue: Queue
) -> None:
    job = order(world)
    first = cancel(world, job)
    assert first["state"] == "cancelled" and cancel(world, job) == first
    work(world, queue)
    assert look(world, job) == first and files(queue) == []


def test_a_running_job_is_cancelled_between_two_pages(world: World, queue: Queue) -> None:
    job = order(world)

    def slow(asked: Work) -> Result:
        def pieces() -> Iterator[bytes]:
            asked.report(1, 3)
            yield b"one"
            assert cancel(world, job)["state"] == "cancelling"
            assert cancel(world, job)["state"] == "cancelling"
            asked.report(3, 3)
            raise AssertionError("went on")

        return Result(pieces(), "x.csv", "text/csv", {})

    work(world, queue, slow)
    ended = look(world, job)
    assert (ended["state"], ended["total"]) == ("cancelled", 3)
    assert files(queue) == []


def test_cancelling_what_is_done_removes_its_file(world: World, queue: Queue) -> None:
    job = order(world)
    work(world, queue)
    assert cancel(world, job)["state"] == "cancelled" and files(queue) == []
    assert world.get("dong", f"/api/v1/jobs/{job['job_id']}/file").json["code"] == "job-not-done"


class Killed(BaseException):
    pass


def dying(_asked: Work) -> Result:
    def pieces() -> Iterator[bytes]:
        yield b"half"
        raise Killed

    return Result(pieces(), "x.csv", "text/csv", {})


def test_a_job_whose_worker_died_begins_again(world: World, queue: Queue) -> None:
    job = order(world)
    with pytest.raises(Killed):
        work(world, queue, dying)
    assert look(world, job)["state"] == "running"
    (queue.folder / f"{job['job_id']}.part").write_bytes(b"half")
    work(world, queue)
    assert look(world, job)["state"] == "done"
    assert files(queue) == [job["job_id"]]


def test_a_job_that_ends_its_worker_each_time_is_given_up(world: World, queue: Queue) -> None:
    job = order(world)
    for _ in range(ATTEMPTS_MAX):
        with pytest.raises(Killed):
            work(world, queue, dying)
    work(world, queue, dying)
    ended = look(world, job, headers={"Accept-Language": "en"})
    assert ended["state"] == "failed" and ended["failure"]["code"] == "job-broken"
    assert "Try again" in ended["failure"]["detail"]


def test_a_worker_that_is_told_to_end_puts_its_job_back(world: World, queue: Queue) -> None:
    job, told = order(world), []

    def interrupted(asked: Work) -> Result:
        def pieces() -> Iterator[bytes]:
            yield b"half"
            told.append(True)
            asked.report(1, 3)

        return Result(pieces(), "x.csv", "text/csv", {})

    work(world, queue, interrupted, stopped=lambda: bool(told))
    assert look(world, job)["state"] == "queued" and files(queue) == []
    assert queue.job(job["job_id"]).attempts == 0
    work(world, queue)
    assert look(world, job)["state"] == "done"


def failing(error: Exception) -> Callable[[Work], Result]:
    def kind(_asked: Work) -> Result:
        def pieces() -> Iterator[bytes]:
            yield b"half"
            raise error

        return Result(pieces(), "x.csv", "text/csv", {})

    return kind


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, "full"), "job-disk-full"),
        (OSError(errno.EIO, "broken"), "job-broken"),
        (RuntimeError("bug"), "job-broken"),
    ],
)
def test_a_failure_is_told_in_words_and_leaves_no_part_of_a_file(
    world: World, queue: Queue, error: Exception, code: str
) -> None:
    job = order(world)
    work(world, queue, failing(error))
    ended = look(world, job)
    assert (ended["state"], ended["failure"]["code"]) == ("failed", code)
    assert ended["failure"]["detail"] and files(queue) == []
    assert world.get("dong", f"/api/v1/jobs/{job['job_id']}/file").json["code"] == "job-not-done"


def test_a_job_ends_before_it_fills_the_disk(
    world: World, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "DISK_KEPT_FREE_BYTES", 1 << 60)
    job = order(world)
    work(world, queue)
    assert look(world, job)["failure"]["code"] == "job-disk-full" and files(queue) == []


def test_a_file_that_grows_too_large_is_not_kept(world: World, queue: Queue) -> None:
    job = order(world)
    work(world, queue, bytes_max=100)
    assert look(world, job)["failure"]["code"] == "job-too-large" and files(queue) == []


def test_one_person_has_few_jobs_at_once(world: World, queue: Queue) -> None:
    for _ in range(OPEN_MAX):
        order(world)
    refused = world.post("dong", "/api/v1/jobs/exports", json=ORDER)
    assert (refused.status_code, refused.json["code"]) == (429, "too-many-jobs")
    order(world, who="bai")
    assert len(world.get("dong", "/api/v1/jobs").json["items"]) == OPEN_MAX


def test_the_oldest_ended_jobs_give_way(world: World, queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.jobs.queue.KEPT_MAX", 2)
    made: list[dict[str, Any]] = []
    for _ in range(3):
        made.append(order(world))
        work(world, queue)
    assert {job.job_id for job in mine(world, queue)} == {job["job_id"] for job in made[1:]}
    assert set(files(queue)) == {job["job_id"] for job in made[1:]}


def mine(world: World, queue: Queue) -> list[Job]:
    return queue.of(staff_id(world, "dong"))


def test_a_job_expires_with_its_file(world: World, queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    order(world)
    work(world, queue)
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(hours=25))
    queue.expire()
    assert files(queue) == [] and mine(world, queue) == []


def test_the_page_orders_shows_and_cancels(world: World, queue: Queue) -> None:
    client = world.signed_in("dong")
    page = client.get("/exports").text
    assert "我的导出任务" not in page
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    form = {"table": "household_visit/rep_person", "format": "xlsx", "town": "", "csrf_token": token}
    assert client.post("/exports/jobs", data=form | {"csrf_token": "x"}).status_code == 403
    assert client.post("/exports/jobs", data=form).headers["Location"] == "/exports"
    page = client.get("/exports").text
    assert "排队中" in page and "data-busy" in page
    job = mine(world, queue)[0].job_id
    client.post(f"/exports/jobs/{job}/cancel", data={"csrf_token": token})
    assert "已取消" in client.get("/exports").text
    client.post("/exports/jobs", data=form)
    work(world, queue)
    job = mine(world, queue)[0].job_id
    assert f"/exports/jobs/{job}/file" in client.get("/exports").text
    assert client.get(f"/exports/jobs/{job}/file").data.startswith(b"PK")
    assert world.signed_in("bai").get(f"/exports/jobs/{job}/file").status_code == 404
