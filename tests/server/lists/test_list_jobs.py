"""Importing, matching and answering as jobs: cancelled, broken off, begun anew, refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from server.app import gridbook
from server.jobs import events
from server.jobs.kinds import KINDS
from server.jobs.queue import OPEN_MAX, Cancelled, Job
from server.jobs.worker import Result, Work, Worker
from server.lists import archive, importing, known, layout, reconciling
from server.people import staff
from tests.server.api.world import World
from tests.server.lists import pushed
from tests.server.lists.test_pages import API, csrf, import_list, imported, upload


class Killed(BaseException):
    """The worker's process is gone."""


@pytest.fixture(autouse=True)
def no_drafts(world: World) -> None:
    """Of what other tests uploaded."""
    for name in drafts(world):
        importing.forget(world.gridbook, name)


def ordered(world: World, data: bytes | None = None, **query: str) -> dict[str, Any]:
    answer = import_list(world, "dong", data or pushed.file(pushed.workbook()), **query)
    assert answer.status_code == 202, answer.text
    assert answer.headers["Location"] == f"/api/v1/jobs/{answer.json['job_id']}"
    return dict(answer.json)


def look(world: World, job: dict[str, Any], who: str = "dong") -> dict[str, Any]:
    return dict(world.get(who, f"/api/v1/jobs/{job['job_id']}").json)


def cancel(world: World, job: dict[str, Any]) -> dict[str, Any]:
    answer = world.app.test_client().delete(f"/api/v1/jobs/{job['job_id']}", headers=world.headers("dong"))
    return dict(answer.json)


def lists(world: World) -> list[archive.NameList]:
    return archive.every(world.gridbook.store)


def drafts(world: World) -> list[str]:
    folder = world.gridbook.settings.data / importing.FOLDER
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def work(world: World, kind: str, do: Callable[[Work], Result]) -> None:
    """One job, done by `do`, after a start of the worker."""
    with world.app.app_context():
        gridbook().jobs.recover()
        Worker(
            gridbook().jobs, {**KINDS, kind: replace(KINDS[kind], do=do)}, 1 << 30, lambda: False
        ).run_once()


def meddled(kind: str, before: Callable[[str, int], None]) -> Callable[[Work], Result]:
    """The kind's own work; `before(stage, done)` is called whenever it says how far it is."""

    def do(asked: Work) -> Result:
        def report(done: int, total: int | None, stage: str = "") -> None:
            before(stage, done)
            asked.report(done, done, stage)  # told as an end, it is never passed over

        return KINDS[kind].do(Work(asked.asked, report, asked.job_id, asked.staff_id))

    return do


def test_the_job_says_what_it_is_at_and_ends_in_the_list(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "EVERY", 2)
    monkeypatch.setattr(known, "EVERY", 2)
    job, seen = ordered(world, title="返博第一批"), []
    assert (job["kind"], job["about"]["file_name"]) == ("list-import", "名单.xlsx")

    def note(stage: str, done: int) -> None:
        seen.append((stage, done))
        assert look(world, job)["state"] == "running"

    work(world, "list-import", meddled("list-import", note))
    assert [each for each in seen if each[0] == "read"] == [*[("read", 0)] * 3, ("read", 2)]
    assert [done for stage, done in seen if stage == "prepare"] == [0, 2]
    assert [done for stage, done in seen if stage == "match"][:3] == [0, 2, 4]
    done = look(world, job)
    assert (done["state"], done["made"]["names"], done["stage"]) == ("done", 4, None)
    told = world.get("dong", f"{API}/{done['made']['list_id']}").json
    assert (told["title"], told["counts"]["already_managed"]) == ("返博第一批", 1)
    assert drafts(world) == []


@pytest.mark.parametrize("stage", ["read", "prepare", "match"])
def test_a_cancelled_import_leaves_nothing(world: World, stage: str) -> None:
    before, job = lists(world), ordered(world)

    def meddle(at: str, _done: int) -> None:
        if at == stage:
            assert cancel(world, job)["state"] == "cancelling"

    work(world, "list-import", meddled("list-import", meddle))
    assert look(world, job)["state"] == "cancelled"
    assert (lists(world), drafts(world)) == (before, [])


def test_an_import_that_waits_is_cancelled_with_its_upload(world: World) -> None:
    job = ordered(world)
    assert len(drafts(world)) == 1
    assert cancel(world, job)["state"] == "cancelled"
    assert drafts(world) == []


