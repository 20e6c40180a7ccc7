"""The kinds of jobs that there are."""

from __future__ import annotations

from collections.abc import Mapping

from server.exports import job as exports
from server.jobs.worker import Kind
from server.lists import job as lists

KINDS: Mapping[str, Kind] = {
    "export": Kind(exports.export, exports.ACTION, exports.about),
    "list-read": Kind(lists.read, lists.ACTION, lists.about, lists.forget_upload),
    "list-import": Kind(lists.keep, lists.ACTION, lists.about, lists.forget_upload),
    "list-match": Kind(lists.match, lists.ACTION, lists.about),
    "list-answer": Kind(lists.answer, lists.ACTION, lists.about),
}
