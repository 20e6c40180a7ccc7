"""An export as a job: what was asked was read and allowed at the ordering."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from server.api.catalogue import forms
from server.api.exports import ACTION, check_size, file_name, next_cursor
from server.app import gridbook
from server.exports.asked import Asked, tables
from server.exports.formats import FORMATS
from server.jobs.worker import Result, Work
from server.readmodel.export_queries import count_and_end

__all__ = ["ACTION", "about", "export"]


def export(work: Work) -> Result:
    """Raises Problem: a form that is gone, too many rows for the format, a format that is not installed."""
    shared, asked = gridbook(), Asked.from_json(work.asked)
    format_, done = FORMATS[asked.format], 0
    cursor = next_cursor(asked)
    total, end = count_and_end(shared.readmodel, asked.filters, asked.span)
    check_size(format_, total)
    work.report(0, total)

    def read(count: int) -> None:
        nonlocal done
        done += count
        work.report(min(done, total), total)

    made = tables(shared, forms().all_versions(asked.form_id), asked.up_to(end), read)
    return Result(format_.write(made), file_name(asked, format_), format_.media_type, {"cursor": cursor})


def about(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What the job is about, for who ordered it."""
    found = Asked.from_json(dict(asked))
    return {name: getattr(found, name) for name in ("form_id", "table", "format", "in_full")}
