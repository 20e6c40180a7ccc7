"""Signing in and out, and the language switch."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from server.api.problems import Problem
from server.people import web
from server.people.staff import SignInRefused
from server.web import language
from server.web.frame import signed_in
from server.web.language import translate as t
from server.web.pages import blueprint

A_YEAR_S = 365 * 24 * 3600


def local_path(address: str | None) -> str:
    """Where to go next: a path of this site, never another host."""
    parts = urlsplit(address or "")
    plain = bool(address) and not parts.scheme and not parts.netloc and parts.path.startswith("/")
    if not plain or parts.path.startswith("//") or "\\" in str(address) or not str(address).isprintable():
        return "/"
    return str(address).rstrip("?")


def from_this_site() -> None:
    """A form that needs no session still must come from this site's own pages. Raises Problem("csrf")."""
    origin = request.headers.get("Origin")
    if request.headers.get("Sec-Fetch-Site") == "cross-site" or (
        origin not in (None, "null") and urlsplit(str(origin)).netloc != request.host
    ):
        raise Problem("csrf")


@blueprint.get("/sign-in")
def sign_in_page() -> BaseResponse | Response:
    onward = local_path(request.args.get("next"))
    if signed_in():
        return redirect(onward)
    expired = web.COOKIE in request.cookies
    return make_response(
        render_template("sign_in.html", next=onward, username="", complaint="", expired=expired)
    )


@blueprint.post("/sign-in")
def sign_in() -> BaseResponse | Response:
    from_this_site()
    username, onward = request.form.get("username", "").strip()[:64], local_path(request.form.get("next"))
    response = redirect(onward, 303)
    try:
        web.sign_in(username, request.form.get("password", ""), response)  # type: ignore[arg-type]
    except SignInRefused as refused:
        words = _complaint(refused)
        page = render_template("sign_in.html", next=onward, username=username, complaint=words, expired=False)
        return make_response(page, 429 if refused.reason == "too many tries" else 401)
    return response


def _complaint(refused: SignInRefused) -> str:
    if refused.retry_after_s:
        return t("sign_in.wait", seconds=refused.retry_after_s)
    return t("sign_in.wrong")


@blueprint.post("/sign-out")
@web.require_csrf
def sign_out() -> BaseResponse:
    response = redirect("/sign-in", 303)
    web.sign_out(response)  # type: ignore[arg-type]
    return response


@blueprint.post("/language")
def choose_language() -> BaseResponse:
    from_this_site()
    response = redirect(local_path(request.form.get("next")), 303)
    if request.form.get("lang") in language.LANGUAGES:
        response.set_cookie(
            language.COOKIE, request.form["lang"], max_age=A_YEAR_S, samesite="Lax", httponly=True
        )
    return response
