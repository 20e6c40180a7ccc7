"""The import of a superiors' list: upload, what was read of it, and only then the list. Reading and keeping
are jobs; the page waits for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from server.api import jobs as job_api
from server.api import lists as api
from server.api.problems import Problem
from server.app import gridbook
from server.jobs.events import is_busy
from server.jobs.queue import Job
from server.lists import archive, importing
from server.lists import template as templates
from server.people.staff import Staff
from server.people.web import require_csrf, require_staff
from server.register.packages import letters, spans
from server.web.jobs import wait_page, waiting
from server.web.language import pick
from server.web.language import translate as t
from server.web.pages import blueprint

REMARKED_SHOWN = 200
READ_AGAIN = "list-no-table"  # other columns may help


@blueprint.get("/lists/import")
@require_staff(api.ACTION)
@api.told
def list_import() -> str:
    api.of_district()
    before = request.args.get("supersedes", "")
    return render_template(
        "list_import.html",
        templates=_templates(),
        supersedes=archive.one(gridbook().store, before) if before else None,
        size_max=gridbook().settings.max_body_bytes >> 20,
    )


def _templates() -> list[dict[str, str]]:
    found, _ = templates.templates(gridbook().settings.forms)
    return [{"name": name, "words": pick(each.title)} for name, each in found.items()]


@blueprint.post("/lists/import")
@require_staff(api.ACTION)
@require_csrf
@api.told
def upload_list() -> BaseResponse:
    """Put the file away and have it read."""
    member = api.of_district()
    upload, given = request.files.get("file"), request.form
    if upload is None or not upload.filename:
        raise Problem("list-file-missing")
    importing.template_of(gridbook(), given.get("template", ""))
    draft = importing.draft(gridbook(), upload.filename, upload.stream)
    kept = {name: given.get(name, "")[:80] for name in ("template", "title", "supersedes")}
    asked = api.import_asked(draft, upload.filename, kept, once=False)
    return _preview_of(api.queued_upload("list-read", member, asked))


def _preview_of(job: Job) -> BaseResponse:
    return redirect(url_for("web.list_preview", job_id=job.job_id), 303)


@blueprint.get("/lists/import/<job_id>")
@require_staff(api.ACTION)
@api.told
def list_preview(job_id: str) -> str | BaseResponse:
    """What would be kept, row by row, and the choice of sheet and columns. Nothing is kept by looking."""
    job = _reading(api.of_district(), job_id)
    if job.state == "cancelled":
        return redirect(url_for("web.list_import"), 303)
    if is_busy(job) or (job.state == "failed" and job.result["code"] != READ_AGAIN):
        return wait_page(job)
    return render_template(
        "list_preview.html",
        job=waiting(job),
        asked=job.asked,
        template=pick(importing.template_of(gridbook(), job.asked["template"]).title),
        preview=_shown(job, _file(job)) if job.state == "done" else None,
        fields=[{"name": name, "words": t(f"lists.field_{name}")} for name in templates.COLUMNS],
    )


def _reading(member: Staff, job_id: str) -> Job:
    """Raises Problem."""
    job = job_api.one(member, job_id)
    if job.kind != "list-read":
        raise Problem("unknown-job")
    return job


def _file(job: Job) -> dict[str, Any]:
    """Raises Problem when it has expired."""
    try:
        found: dict[str, Any] = orjson.loads(gridbook().jobs.file(job.job_id).read_bytes())
    except FileNotFoundError:
        raise Problem("list-draft-gone") from None
    return found


def _shown(job: Job, told: Mapping[str, Any]) -> dict[str, Any]:
    headings = {int(at): heading for at, heading in told["headings"].items()}

    def place(field: str) -> str:
        at = told["columns"].get(field)
        return f"{letters(at)} {headings.get(at, '')}".strip() + t("lists.colon") if at is not None else ""

    return {
        **told,
        "heads_words": "、".join(map(str, told["heads"])),
        "choices": [
            *({"at": at, "words": f"{letters(at)} {heading}"} for at, heading in headings.items()),
            *({"at": at, "words": t("lists.untitled", column=letters(at))} for at in told["untitled"]),
        ],
        "left_out_words": spans(told["left_out"]),
        "rows": [
            {**row, "words": [place(each["column"]) + pick(each["message"]) for each in row["remarks"]]}
            for row in told["rows"][:REMARKED_SHOWN]
        ],
        "notes": [pick(each["message"]) for each in told["notes"]],
        "results_words": _answered(job, told["results"], headings),
    }


def _answered(job: Job, results: Mapping[str, int], headings: Mapping[int, str]) -> list[dict[str, Any]]:
    """The columns that the answer fills, and which of them the list lacks."""
    template = importing.template_of(gridbook(), job.asked["template"])
    titles = {each.value: each.title for each in template.results}
    return [
        {"title": titles.get(value, value), "at": letters(at), "added": at not in headings}
        for value, at in results.items()
    ]


@blueprint.post("/lists/import/<job_id>/again")
@require_staff(api.ACTION)
@require_csrf
@api.told
def read_list_again(job_id: str) -> BaseResponse:
    """With another sheet or other columns."""
    member = api.of_district()
    job, given = _reading(member, job_id), request.form
    importing.drafted(gridbook(), job.asked["draft"])
    columns = {
        name: int(value)
        for name in templates.COLUMNS
        if (value := given.get(f"column-{name}", "")).removeprefix("-").isdecimal() and len(value) < 4
    }
    asked = {**job.asked, "sheet": given.get("sheet", "")[:80], "columns": columns}
    return _preview_of(api.again("list-read", member, asked))


@blueprint.post("/lists/import/<job_id>")
@require_staff(api.ACTION)
@require_csrf
@api.told
def keep_list(job_id: str) -> BaseResponse:
    """Have what was read become a list."""
    member = api.of_district()
    read = _reading(member, job_id)
    if read.state != "done":
        raise Problem("job-not-done")
    importing.drafted(gridbook(), read.asked["draft"])
    job = api.again("list-import", member, {**read.asked, "once": True})
    return redirect(url_for("web.job", job_id=job.job_id), 303)
