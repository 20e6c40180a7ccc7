"""What can be told: ids, codes, states and links, nothing personal and nothing that somebody wrote freely."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson

from server.exceptions.finding import Found
from sync.store import Doc

# type: (zh, en)
EVENTS: Mapping[str, tuple[str, str]] = {
    "record.verdict": ("记录有了结论", "a verdict on a record"),
    "exception.opened": ("出现异常", "an exception opened"),
    "exception.closed": ("异常消除", "an exception closed"),
    "bulletin.frozen": ("日报发布", "a bulletin frozen"),
}
TEST = "webhook.test"  # goes to one subscription, whatever it subscribed to


@dataclass(frozen=True, slots=True)
class Event:
    """`at` is when it happened, RFC 3339 UTC; `area` the code that subscriptions are matched by; the same
    `event_id` is the same event, however often it is sent."""

    event_id: str
    type: str
    area: str
    at: str
    data: Mapping[str, Any]

    def body(self) -> str:
        """The text that is signed and sent."""
        told = {"type": self.type, "timestamp": self.at, "data": self.data}
        return orjson.dumps(told).decode()


def verdict(public_url: str, village_code: str, doc: Doc) -> Event:
    """Of a verdict document, when it was written and whenever it changed."""
    record_id = str(doc.get("record_id", ""))
    staff = str(doc.get("decided_by", "")).startswith("staff:")
    problems = doc.get("problems")
    data = {
        "record_id": record_id,
        "form_id": doc.get("form_id"),
        "village_code": village_code,
        "status": doc.get("status"),
        "problems": [
            {name: problem.get(name) for name in ("rule", "severity", "path")}
            for problem in (problems if isinstance(problems, list) else ())
        ],
        "decided_at": doc.get("decided_at"),
        "decided_by": "staff" if staff else "intake",
        "superseded_by": doc.get("superseded_by"),
        "links": _links(public_url, "records", record_id),
    }
    event_id = _same("verdict", village_code, str(doc["_id"]), str(doc["_rev"]))
    return Event(event_id, "record.verdict", village_code, str(doc.get("decided_at", "")), data)


def bulletin(public_url: str, district: str, doc: Doc) -> Event:
    number = str(doc["number"])
    names = ("number", "day", "cut_off", "as_of", "frozen_at", "replaces", "digest")
    data = {name: doc.get(name) for name in names} | {"links": _links(public_url, "bulletins", number)}
    return Event(
        _same("bulletin", number, str(doc["_rev"])), "bulletin.frozen", district, doc["frozen_at"], data
    )


def exception(public_url: str, district: str, found: Found, due: str, now: str, closed_by: str = "") -> Event:
    """`closed_by`: `staff` or `data`; empty when it opened."""
    data = {
        "exception_id": found.id,
        "kind": found.kind,
        "village_code": found.village_code,
        "subject": found.subject,
        "since": found.since,
        "due": due,
        **({"closed_by": closed_by} if closed_by else {}),
        "links": _links(public_url, "exceptions", found.id),
    }
    kind = "exception.closed" if closed_by else "exception.opened"
    return Event(f"evt_{uuid.uuid4().hex}", kind, found.village_code or district, now, data)


def test(webhook_id: str, area: str, now: str) -> Event:
    return Event(f"evt_{uuid.uuid4().hex}", TEST, area, now, {"webhook_id": webhook_id})


def _same(*parts: str) -> str:
    """What is read twice, such as after a restore, keeps its id."""
    return f"evt_{hashlib.sha256(orjson.dumps(parts)).hexdigest()[:32]}"


def _links(public_url: str, kind: str, name: str) -> dict[str, str]:
    path = f"{kind}/{quote(name, safe='')}"
    return {"page": f"{public_url}/{path}", "api": f"{public_url}/api/v1/{path}"}
