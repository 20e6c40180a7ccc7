"""The page of a job on lists: how far it is, without reloading; then on to what it made."""

from __future__ import annotations

import time
from typing import Any

from flask import Response, flash, redirect, render_template, session, url_for
from werkzeug.wrappers import Response as BaseResponse

from server.api import jobs as api
from server.api.beijing import local
from server.app import gridbook
from server.event_streams import event_stream
from server.jobs.events import is_busy, moves
from server.jobs.queue import Job
from server.people.web import require_csrf, require_staff
from server.web import language
from server.web.language import translate as t
from server.web.pages import blueprint


def of_lists(job: Job) -> bool:
    return job.kind.startswith("list-")


def waiting(job: Job) -> dict[str, Any]:
    """A job in the page's words."""
    shown = api.shown(job, language.current())
    about, total, stage = shown["about"], shown["total"], shown["stage"]
    moves_on = stage and shown["state"] == "running"
    return {
        **shown,
        "title": t(f"jobs.kind_{job.kind}", what=about.get("file_name") or about.get("list_id", "")),
        "at": local(shown["ordered_at"]),
        "words": t(f"jobs.stage_{stage}") if moves_on else t(f"exports.state_{shown['state']}"),
        "percent": min(100, 100 * shown["done"] // total) if total else None,
        "counted": t("jobs.of", done=f"{shown['done']:,}", total=f"{total:,}") if total else "",
        "href": page_of(job),
    }


def page_of(job: Job) -> str:
    if job.kind == "list-read":
        return url_for("web.list_preview", job_id=job.job_id)
    return url_for("web.job", job_id=job.job_id) if of_lists(job) else url_for("web.exports")


@blueprint.get("/jobs/<job_id>", endpoint="job")
@require_staff
def job_page(job_id: str) -> str | BaseResponse:
    job = api.one(api.who_orders(), job_id)
    if job.state == "done":
        return _made(job)
    if job.state == "cancelled":
        return redirect(_back(job), 303)
    return wait_page(job) if job.kind not in ("export", "list-read") else redirect(page_of(job), 303)


def wait_page(job: Job) -> str:
    """How far it is; or, of one that failed, why."""
    return render_template("job.html", job=waiting(job), busy=is_busy(job), back=_back(job))


def _made(job: Job) -> BaseResponse:
    """On to what a job made, saying so."""
    made = job.result.get("made")
    if made is None:
        return redirect(page_of(job), 303)
    said = {
        "list-import": lambda: t("lists.kept", list=made["list_id"], n=made["names"]),
        "list-match": lambda: t("lists.matched_again", n=made["settled"]),
        "list-answer": lambda: t("lists.answered", n=made["answer"], as_of=local(job.asked["as_of"])),
    }
    words = said[job.kind]()
    # A page that looks again before the browser was sent on asks twice.
    if ("good", words) not in session.get("_flashes", ()):
        flash(words, "good")
    place = "#answers" if job.kind == "list-answer" else ""
    return redirect(url_for("web.one_list", list_id=made["list_id"]) + place, 303)


def _back(job: Job) -> str:
    if not of_lists(job):
        return url_for("web.exports")
    list_id = job.asked.get("list_id")
    return url_for("web.one_list", list_id=list_id) if list_id else url_for("web.list_import")


@blueprint.post("/jobs/<job_id>/cancel")
@require_staff
@require_csrf
def cancel_job(job_id: str) -> BaseResponse:
    job = api.cancel(api.who_orders(), job_id)
    if job.state == "cancelled":
        flash(t("jobs.cancelled"), "good")
        return redirect(_back(job), 303)
    return redirect(page_of(job), 303)


# Its events


@blueprint.get("/jobs/<job_id>/events")
@require_staff
def job_events(job_id: str) -> Response:
    queue = gridbook().jobs
    api.one(api.who_orders(), job_id)

    def look() -> Job | None:
        try:
            return queue.job(job_id)
        except KeyError:
            return None

    return event_stream(moves(look, time.sleep, time.monotonic))
