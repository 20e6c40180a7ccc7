"""Jobs: long work outside the request; only who ordered one sees it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flask import Response, request, url_for
from flask.views import MethodView

from server.api import problems, shapes
from server.api.access import allowed, refused, staff_for
from server.api.blueprint import Blueprint
from server.api.description import FILE
from server.api.exports import ACTION, ask
from server.api.freshness import A_FILE, untagged
from server.api.problems import Problem
from server.app import gridbook
from server.exports.asked import Asked
from server.jobs.kinds import KINDS
from server.jobs.queue import Job, TooMany
from server.people.permissions import covers, may
from server.people.staff import Staff
from server.people.web import current_staff, require_csrf

PIECE_BYTES = 1 << 18
IT_MOVES = "A job's progress moves from one moment to the next."

blp = Blueprint("jobs", __name__, url_prefix="/api/v1", description="Long work outside the request")


@blp.route("/jobs/exports")
class Exports(MethodView):
    @allowed(ACTION)
    @require_csrf
    @blp.arguments(shapes.ExportOrder)
    @blp.response(202, shapes.Job)
    def post(self, body: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
        """Order an export; ask for its progress, then fetch its file. One in full is put on record now."""
        job = order(staff_for(ACTION), body["form_id"], body)
        return shown(job), 202, {"Location": url_for("jobs.Job", job_id=job.job_id)}


@blp.route("/jobs")
class Jobs(MethodView):
    @blp.response(200, shapes.JobList)
    @untagged(IT_MOVES)
    def get(self) -> dict[str, Any]:
        """Your jobs, newest first."""
        return {"items": [shown(job) for job in mine(who_orders())]}


@blp.route("/jobs/<string:job_id>", endpoint="Job")
class OneJob(MethodView):
    @blp.response(200, shapes.Job)
    @untagged(IT_MOVES)
    def get(self, job_id: str) -> dict[str, Any]:
        """One of your jobs with its progress."""
        return shown(one(who_orders(), job_id))

    @require_csrf
    @blp.response(200, shapes.Job)
    def delete(self, job_id: str) -> dict[str, Any]:
        """Cancel it; of one that has ended, remove its file. Doing it twice changes nothing more."""
        return shown(cancel(who_orders(), job_id))


@blp.route("/jobs/<string:job_id>/file")
class File(MethodView):
    @blp.response(200, FILE, content_type="*/*", description="The file, of its own type")
    @untagged(A_FILE)
    def get(self, job_id: str) -> Response:
        """The file of a job that is done."""
        return file(who_orders(), job_id)


def order(member: Staff, form_id: str, query: dict[str, Any]) -> Job:
    """Raises Problem as `ask` does, and when somebody has as many jobs as one may."""
    return queued("export", member, ask(member, form_id, query).to_json())


def queued(kind: str, member: Staff, asked: dict[str, Any]) -> Job:
    """Raises Problem when somebody has as many jobs as one may."""
    try:
        return gridbook().jobs.order(kind, member.staff_id, asked)
    except TooMany:
        raise Problem("too-many-jobs") from None


def who_orders() -> Staff:
    """Who asks, if there is any kind of job that they may order. Raises Problem."""
    member = current_staff()
    if member is not None and any(may(member, kind.action) for kind in KINDS.values()):
        return member
    return staff_for(ACTION)


def mine(member: Staff) -> list[Job]:
    """Those of their jobs whose kind they may order."""
    return [job for job in gridbook().jobs.of(member.staff_id) if may(member, KINDS[job.kind].action)]


def one(member: Staff, job_id: str) -> Job:
    """Raises Problem, the same for another person's."""
    try:
        job = gridbook().jobs.job(job_id)
    except KeyError:
        raise Problem("unknown-job") from None
    if job.staff_id != member.staff_id or not may(member, KINDS[job.kind].action):
        raise Problem("unknown-job")
    return job


def cancel(member: Staff, job_id: str) -> Job:
    job = one(member, job_id)
    if job.state == "done":
        gridbook().jobs.file(job_id).unlink(missing_ok=True)
        gridbook().jobs.end(job_id, "cancelled")
    ended = gridbook().jobs.cancel(job_id)
    if ended.state == "cancelled" and job.state == "queued":
        KINDS[job.kind].tidy(job.asked)
    return ended


def file(member: Staff, job_id: str) -> Response:
    """Raises Problem: not done, or somebody who has lost the right to what is in it since the ordering."""
    job = one(member, job_id)
    path = gridbook().jobs.file(job_id)
    if job.state != "done" or not path.exists():
        raise Problem("job-not-done")
    if job.kind == "export":
        _still_allowed(member, Asked.from_json(job.asked))
    headers = {
        "Content-Disposition": f'attachment; filename="{job.result["name"]}"',
        "Content-Length": str(path.stat().st_size),
        "Cache-Control": "no-store",
    }
    return Response(_pieces(path), content_type=job.result["media_type"], headers=headers)


def _still_allowed(member: Staff, asked: Asked) -> None:
    if asked.in_full and not may(member, "export.unmasked"):
        raise refused(member, "export.unmasked")
    area = asked.filters.village_code or asked.filters.town_code or member.area[:6]
    if not covers(member.area, area):
        raise Problem("outside-area", area=area, own=member.area)


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as opened:
        while piece := opened.read(PIECE_BYTES):
            yield piece


def shown(job: Job, language: str | None = None) -> dict[str, Any]:
    """A job as it is told: docs/jobs.md."""
    done = job.state == "done"
    return {
        "job_id": job.job_id,
        "kind": job.kind,
        "state": "cancelling" if job.cancel and job.state == "running" else job.state,
        "stage": job.result.get("stage") if job.state == "running" else None,
        "done": job.done,
        "total": job.total,
        "ordered_at": job.ordered_at,
        "ended_at": job.ended_at,
        "expires_at": job.expires_at,
        "about": KINDS[job.kind].about(job.asked),
        "file": {
            **{name: job.result[name] for name in ("name", "media_type", "bytes")},
            "href": url_for("jobs.File", job_id=job.job_id),
        }
        if done and "name" in job.result
        else None,
        "made": job.result.get("made") if done else None,
        "cursor": job.result.get("cursor") if done else None,
        "failure": _failure(job, language or problems.language_of(request)),
    }


def _failure(job: Job, language: str) -> dict[str, Any] | None:
    if job.state != "failed":
        return None
    title, detail = Problem(job.result["code"], **job.result["fields"]).words(language)
    return {"code": job.result["code"], "title": title, "detail": detail}
