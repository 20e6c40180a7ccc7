"""The endpoint as a Flask blueprint: every request below its mount comes here, and every answer is JSON."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass

from flask import Blueprint, Request, Response, request
from werkzeug.exceptions import HTTPException

from sync.access import Access
from sync.endpoint import answers, cors, server_calls
from sync.endpoint.call import Call, Principal
from sync.endpoint.errors import Forbidden, Unauthorized
from sync.endpoint.limits import Limits
from sync.endpoint.paths import Place, place_of
from sync.endpoint.routes import route
from sync.store import Store, StoreError

log = logging.getLogger(__name__)

# With those that CouchDB does not know, so that their 405 is JSON too.
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "COPY", "TRACE", "PROPFIND", "MOVE"]

Identify = Callable[[Request], Principal | None]
Permit = Callable[[Principal, str], Access]
OnContact = Callable[[Principal], None]


def make_blueprint(
    store: Store,
    identify: Identify,
    permit: Permit,
    *,
    on_contact: OnContact | None = None,
    limits: Limits = Limits(),  # noqa: B008 - immutable
    cors_origins: Collection[str] = (),
) -> Blueprint:
    """CouchDB's HTTP face of `store`, to be registered with a `url_prefix`.

    `identify` tells who asks: None is anonymous; a credential that is wrong, expired or revoked raises
    `Unauthorized`. `permit` tells what a principal may do with a database; "" stands for the server as a
    whole. `on_contact` is called once for every request of a principal. Browsers of `cors_origins` may ask
    from elsewhere.
    """
    blueprint = Blueprint("sync", __name__)
    endpoint = _Endpoint(store, identify, permit, on_contact, limits, frozenset(cors_origins))

    @blueprint.route("", methods=METHODS, provide_automatic_options=False, defaults={"below": ""})
    @blueprint.route("/", methods=METHODS, provide_automatic_options=False, defaults={"below": ""})
    @blueprint.route("/<path:below>", methods=METHODS, provide_automatic_options=False)
    def ask(below: str) -> Response:
        mounted_at = request.path[: len(request.path) - len(below)].rstrip("/")
        return endpoint.answer(request, mounted_at)

    return blueprint


@dataclass(frozen=True, slots=True)
class _Endpoint:
    store: Store
    identify: Identify
    permit: Permit
    on_contact: OnContact | None
    limits: Limits
    cors_origins: frozenset[str]

    def answer(self, asked: Request, mounted_at: str) -> Response:
        try:
            # `limits` decides; the app's own limit would answer first and in other words.
            asked.max_content_length = sys.maxsize
            told = self._told(asked, mounted_at)
        except StoreError as problem:
            told = answers.error(problem)
        except HTTPException as problem:
            error = problem.name.lower().replace(" ", "_")
            told = answers.json({"error": error, "reason": problem.description}, problem.code or 500)
        except Exception:
            log.exception("%s %s failed", asked.method, asked.path)
            told = answers.json({"error": "internal_server_error", "reason": "The server failed."}, 500)
        return cors.allow(told, asked, self.cors_origins)

    def _told(self, asked: Request, mounted_at: str) -> Response:
        if cors.is_preflight(asked, self.cors_origins):
            return cors.preflight()
        place = place_of(asked, mounted_at)
        if place.kind == "server" and asked.method in ("GET", "HEAD"):
            return server_calls.welcome(self.store)  # to anybody, whatever the credential
        principal = self.identify(asked)
        if principal is None:
            raise Unauthorized("You are not authorized to access this db.")
        if self.on_contact is not None:
            self.on_contact(principal)
        return self._permitted(asked, place, principal)

    def _permitted(self, asked: Request, place: Place, principal: Principal) -> Response:
        access = self.permit(principal, place.database_name)
        if not access:
            raise Forbidden("You are not allowed to access this db.")
        wanted = route(place.kind, asked.method)
        if not access & (wanted.needs | Access.ADMIN):
            raise Forbidden("You are not allowed to do this here.")
        call = Call(
            asked, self.store, self.limits, principal.writer, access, place.database_name, place.names
        )
        return wanted.handle(call)
