"""Cross-origin requests: allowed for the origins that were configured, and silent for all others."""

from __future__ import annotations

from collections.abc import Collection

from flask import Request, Response

METHODS = "GET, HEAD, POST, PUT, DELETE"
HEADERS = "accept, authorization, content-type, if-match, if-none-match"
EXPOSED = "etag, content-type, content-length, date"


def is_preflight(request: Request, origins: Collection[str]) -> bool:
    return request.method == "OPTIONS" and request.headers.get("Origin") in origins


def preflight() -> Response:
    return Response(
        status=204,
        headers={
            "Access-Control-Allow-Methods": METHODS,
            "Access-Control-Allow-Headers": HEADERS,
            "Access-Control-Max-Age": "600",
        },
    )


def allow(answer: Response, request: Request, origins: Collection[str]) -> Response:
    origin = request.headers.get("Origin")
    if origins:
        answer.vary.add("Origin")
    if origin in origins:
        answer.headers["Access-Control-Allow-Origin"] = str(origin)
        answer.headers["Access-Control-Allow-Credentials"] = "true"
        answer.headers["Access-Control-Expose-Headers"] = EXPOSED
    return answer
