"""Long work on lists as jobs: reading a file, keeping it as a list, matching again, answering.

What was asked was read and allowed at the ordering. All that takes long comes before the first word is
written, so a job that is cancelled or refused leaves nothing; one that begins anew finds what it wrote by its
own id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import wraps
from typing import Any

import orjson

from server.api.problems import Problem
from server.app import gridbook
from server.jobs.worker import Result, Work
from server.lists import answering, importing, reconciling, showing
from server.lists.importing import Preview
from server.lists.refusals import Refused
from server.people import staff
from server.people.permissions import may
from server.people.staff import Staff
from server.register.refusals import FileRefused, NoTable

ACTION = "lists.reconcile"


def told(work: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: a refusal becomes a problem in words."""

    @wraps(work)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            return work(*args, **kwargs)
        except Refused as refused:
            raise Problem(refused.code, **refused.fields) from None
        except FileRefused as refused:
            code = "list-no-table" if isinstance(refused, NoTable) else "list-refused"
            raise Problem(code, reason={"zh": refused.zh, "en": refused.en}) from None

    return guarded


@told
def read(work: Work) -> Result:
    """{draft, file_name, template, sheet, columns} → what would be kept, as a JSON file."""
    return _file(_read(work), f"{work.job_id}.json", {})


@told
def keep(work: Work) -> Result:
    """As `read` with {title, supersedes} → the list, and what was read of it as a JSON file."""
    preview = _read(work)
    asked = work.asked
    made = importing.keep(
        gridbook(),
        importing.drafted(gridbook(), asked["draft"]),
        preview,
        _member(work),
        title=asked["title"],
        supersedes=asked["supersedes"],
        job=work.job_id,
        tell=work.report,
    )
    told_more = {"list_id": made.list_id, "names": made.names}
    return _file(preview, f"list-{made.list_id}.json", {"made": told_more})


def _read(work: Work) -> Preview:
    shared, asked = gridbook(), work.asked
    return importing.preview(
        shared,
        importing.drafted(shared, asked["draft"]),
        importing.template_of(shared, asked["template"]),
        file_name=asked["file_name"],
        sheet=asked["sheet"],
        chosen=asked["columns"],
        tell=work.report,
    )


def _file(preview: Preview, name: str, more: Mapping[str, Any]) -> Result:
    body = orjson.dumps(showing.preview(preview))
    return Result(iter([body]), name, "application/json", dict(more))


@told
def match(work: Work) -> Result:
    """{list_id} → how many more rows are settled."""
    list_id = work.asked["list_id"]
    settled = reconciling.match(gridbook(), list_id, work.report)
    return Result(more={"made": {"list_id": list_id, "settled": settled}})


@told
def answer(work: Work) -> Result:
    """{list_id, reason, as_of} → the number of the answer."""
    list_id, as_of = work.asked["list_id"], datetime.fromisoformat(work.asked["as_of"])
    made = answering.make(
        gridbook(), list_id, _member(work), work.asked["reason"], as_of, work.job_id, work.report
    )
    return Result(more={"made": {"list_id": list_id, "answer": made.n}})


def _member(work: Work) -> Staff:
    """Who ordered it, if they may still do it. Raises Problem."""
    member = staff.by_id(gridbook().people, work.staff_id)
    if member is None or member.disabled or not may(member, ACTION) or len(member.area) > 6:
        raise Problem("forbidden", action=ACTION)
    return member


def forget_upload(asked: Mapping[str, Any]) -> None:
    """Of a job that was the only one to read it."""
    if asked["once"]:
        importing.forget(gridbook(), asked["draft"])


def about(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What the job is about, for who ordered it."""
    shown = ("list_id", "file_name", "template", "title", "sheet", "supersedes", "as_of")
    return {name: asked[name] for name in shown if asked.get(name)}
