"""The endpoint alone, as a WSGI app for tests: `gunicorn standalone:app` in this folder.

The cast: Alice's phone reads the register of village a and pushes into its inbox; Bob's phone does the
same in village b. Charlie has no credential. The admin is `admin` with the password `secret`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from flask import Flask, Request

from sync.access import Access
from sync.embedded import open_store
from sync.endpoint import Limits, Unauthorized, mount
from sync.store import Store


@dataclass(frozen=True)
class Somebody:
    writer: str


ADMIN = Somebody("admin")
PHONES = {"alice": "a", "bob": "b"}


def identify(request: Request) -> Somebody | None:
    basic, bearer = request.authorization, request.headers.get("Authorization", "")
    if basic is not None and basic.type == "basic":
        if (basic.username, basic.password) != ("admin", "secret"):
            raise Unauthorized("Name or password is incorrect.")
        return ADMIN
    if not bearer.startswith("Bearer "):
        return None
    if bearer.removeprefix("Bearer ") not in PHONES:
        raise Unauthorized("This device was revoked.")
    return Somebody("device:" + bearer.removeprefix("Bearer "))


def permit(principal: Somebody, database_name: str) -> Access:
    if principal == ADMIN:
        return Access.ADMIN
    village = PHONES[principal.writer.removeprefix("device:")]
    allowed = {"catalogue": Access.READ, f"register-{village}": Access.READ, f"inbox-{village}": Access.PUSH}
    return allowed.get(database_name, Access.NONE)


def create_app(store: Store, **options: object) -> Flask:
    made = Flask("standalone")
    mount(made, "/sync", store, identify, permit, **options)  # type: ignore[arg-type]
    return made


def app(environ, start_response):  # type: ignore[no-untyped-def]
    """Made at the first request: the store is named by the environment."""
    global _made
    if _made is None:
        _made = create_app(open_store(Path(os.environ["STANDALONE_STORE"])), limits=Limits())
    return _made(environ, start_response)


_made: Flask | None = None
