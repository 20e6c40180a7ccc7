"""The staff pages at `/`: HTML made on the server, a little TypeScript on top, no foreign hosts."""

from __future__ import annotations

from flask import Flask, Response

from server.api.problems import Problem


def register(app: Flask) -> None:
    from server.web import assets, pages

    assets.register(app)
    app.register_blueprint(pages.blueprint)


def problem_page(problem: Problem) -> Response:
    """What a reader sees when a page cannot be shown: a sentence, and what to do."""
    from server.web.errors import page

    return page(problem)
