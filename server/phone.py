"""Serves the built phone app (phone/dist) at /phone/."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Flask, Response, redirect, send_from_directory
from flask.typing import ResponseReturnValue

DIST = Path(__file__).parent.parent / "phone" / "dist"
A_YEAR_S = 365 * 24 * 3600

blueprint = Blueprint("phone", __name__)


def register(app: Flask) -> None:
    app.register_blueprint(blueprint)


@blueprint.get("/phone")
def without_slash() -> ResponseReturnValue:
    return redirect("/phone/", 308)


@blueprint.get("/phone/", defaults={"path": "index.html"})
@blueprint.get("/phone/<path:path>")
def serve(path: str) -> Response:
    """Hashed assets may be kept for ever; the page and the service worker are asked for anew each time."""
    response = send_from_directory(DIST, path, max_age=A_YEAR_S if path.startswith("assets/") else 0)
    if path.startswith("assets/"):
        response.cache_control.immutable = True
    else:
        response.cache_control.no_cache = True
    return response
