"""Names and numbers in full: for those who may, with a reason, and never without a line in the log."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from server import audit, clock
from server.api.access import refused
from server.api.problems import Problem
from server.app import gridbook
from server.people.permissions import may
from server.people.staff import Staff

log = logging.getLogger("gridbook.unmasked")
REASON_LENGTH_MIN = 4
REASON_LENGTH_MAX = 200


def unmasked(member: Staff, query: Mapping[str, Any], what: str) -> bool:
    """Whether this answer goes out in full. Raises Problem without the right or a reason; who, what and
    why go into the log and into `unmasked.log`."""
    if not query.get("unmask"):
        return False
    if not may(member, "export.unmasked"):
        raise refused(member, "export.unmasked")
    reason = str(query.get("reason") or "").strip()
    if not REASON_LENGTH_MIN <= len(reason) <= REASON_LENGTH_MAX:
        raise Problem(
            "reason-missing", errors={"query": {"reason": [f"{REASON_LENGTH_MIN}-{REASON_LENGTH_MAX}"]}}
        )
    put_on_record(member, what, _one_line(reason))
    log.warning(
        "unmasked: %s (%s) read %s; reason: %s", member.username, member.staff_id, what, _one_line(reason)
    )
    return True


def put_on_record(member: Staff, what: str, reason: str) -> None:
    """The line of `unmasked.log`, on disk when this returns."""
    line = {"at": clock.stamp(clock.now()), "staff_id": member.staff_id, "username": member.username}
    audit.append(gridbook().settings.data, {**line, "what": what, "reason": reason})


def _one_line(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)
