"""`/health` and `/ready`, for whatever watches the server: without credentials, and without a word about
anybody."""

from __future__ import annotations

from flask import Flask, Response, jsonify

from server import health
from server.app import gridbook


def register(app: Flask) -> None:
    app.add_url_rule("/health", "health", alive)
    app.add_url_rule("/ready", "ready", ready)


def alive() -> Response:
    """The process answers. Nothing else is asked."""
    return _never_stored(jsonify(status="ok"))


def ready() -> Response:
    """Store, people and read model answer; 503 names those that do not."""
    failing = health.unready(gridbook())
    answer = jsonify(status="unready" if failing else "ok", failing=failing)
    answer.status_code = 503 if failing else 200
    return _never_stored(answer)


def _never_stored(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "no-store"
    return answer
