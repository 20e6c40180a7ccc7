"""Server-sent events: what every stream of them has in common."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Response

LIFE_S = 600.0  # then the browser connects again, and a session that ended meanwhile is noticed


def event_stream(pieces: Iterator[str]) -> Response:
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Response(pieces, content_type="text/event-stream", headers=headers)
