"""Calls to one attachment."""

from __future__ import annotations

import base64
import hashlib
import re

from flask import Response

from sync.endpoint import answers
from sync.endpoint.call import Call
from sync.endpoint.document_calls import asked_rev, findable, named_rev
from sync.incoming import DEFAULT_CONTENT_TYPE, check_attachment_name, check_id
from sync.store import BadRequest, ContentMismatch

ONE_RANGE = re.compile(r"bytes=(\d+-\d*|-\d+)", re.ASCII)


def get(call: Call) -> Response:
    """The bytes as they came; ranges and If-None-Match are understood."""
    doc_id, name = findable(call.names[0]), call.names[1]
    found = call.database.attachment(doc_id, name, rev=asked_rev(call))
    answer = Response(found.data, content_type=answers.header_value(found.content_type))
    answer.set_etag(found.digest.removeprefix("md5-"))
    answer.headers["Cache-Control"] = "must-revalidate"
    # An attachment may be a page with a script, handed in by anybody: a browser must not run it as ours.
    answer.headers["Content-Security-Policy"] = "sandbox"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    _check_range(call)
    return answers.unless_known(answer, call.request, found.length)


def _check_range(call: Call) -> None:
    """Leave out of the request a Range that is not understood, which is answered with the whole then."""
    if not ONE_RANGE.fullmatch(call.request.headers.get("Range", "")):
        call.request.environ.pop("HTTP_RANGE", None)


def put(call: Call) -> Response:
    doc_id, name = check_id(call.names[0]), check_attachment_name(call.names[1])
    rev = named_rev(call)
    data = call.body()
    _check_md5(call, data)
    content_type = call.request.headers.get("Content-Type") or DEFAULT_CONTENT_TYPE
    written = call.database.put_attachment(doc_id, name, data, content_type, rev=rev, writer=call.writer)
    return answers.written(doc_id, written, Location=call.address(doc_id, name))


def _check_md5(call: Call, data: bytes) -> None:
    declared = call.request.headers.get("Content-MD5")
    if declared is None:
        return
    try:
        expected = base64.b64decode(declared, validate=True)
    except ValueError:
        raise BadRequest("Content-MD5 is not base64.") from None
    if hashlib.md5(data, usedforsecurity=False).digest() != expected:
        raise ContentMismatch("Possible message corruption.")


def delete(call: Call) -> Response:
    doc_id, name = findable(call.names[0]), check_attachment_name(call.names[1])
    rev = named_rev(call)
    if rev is None:
        call.database.attachment(doc_id, name)  # that it is missing is told before the missing revision
    written = call.database.delete_attachment(doc_id, name, rev=rev, writer=call.writer)
    return answers.written(doc_id, written, 200)
