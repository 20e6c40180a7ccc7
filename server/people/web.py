"""Staff in views: who asks, who may, and what a form must carry.

A person has the cookie of a session; a program has an API token in `Authorization: Bearer`. A request with a
Bearer token is never read as a session, so it needs no CSRF token.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import timedelta
from typing import Any, ParamSpec, TypeVar

from flask import Response, g, request

from server.app import gridbook
from server.people import permissions, sessions, staff, tokens
from server.people.staff import Staff

COOKIE = "gridbook_session"
CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf_token"

P = ParamSpec("P")
R = TypeVar("R")


class AuthRequired(Exception):
    """Nobody is signed in, or with a token that is no good; `reason` is a sentence for programs."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotAllowed(Exception):
    """Somebody is signed in who may not do `action` (one of permissions.ACTIONS)."""

    def __init__(self, action: str) -> None:
        super().__init__(action)
        self.action = action


class CsrfMissing(Exception):
    """A form of a session came without its CSRF token, or with another session's."""


def current_staff() -> Staff | None:
    """Who asks. Raises AuthRequired for an API token that is unknown, expired or revoked."""
    if "staff" not in g:
        g.staff = _from_token() if _bearer() else _from_session()
    member: Staff | None = g.staff
    return member


def _bearer() -> str | None:
    given = request.authorization
    return given.token if given is not None and given.type == "bearer" else None


def _from_token() -> Staff:
    try:
        return tokens.member_of(gridbook().people, _bearer() or "")
    except tokens.TokenRefused as error:
        raise AuthRequired(str(error)) from None


def _from_session() -> Staff | None:
    token = request.cookies.get(COOKIE)
    return sessions.member_of(gridbook().people, token) if token else None


def require_staff(action: Any = None) -> Any:
    """Decorator for views: `@require_staff`, or `@require_staff("records.review")` for an action as well.

    The view checks the area itself, with permissions.may. Raises AuthRequired or NotAllowed.
    """
    if callable(action):
        return _guarded(action, None)
    return lambda view: _guarded(view, action)


def _guarded(view: Callable[P, R], action: str | None) -> Callable[P, R]:
    @functools.wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        member = current_staff()
        if member is None:
            raise AuthRequired("Sign in, or send an API token as `Authorization: Bearer …`.")
        if action is not None and not permissions.may(member, action):
            raise NotAllowed(action)
        return view(*args, **kwargs)

    return guarded


def require_csrf(view: Callable[P, R]) -> Callable[P, R]:
    """Decorator for views that change something: a session must send `csrf_token()`. Raises CsrfMissing."""

    @functools.wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        check_csrf()
        return view(*args, **kwargs)

    return guarded


def check_csrf() -> None:
    if _bearer():
        return
    sent = request.headers.get(CSRF_HEADER) or request.form.get(CSRF_FIELD, "")
    token = request.cookies.get(COOKIE, "")
    if not token or not sessions.csrf_matches(gridbook().people, token, sent):
        raise CsrfMissing


def csrf_token() -> str:
    """For a hidden field `csrf_token` or the header X-CSRF-Token; empty when nobody is signed in."""
    token = request.cookies.get(COOKIE)
    return sessions.csrf_token(gridbook().people, token) if token else ""


def sign_in(username: str, password: str, response: Response) -> Staff:
    """Open a session and put its cookie on `response`. Raises staff.SignInRefused."""
    people, settings = gridbook().people, gridbook().settings
    member = staff.sign_in(people, username, password, request.remote_addr or "")
    lifetime = timedelta(hours=settings.session_hours)
    response.set_cookie(
        COOKIE,
        sessions.open_session(people, member, lifetime),
        max_age=lifetime,
        httponly=True,
        samesite="Lax",
        secure=settings.secure,
    )
    return member


def sign_out(response: Response) -> None:
    """End the session of this request and take its cookie back."""
    if token := request.cookies.get(COOKIE):
        sessions.close_session(gridbook().people, token)
    response.delete_cookie(COOKIE, httponly=True, samesite="Lax", secure=gridbook().settings.secure)
