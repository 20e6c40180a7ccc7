"""The endpoint as a WSGI application: every request below its mount comes here, and every answer is JSON.

It is called before the web framework's own routing, sessions and hooks, which a sync would pay for seven
times and has no use for.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from flask import Flask, Request, Response
from werkzeug.exceptions import HTTPException

from sync.access import Access
from sync.endpoint import answers, cors, server_calls
from sync.endpoint.call import Call, Principal
from sync.endpoint.errors import BadContentType, Forbidden, MethodNotAllowed, Unauthorized
from sync.endpoint.limits import Limits
from sync.endpoint.paths import Place, place_of
from sync.endpoint.routes import Route, route
from sync.store import Store, StoreError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

log = logging.getLogger(__name__)

Identify = Callable[[Request], Principal | None]
Permit = Callable[[Principal, str], Access]
OnContact = Callable[[Principal], None]
Headers = list[tuple[str, str]]

WITHOUT_BODY = (204, 304)


def mount(
    app: Flask,
    path: str,
    store: Store,
    identify: Identify,
    permit: Permit,
    *,
    on_contact: OnContact | None = None,
    limits: Limits = Limits(),  # noqa: B008 - immutable
    cors_origins: Collection[str] = (),
    headers: Mapping[str, str] | None = None,
) -> None:
    """Answer what is asked below `path` of `app` with CouchDB's HTTP face of `store`.

    `identify` tells who asks: None is anonymous; a credential that is wrong, expired or revoked raises
    `Unauthorized`. `permit` tells what a principal may do with a database; "" stands for the server as a
    whole. `on_contact` is called once for every request of a principal. Browsers of `cors_origins` may ask
    from elsewhere. `headers` go with every answer that does not say otherwise itself.
    """
    endpoint = _Endpoint(
        path, store, identify, permit, on_contact, limits, frozenset(cors_origins), headers or {}
    )
    otherwise, below = app.wsgi_app, path + "/"

    def choose(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        asked: str = environ["PATH_INFO"]
        if asked == path or asked.startswith(below):
            return endpoint(environ, start_response)
        return otherwise(environ, start_response)

    app.wsgi_app = choose  # type: ignore[method-assign]


@dataclass(frozen=True, slots=True)
class _Endpoint:
    mounted_at: str
    store: Store
    identify: Identify
    permit: Permit
    on_contact: OnContact | None
    limits: Limits
    cors_origins: frozenset[str]
    headers: Mapping[str, str]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """What the framework does to send any kind of answer takes longer than a short request, and keeps
        the request as long as a feed waits.
        """
        # Without the framework's own note of the request in `environ`: the two would keep each other.
        answer = self.answer(Request(environ, populate_request=False))
        if environ["REQUEST_METHOD"] == "HEAD" or answer.status_code in WITHOUT_BODY:
            return self._send_bare(answer, environ, start_response)
        body = answer.response
        if isinstance(body, list):
            answer.content_length = sum(map(len, body))
        headers = answer.headers.to_wsgi_list()
        start_response(answer.status, headers + self._missing(headers))
        return cast("Iterable[bytes]", body)

    def _send_bare(
        self, answer: Response, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        def start(status: str, headers: Headers, *more: Any) -> Any:
            return start_response(status, headers + self._missing(headers), *more)

        return answer(environ, start)

    def _missing(self, headers: Headers) -> Headers:
        told = {name.lower() for name, _ in headers}
        return [pair for pair in self.headers.items() if pair[0].lower() not in told]

    def answer(self, asked: Request) -> Response:
        try:
            # `limits` decides; the framework's own limit would answer first and in other words.
            asked.max_content_length = sys.maxsize
            told = self._told(asked)
        except StoreError as problem:
            told = answers.error(problem)
        except HTTPException as problem:
            error = problem.name.lower().replace(" ", "_")
            told = answers.json({"error": error, "reason": problem.description}, problem.code or 500)
        except Exception:
            log.exception("%s %s failed", asked.method, asked.path)
            told = answers.json({"error": "internal_server_error", "reason": "The server failed."}, 500)
        return cors.allow(told, asked, self.cors_origins) if self.cors_origins else told

    def _told(self, asked: Request) -> Response:
        if self.cors_origins and cors.is_preflight(asked, self.cors_origins):
            return cors.preflight()
        place = place_of(asked, self.mounted_at)
        if place.kind == "server" and asked.method in ("GET", "HEAD"):
            # Anybody is welcomed, also who sends a header that is none; but not a wrong password.
            told = asked.authorization
            if told is not None and told.type == "basic" and told.username:
                self.identify(asked)
            return server_calls.welcome(self.store)
        principal = self.identify(asked)
        if principal is None:
            raise Unauthorized("You are not authorized to access this db.")
        if self.on_contact is not None:
            self.on_contact(principal)
        return self._permitted(asked, place, principal)

    def _route(self, asked: Request, place: Place) -> Route:
        """A database that is not there is told before a method that is not known."""
        try:
            return route(place.kind, asked.method)
        except MethodNotAllowed:
            if place.database_name:
                self.store.open(place.database_name)
            raise

    def _permitted(self, asked: Request, place: Place, principal: Principal) -> Response:
        access = self.permit(principal, place.database_name)
        if not access.value:
            raise Forbidden("You are not allowed to access this db.")
        wanted = self._route(asked, place)
        if not access.value & wanted.allows:
            raise Forbidden("You are not allowed to do this here.")
        if asked.method == "POST" and place.kind != "_session" and asked.mimetype != answers.JSON:
            raise BadContentType("Content-Type must be application/json")
        call = Call(
            asked,
            self.store,
            self.limits,
            principal.writer,
            access,
            asked.environ.get("SCRIPT_NAME", "") + self.mounted_at,
            place.database_name,
            place.names,
        )
        return wanted.handle(call)
