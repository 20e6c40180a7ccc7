"""The exports page: choose a table, a format, an area and a span; get the file at once, or order it and see
how far it is."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from server.api import exports as api
from server.api import jobs as job_api
from server.api import shapes
from server.api.access import staff_for
from server.api.beijing import local
from server.api.catalogue import forms, repeats
from server.exports.formats import FORMATS, Format
from server.jobs.queue import Job
from server.people.permissions import may
from server.people.web import CSRF_FIELD, csrf_token, require_csrf, require_staff
from server.web import language
from server.web.asking import area_choices, asked
from server.web.language import pick
from server.web.language import translate as t
from server.web.pages import blueprint
from server.web.record_layout import label_of
from sync.store import Doc


@blueprint.get("/exports", endpoint="exports")
@require_staff("export.masked")
def exports_page() -> str:
    member = staff_for("export.masked")
    return render_template(
        "exports.html",
        tables=_tables(),
        formats=[
            {"name": each.name, "words": format_words(each)}
            for each in FORMATS.values()
            if not each.missing()
        ],
        statuses=shapes.STATUSES,
        may_unmask=may(member, "export.unmasked"),
        filters={},
        jobs=[_job(each) for each in job_api.mine(member) if each.kind == "export"],
        csrf_name=CSRF_FIELD,
        csrf_value=csrf_token(),
        **area_choices(member),
    )


def _job(job: Job) -> dict[str, Any]:
    """A job in the page's words."""
    shown = job_api.shown(job, language.current())
    about, versions = shown["about"], forms().versions.get(shown["about"]["form_id"])
    title = pick(versions[-1]["title"]) if versions else about["form_id"]
    total = shown["total"]
    return {
        **shown,
        "words": f"{title} · {_table_words(versions or [], about['table'])}" if about["table"] else title,
        "format": format_words(FORMATS[about["format"]]),
        "at": local(shown["ordered_at"]),
        "expires": local(shown["expires_at"]),
        "percent": min(100, 100 * shown["done"] // total) if total else 0,
        "megabytes": f"{shown['file']['bytes'] / 1e6:.1f}" if shown["file"] else "",
        "busy": shown["state"] in ("queued", "running", "cancelling"),
    }


def _table_words(versions: list[Doc], table: str) -> str:
    found = [row for row in repeats(versions[-1]) if row["name"] == table] if versions else []
    return label_of(found[0], pick) if found else table


def format_words(each: Format) -> str:
    return pick(dict(zip(("zh", "en"), each.words, strict=True)))


def _tables() -> list[dict[str, Any]]:
    found = []
    for number, (form_id, versions) in enumerate(forms().versions.items()):
        title = pick(versions[-1]["title"])
        groups = [
            {"id": str(row["name"]), "words": f"{title} · {label_of(row, pick)}"}
            for row in repeats(versions[-1])
        ]
        found.append(
            {
                "id": form_id,
                "first": number == 0,
                "tables": [{"id": "", "words": t("exports.records_of", form=title)}, *groups],
            }
        )
    return found


@blueprint.get("/exports/file")
@require_staff("export.masked")
def export() -> Response:
    """The file of the page's form, named like the API's."""
    form_id, query = _asked(request.args.get("table", ""))
    return api.download(staff_for("export.masked"), form_id, query)


def _asked(chosen: str) -> tuple[str, dict[str, Any]]:
    form_id, _, table = chosen.partition("/")
    return form_id, asked(shapes.ExportQuery, table=table)


@blueprint.post("/exports/jobs")
@require_staff("export.masked")
@require_csrf
def order_export() -> BaseResponse:
    form_id, query = _asked(request.form.get("table", ""))
    job_api.order(staff_for("export.masked"), form_id, query)
    flash(t("exports.ordered"), "good")
    return redirect(url_for("web.exports"), 303)


@blueprint.post("/exports/jobs/<job_id>/cancel")
@require_staff("export.masked")
@require_csrf
def cancel_export(job_id: str) -> BaseResponse:
    job_api.cancel(staff_for("export.masked"), job_id)
    return redirect(url_for("web.exports"), 303)


@blueprint.get("/exports/jobs/<job_id>/file")
@require_staff("export.masked")
def job_file(job_id: str) -> Response:
    return job_api.file(staff_for("export.masked"), job_id)
