"""What can be ordered: how each kind of job is done, who may have it, what is told of it, and what it tidies
up when it ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from server.exports import job as exports
from server.jobs.worker import Kind, Tidy
from server.lists import job as lists

WORK: Mapping[str, Kind] = {
    "export": exports.export,
    "list-read": lists.read,
    "list-import": lists.keep,
    "list-match": lists.match,
    "list-answer": lists.answer,
}
TIDY: Mapping[str, Tidy] = {"list-import": lists.forget_upload, "list-read": lists.forget_upload}
ACTIONS: Mapping[str, str] = {kind: exports.ACTION if kind == "export" else lists.ACTION for kind in WORK}
ABOUT: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    kind: exports.about if kind == "export" else lists.about for kind in WORK
}
