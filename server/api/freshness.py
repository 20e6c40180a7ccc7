"""ETags: an answer out of the read model is unchanged while the read model's version is.

The tag also covers who asks and what for, so a proxy can never hand one reader's answer to another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Response, request

from server import clock
from server.app import gridbook
from server.people.web import current_staff
from server.readmodel import queries


def current_tag() -> str:
    """Changes with the data, the reader, the query and the day (without a `day` an answer is about today)."""
    member = current_staff()
    who = f"{member.staff_id}:{member.area}:{sorted(member.roles)}" if member else ""
    seen = (
        f"{queries.version(gridbook().readmodel)}|{who}|{request.full_path}|{clock.stamp(clock.now())[:13]}"
    )
    return hashlib.sha256(seen.encode()).hexdigest()[:32]


def versioned(view: Callable[..., Any]) -> Callable[..., Any]:
    """View decorator: 304 when the reader's ETag still holds, else the answer with its ETag."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        tag = current_tag()
        headers = {"ETag": f'"{tag}"', "Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}
        if request.if_none_match.contains_weak(tag):
            return Response(status=304, headers=headers)
        return view(*args, **kwargs), 200, headers

    return guarded
