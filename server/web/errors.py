"""Refusals as pages: the problem's sentence in the reader's language, inside the frame when somebody is
signed in."""

from __future__ import annotations

from flask import Response, make_response, render_template

from server.api.problems import Problem
from server.web import language


def page(problem: Problem) -> Response:
    heading, words = problem.words(language.current())
    response = make_response(render_template("error.html", heading=heading, words=words), problem.status)
    response.headers["Cache-Control"] = "no-store"
    return response
