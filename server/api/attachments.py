"""What a record brought along: photos, signatures, remarks by voice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response
from flask.views import MethodView

from server.api.access import allowed, refused, staff_for
from server.api.blueprint import Blueprint
from server.api.catalogue import forms, questions, survey
from server.api.description import FILE
from server.api.freshness import tagged
from server.api.problems import Problem
from server.api.records import one
from server.app import gridbook
from server.people.permissions import may
from server.people.staff import Staff
from sync.store import NotFound

blp = Blueprint("attachments", __name__, url_prefix="/api/v1", description="What records brought along")

SAFE_IMAGES = frozenset({"image/jpeg", "image/png", "image/webp"})


@blp.route("/records/<path:record_id>/attachments/<path:name>")
class Attachment(MethodView):
    @allowed("records.read")
    @blp.response(200, FILE, content_type="*/*", description="As it arrived; an image or a sound, or bytes")
    @tagged("readmodel")
    def get(self, record_id: str, name: str) -> Response:
        """One photo, signature or sound of a record. Of class P1 and P2 only for those who review records."""
        return attachment(staff_for("records.read"), record_id, name)


def attachment(member: Staff, record_id: str, name: str) -> Response:
    """Never rendered as anything else, whatever its sender called it. Raises Problem."""
    found = one(member, record_id)
    if not may(member, "records.review") and not _is_open(found, name):
        raise refused(member, "records.review")
    try:
        kept = gridbook().store.open(f"inbox-{found['village_code']}").attachment(record_id, name)
    except NotFound:
        raise Problem("unknown-attachment") from None
    shown = kept.content_type in SAFE_IMAGES or kept.content_type.startswith("audio/")
    response = Response(kept.data, content_type=kept.content_type if shown else "application/octet-stream")
    response.headers["Content-Disposition"] = "inline" if shown else "attachment"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cache-Control"] = "private, max-age=300"
    return response


def _is_open(found: Mapping[str, Any], name: str) -> bool:
    compiled = forms().fitting(found["form_id"], found["form_version"])
    answers = found["document"].get("answers")
    if compiled is None or not isinstance(answers, dict):
        return False
    return any(
        row.get("pii") == "P0" and answers.get(row["name"]) == name for row in questions(survey(compiled))
    )
