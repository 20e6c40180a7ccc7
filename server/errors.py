"""Whatever goes wrong is answered in the shape the asker reads: problem details in the API, CouchDB's pair
under /sync/, a page with a sentence elsewhere. Nobody is shown a stack trace."""

from __future__ import annotations

import logging
from urllib.parse import quote

from flask import Flask, Response, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, InternalServerError

from server import clock
from server.api import problems
from server.people.web import AuthRequired, CsrfMissing, NotAllowed

log = logging.getLogger(__name__)

SYNC_ERRORS = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
}


def register(app: Flask) -> None:
    """Last of all parts, so that no part's own handler for HTTP errors answers in another shape."""
    app.register_error_handler(problems.Problem, answer)
    app.register_error_handler(HTTPException, lambda error: answer(problems.from_http(error), error))
    app.register_error_handler(AuthRequired, _auth_required)
    app.register_error_handler(NotAllowed, _not_allowed)
    app.register_error_handler(CsrfMissing, lambda _error: answer(problems.Problem("csrf")))
    app.register_error_handler(RecursionError, _too_deep)
    app.register_error_handler(Exception, _unexpected)


def answer(problem: problems.Problem, error: HTTPException | None = None) -> ResponseReturnValue:
    if error is not None and error.response is not None:
        return error.response
    if request.path.startswith("/sync/"):
        return _couchdb_pair(problem, error)
    if request.path.startswith("/api/"):
        return problems.response(problem)
    return _page(problem)


def _auth_required(error: AuthRequired) -> ResponseReturnValue:
    if request.path.startswith(("/api/", "/sync/")) or request.method != "GET":
        return answer(problems.Problem("unauthorized"))
    return redirect(f"/sign-in?next={quote(request.full_path.rstrip('?'))}")


def _not_allowed(error: NotAllowed) -> ResponseReturnValue:
    return answer(problems.Problem("forbidden", action=error.action))


def _too_deep(error: RecursionError) -> ResponseReturnValue:
    """The JSON reader gives up on a body that nests by the thousand; nothing of ours recurses so far."""
    log.warning("%s %s: nested too deeply", request.method, request.endpoint)
    return answer(problems.Problem("bad-request"))


def _unexpected(error: Exception) -> ResponseReturnValue:
    """The log gets the trace, without the request's content; the asker gets the moment to look it up by."""
    moment = clock.stamp(clock.now())
    log.error("%s %s failed at %s", request.method, request.endpoint, moment, exc_info=error)
    return answer(problems.Problem("internal", moment=moment), InternalServerError())


def _couchdb_pair(problem: problems.Problem, error: HTTPException | None) -> ResponseReturnValue:
    status = (error.code if error else None) or problem.status
    reason = problem.words("en")[1]
    return {"error": SYNC_ERRORS.get(status, "internal_server_error"), "reason": reason}, status


def _page(problem: problems.Problem) -> Response:
    from server.web import problem_page

    return problem_page(problem)
