"""Reviews: what a staff member decides about a record. Written into `office`; the follower turns the latest
into the verdict."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Literal

from server.readmodel.moments import stamp
from sync.store import Store

Status = Literal["returned", "accepted", "voided", "restored"]
# A voided record is out of every figure; `restored` takes that back and leaves the status as it was.
STATUSES = ("returned", "accepted", "voided", "restored")
COMMENT_CHARACTERS_MAX = 500


def write(store: Store, record_id: str, status: Status, comment: str, staff_id: str) -> str:
    """Returns the review's document id. Raises ValueError for another status, a void without its reason, or
    a comment that is too long."""
    if status not in STATUSES:
        raise ValueError(f"a review is one of {', '.join(STATUSES)}, not {status}")
    if status == "voided" and not comment:
        raise ValueError("a void needs its reason")
    if len(comment) > COMMENT_CHARACTERS_MAX:
        raise ValueError(f"a comment has at most {COMMENT_CHARACTERS_MAX} characters")
    doc = {
        "_id": f"review:{record_id}:{uuid.uuid4()}",
        "type": "review",
        "record_id": record_id,
        "status": status,
        "staff_id": staff_id,
        "written_at": stamp(datetime.now(UTC)),
        **({"comment": comment} if comment else {}),
    }
    store.ensure("office").put(doc, writer=f"staff:{staff_id}")
    return str(doc["_id"])
