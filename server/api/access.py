"""Who asks, and for which area: every endpoint begins here.

A staff member sees their own area and what lies inside; asking about anything else is refused, not silently
narrowed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import wraps
from typing import Any

from server.api.problems import Problem
from server.app import gridbook
from server.people.permissions import covers, may
from server.people.staff import Staff
from server.people.web import current_staff
from server.readmodel import queries
from server.readmodel.counted import is_counted


def staff_for(action: str) -> Staff:
    """The staff member who asks and may do `action`. Raises Problem: 401 for nobody, 403 for a lesser
    role."""
    member = current_staff()
    if member is None:
        raise Problem("unauthorized")
    if not may(member, action):
        raise refused(member, action)
    return member


def refused(member: Staff, action: str) -> Problem:
    """Why the member may not: the role, or the scopes of the token that a program asks with."""
    if may(replace(member, scopes=None), action):
        return Problem("outside-scope", action=action, scope={"zh": action, "en": action})
    return Problem("forbidden", action=action)


def allowed(action: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """View decorator: the view runs for staff who may do `action`."""

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            staff_for(action)
            return view(*args, **kwargs)

        return guarded

    return decorate


def must_be_counted(part: str) -> None:
    """Raises Problem where the district's definitions count nothing of the kind; parts as `is_counted` has
    them."""
    if not is_counted(gridbook().declaration, part):
        raise Problem("not-counted")


def own_area(member: Staff, code: str | None) -> dict[str, Any]:
    """The area asked about (their own when none is named): {code, name, level, …}.

    Raises Problem: 404 for a code that no area has, 403 for an area outside the member's.
    """
    wanted = code or member.area
    found = queries.area(gridbook().readmodel, wanted)
    if found is None:
        raise Problem("unknown-area", area=wanted)
    if not covers(member.area, wanted):
        raise Problem("outside-area", area=wanted, own=member.area)
    return found


def asked_area(action: str, query: Mapping[str, Any]) -> dict[str, Any]:
    """The area of a query by staff who may do `action`. Raises Problem as `staff_for` and `own_area` do."""
    return own_area(staff_for(action), query.get("area"))


def covers_record(member: Staff, village_code: str | None) -> bool:
    """A record without a village (or with nonsense for one) is the district's business only."""
    if len(member.area) == 6 and not str(village_code or "").startswith(member.area):
        return True
    return covers(member.area, str(village_code or ""))
