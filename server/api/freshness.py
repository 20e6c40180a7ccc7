"""ETags: an answer is unchanged while what it is made of is.

A view names its sources; each gives a word that changes whenever the source does, and costs less than the
answer. What indicators, rules and exceptions are declared to be is a source of every view. The tag also
covers who asks with which rights, what for and in which language, so a proxy can never hand one reader's
answer to another. It is made before the answer, so an answer is never older than its tag.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import wraps
from typing import Any

from flask import Response, request
from sqlalchemy import func, select

from server import clock
from server.api.problems import language_of
from server.app import Gridbook, gridbook
from server.people import devices, sessions, staff
from server.people.tables import exception_steps, webhook_deliveries
from server.people.web import current_staff
from server.readmodel import queries
from server.webhooks import outbox, subscriptions
from sync.store import NotFound

View = Callable[..., Any]


def _database(name: str) -> Callable[[Gridbook], str]:
    def seq(shared: Gridbook) -> str:
        try:
            return str(shared.store.open(name).seq())
        except NotFound:
            return ""

    return seq


def _steps(shared: Gridbook) -> str:
    """They are only ever added."""
    with shared.people.engine.connect() as connection:
        return str(connection.execute(select(func.count()).select_from(exception_steps)).scalar_one())


def _webhooks(shared: Gridbook) -> str:
    attempts = select(func.count(), func.sum(webhook_deliveries.c.attempts)).select_from(webhook_deliveries)
    with shared.people.engine.connect() as connection:
        tried = connection.execute(attempts).one()
    return repr([subscriptions.every(shared.people), tuple(tried), outbox.counts(shared.people)])


def _form_files(shared: Gridbook) -> str:
    files = sorted(shared.settings.forms.rglob("*.json"))
    return repr([(str(path), path.stat().st_mtime_ns) for path in files])


def _minute(_: Gridbook) -> str:
    return clock.stamp(clock.now())[:16]


SOURCES: Mapping[str, Callable[[Gridbook], str]] = {
    "readmodel": lambda shared: str(queries.version(shared.readmodel)),
    "catalogue": _database("catalogue"),
    "bulletins": _database("office"),
    "lists": _database("lists"),
    "devices": lambda shared: devices.state_word(shared.people),
    "staff": lambda shared: repr(staff.every(shared.people)),
    "sign-ins": lambda shared: repr(sorted(sessions.last_sign_ins(shared.people).items())),
    "steps": _steps,
    "form files": _form_files,
    "webhooks": _webhooks,
    "minute": _minute,  # what is overdue becomes so without anything else moving
}


def current_tag(sources: tuple[str, ...] = ("readmodel",)) -> str:
    """Changes with the sources, the reader, the question and the hour (without a `day` an answer is about
    today)."""
    member, shared = current_staff(), gridbook()
    rights = sorted(member.scopes) if member and member.scopes is not None else None
    who = f"{member.staff_id}:{member.area}:{sorted(member.roles)}:{rights}" if member else ""
    seen = [shared.declaration.whole_digest, *(SOURCES[name](shared) for name in sources)]
    asked = [who, language_of(request), request.full_path, clock.stamp(clock.now())[:13]]
    return hashlib.sha256(repr(seen + asked).encode("utf-8", "replace")).hexdigest()[:32]


def tagged(*sources: str) -> Callable[[View], View]:
    """View decorator: 304 when the reader's ETag still holds, else the answer with its ETag.

    An answer in full (`unmask`) has none: each is put on record."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if any(isinstance(each, dict) and each.get("unmask") for each in args):
                return view(*args, **kwargs), 200, {"Cache-Control": "no-store"}
            tag = current_tag(sources)
            headers = {
                "ETag": f'"{tag}"',
                "Cache-Control": "private, no-cache",
                "Vary": "Accept-Language, Authorization, Cookie",
            }
            if request.if_none_match.contains_weak(tag):
                return Response(status=304, headers=headers)
            return view(*args, **kwargs), 200, headers

        guarded._apidoc = {**deepcopy(getattr(view, "_apidoc", {})), "tagged": True}  # type: ignore[attr-defined]
        return guarded

    return decorate


versioned = tagged("readmodel")


def untagged(reason: str) -> Callable[[View], View]:
    """View decorator: says in the description why an answer has no ETag."""

    def decorate(view: View) -> View:
        view._apidoc = {**deepcopy(getattr(view, "_apidoc", {})), "untagged": reason}  # type: ignore[attr-defined]
        return view

    return decorate


A_FILE = "A file to be saved: it is made anew each time it is asked for, and no cache keeps it."