@pytest.mark.parametrize("at", ["look", "keep", "settle", "end"])
def test_an_import_whose_worker_died_begins_anew_and_becomes_one_list(
    world: World, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    before, job = len(lists(world)), ordered(world)
    places = {
        "look": (reconciling, "look"),
        "keep": (reconciling, "take_over"),
        "settle": (reconciling, "settle"),
        "end": (importing, "forget"),
    }

    def killed(*_: Any, **__: Any) -> Any:
        raise Killed

    if at == "keep":
        first = ordered(world)
        world.work()
        before += 2
        assert look(world, first)["state"] == "done"
        job = ordered(world, supersedes=lists(world)[-1].list_id)
    with monkeypatch.context() as patches:
        patches.setattr(*places[at], killed)
        with pytest.raises(Killed):
            work(world, "list-import", KINDS["list-import"].do)
    work(world, "list-import", KINDS["list-import"].do)
    world.work()
    done = look(world, job)
    assert done["state"] == "done", done
    assert len(lists(world)) == before + 1
    found = reconciling.reconciled(world.gridbook, done["made"]["list_id"])
    assert found.candidates and found.standing.state(3) == "already_managed"
    assert len(archive.decisions(world.gridbook.store, found.head.list_id)) == 1


def test_the_same_upload_twice_becomes_one_list_and_the_second_names_it(world: World) -> None:
    data = pushed.file(pushed.workbook())
    first, second = ordered(world, data), ordered(world, data)
    world.work()
    made = look(world, first)["made"]["list_id"]
    failed = look(world, second)
    assert (failed["state"], failed["failure"]["code"]) == ("failed", "list-exists")
    assert made in failed["failure"]["detail"] and drafts(world) == []


def test_a_list_that_came_between_looking_and_writing_is_not_written_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command beside the server imports the same file."""
    data, look_for = pushed.file(pushed.workbook()), reconciling.look
    job, before = ordered(world, data), len(lists(world))

    def slow(*given: Any) -> Any:
        monkeypatch.setattr(reconciling, "look", look_for)
        pushed.kept(world, data)
        return look_for(*given)

    monkeypatch.setattr(reconciling, "look", slow)
    world.work()
    assert look(world, job)["failure"]["code"] == "list-exists"
    assert len(lists(world)) == before + 1


@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_cannot_be_read_is_told_by_the_files_own_name_and_nothing_stays(
    world: World, language: str
) -> None:
    before = lists(world)
    job = import_list(world, "dong", b"PK\x03\x04 not a zip", "返博 名单.xlsx").json
    world.work()
    answer = world.get("dong", f"/api/v1/jobs/{job['job_id']}", headers={"Accept-Language": language})
    detail = answer.json["failure"]["detail"]
    assert answer.json["state"] == "failed" and "返博 名单.xlsx" in detail
    assert ("打不开" if language == "zh" else "cannot be opened") in detail
    assert (lists(world), drafts(world)) == (before, [])


def test_an_upload_that_is_one_job_too_many_is_refused_and_forgotten(own_world: World) -> None:
    kept = [ordered(own_world) for _ in range(OPEN_MAX)]
    before = drafts(own_world)
    assert len(before) == len(kept)
    refused = import_list(own_world, "dong", pushed.file(pushed.workbook()))
    assert (refused.status_code, refused.json["code"]) == (429, "too-many-jobs")
    client = own_world.signed_in("dong")
    fields = {**upload(pushed.file(pushed.workbook())), "csrf_token": csrf(client, "/lists/import")}
    page = client.post("/lists/import", data=fields)
    assert page.status_code == 429 and "您已有 5 项任务在排队或进行" in page.text
    assert drafts(own_world) == before


def test_who_was_shut_out_meanwhile_imports_nothing(own_world: World) -> None:
    job = ordered(own_world)
    staff.disable(own_world.gridbook.people, pushed.member(own_world))
    own_world.work()
    with own_world.app.app_context():
        ended = gridbook().jobs.job(job["job_id"])
    assert (ended.state, ended.result["code"]) == ("failed", "forbidden")
    assert lists(own_world) == []


def test_matching_and_answering_are_jobs_that_begin_anew_without_doing_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = imported(world)
    path = f"{API}/{made['list_id']}"
    match = world.post("dong", f"{path}/match")
    assert world.post("dong", f"{path}/match").json["job_id"] == match.json["job_id"], "one is enough"
    assert world.done("dong", match)["made"] == {"list_id": made["list_id"], "settled": 0}
    answer = world.post("dong", f"{path}/answers", json={"reason": "反馈上级"})

    def dies_late(asked: Work) -> Result:
        KINDS["list-answer"].do(asked)
        raise Killed

    with pytest.raises(Killed):
        work(world, "list-answer", dies_late)
    work(world, "list-answer", KINDS["list-answer"].do)
    assert look(world, answer.json)["made"] == {"list_id": made["list_id"], "answer": 1}
    assert [each["n"] for each in world.get("dong", path).json["answers"]] == [1]


def test_a_cancelled_answer_takes_no_number(world: World) -> None:
    made = imported(world)
    job = world.post("dong", f"{API}/{made['list_id']}/answers", json={"reason": "反馈上级"}).json
    work(world, "list-answer", meddled("list-answer", lambda *_: cancel(world, job) and None))
    assert look(world, job)["state"] == "cancelled"
    assert world.get("dong", f"{API}/{made['list_id']}").json["answers"] == []


@pytest.mark.parametrize("what", ["match", "answers"])
def test_what_cannot_be_ordered_is_refused_at_once(world: World, what: str) -> None:
    body = {"json": {"reason": "反馈上级", "as_of": "2999-01-01T00:00:00+08:00"}} if what == "answers" else {}
    assert world.post("dong", f"{API}/2000-0001/{what}", **body).json["code"] == "list-unknown"
    assert world.post("bai", f"{API}/2000-0001/{what}", **body).json["code"] == "outside-area"
    if what == "answers":
        path = f"{API}/{imported(world)['list_id']}/answers"
        assert world.post("dong", path, **body).json["code"] == "list-as-of-future"


def test_a_job_on_lists_is_seen_by_who_ordered_it_and_may_read_lists(world: World) -> None:
    job = ordered(world)
    assert look(world, job, "bai")["code"] == "unknown-job"
    assert job["job_id"] in [each["job_id"] for each in world.get("dong", "/api/v1/jobs").json["items"]]
    assert world.get("admin", "/api/v1/jobs").status_code == 403
    cancel(world, job)


# The pages


def test_the_page_of_a_job_shows_how_far_it_is_and_cancels_it(world: World) -> None:
    client = world.signed_in("dong")
    fields = {**upload(pushed.file(pushed.workbook())), "csrf_token": csrf(client, "/lists/import")}
    page = client.post("/lists/import", data=fields).location
    job = page.rpartition("/")[2]
    token = csrf(client, page)
    assert "排队中" in client.get(page).text
    assert client.post(f"/jobs/{job}/cancel", data={"csrf_token": "x"}).status_code == 403
    assert client.post(f"/jobs/{job}/cancel", data={"csrf_token": token}).location == "/lists/import"
    assert "已取消" in client.get("/lists/import").text
    assert client.get(page).location == "/lists/import"
    assert world.signed_in("bai").get(f"/jobs/{job}").status_code == 404


def test_the_page_of_a_failed_job_says_why(world: World) -> None:
    made = imported(world)
    job = world.post("dong", f"{API}/{made['list_id']}/match").json["job_id"]

    def fails(_asked: Work) -> Result:
        raise RuntimeError("bug")

    work(world, "list-match", fails)
    page = world.signed_in("dong").get(f"/jobs/{job}")
    assert page.status_code == 200 and "任务失败" in page.text and "Traceback" not in page.text
    assert '<a href="/lists" aria-current="page">' in page.text


def test_an_answer_ordered_on_the_page_is_shown_on_the_lists_page(world: World) -> None:
    client, made = world.signed_in("dong"), imported(world)
    path = f"/lists/{made['list_id']}"
    form = {"reason": "反馈上级", "csrf_token": csrf(client, path)}
    waits = client.post(f"{path}/answers", data=form).location
    world.work()
    shown = client.get(waits)
    assert shown.location == f"{path}#answers"
    assert "第 1 号" in client.get(path).text


def job_at(**values: Any) -> Job:
    fixed = {"job_id": "j", "kind": "list-read", "staff_id": "s", "cancel": False, "attempts": 1, "asked": {}}
    times = {"ordered_at": "", "started_at": None, "ended_at": None, "expires_at": None}
    return Job(**{**fixed, **times, "total": 10, "result": {}, **values})


def test_the_events_of_a_job_tell_its_moves_and_its_end_at_once() -> None:
    steps: Iterator[Job] = iter(
        [job_at(state="queued", done=0), *[job_at(state="running", done=n) for n in range(1, 10)],
         job_at(state="done", done=10)]
    )  # fmt: skip
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    told = list(events.moves(lambda: next(steps), sleep, lambda: now[0]))
    assert [line.partition("\n")[0] for line in told] == ["retry: 1000", "event: moved", "event: ended"]


def test_the_events_of_a_removed_job_end() -> None:
    told = list(events.moves(lambda: None, lambda _: None, lambda: 0.0))
    assert told[-1].startswith("event: ended")


def test_a_cancelled_job_raises_in_its_work(world: World) -> None:
    job = ordered(world)
    with world.app.app_context():
        queue = gridbook().jobs
        assert queue.claim()
        queue.cancel(job["job_id"])
        with pytest.raises(Cancelled):
            queue.report(job["job_id"], 1, 2, "read")
        queue.end(job["job_id"], "cancelled")
