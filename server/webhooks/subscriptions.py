"""Subscriptions: who is told what, where, and under which secret.

A secret is never kept: it is an HMAC of the subscription's nonce under the server's own key, so that the
tables tell nobody how to sign.
"""

from __future__ import annotations

import base64
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update

from server.bulletins.refusals import Refused
from server.people.people import People, salted_hash
from server.people.tables import webhook_deliveries, webhooks

MOST = 20  # subscriptions; each may keep a thread waiting
BOTH_SECRETS_FOR = timedelta(hours=24)  # after a new secret was made


@dataclass(frozen=True, slots=True)
class Webhook:
    """`areas` are codes; `disabled` says why (`failing`, `gone`, `too_many`, `staff`), empty while it is on.
    `failing_since`, `next_at` (not before) and `last_at` are RFC 3339 UTC; `last_status` an HTTP status, or 0
    when none came."""

    webhook_id: str
    url: str
    label: str
    events: Sequence[str]
    areas: Sequence[str]
    nonce: str
    previous_nonce: str | None
    rotated_at: str | None
    created_at: str
    created_by: str
    disabled: str
    disabled_at: str | None
    failures: int
    failing_since: str | None
    next_at: str
    last_at: str | None
    last_status: int | None

    def wants(self, kind: str, area: str) -> bool:
        return kind in self.events and any(area.startswith(code) for code in self.areas)


def create(
    people: People, *, url: str, label: str, events: Sequence[str], areas: Sequence[str], by: str
) -> tuple[Webhook, str]:
    """The subscription and its secret, which is shown only here. Raises Refused when there are too many."""
    now = people.stamp()
    row = {
        "webhook_id": uuid.uuid4().hex,
        "url": url,
        "label": label,
        "events": sorted(set(events)),
        "areas": sorted(set(areas)),
        "nonce": secrets.token_hex(16),
        "created_at": now,
        "created_by": by,
        "disabled": "",
        "failures": 0,
        "next_at": now,
    }
    with people.engine.begin() as connection:
        if connection.execute(select(func.count()).select_from(webhooks)).scalar_one() >= MOST:
            raise Refused("webhook-too-many", most=MOST)
        connection.execute(insert(webhooks).values(row))
    made = one(people, str(row["webhook_id"]))
    return made, secret(people, made, made.nonce)


def every(people: People) -> list[Webhook]:
    """All subscriptions, oldest first."""
    with people.engine.connect() as connection:
        rows = connection.execute(select(webhooks).order_by(webhooks.c.created_at, webhooks.c.webhook_id))
        return [_webhook(row) for row in rows]


def active(people: People) -> list[Webhook]:
    return [each for each in every(people) if not each.disabled]


def one(people: People, webhook_id: str) -> Webhook:
    """Raises Refused."""
    with people.engine.connect() as connection:
        row = connection.execute(select(webhooks).where(webhooks.c.webhook_id == webhook_id)).first()
    if row is None:
        raise Refused("webhook-unknown")
    return _webhook(row)


def _webhook(row: Row[Any]) -> Webhook:
    return Webhook(**row._mapping)


def enable(people: People, webhook_id: str) -> Webhook:
    """What still waits for it is tried at once. What happened while it was off is not told."""
    fresh = {"disabled": "", "disabled_at": None, "failures": 0, "failing_since": None}
    _set(people, webhook_id, **fresh, next_at=people.stamp())
    with people.engine.begin() as connection:
        waiting = (webhook_deliveries.c.webhook_id == webhook_id) & (webhook_deliveries.c.state == "waiting")
        connection.execute(update(webhook_deliveries).where(waiting).values(next_at=people.stamp()))
    return one(people, webhook_id)


def disable(people: People, webhook_id: str, why: str) -> Webhook:
    _set(people, webhook_id, disabled=why, disabled_at=people.stamp())
    return one(people, webhook_id)


def new_secret(people: People, webhook_id: str) -> str:
    """Another secret; for BOTH_SECRETS_FOR deliveries are signed with the former one too."""
    before = one(people, webhook_id)
    nonce = secrets.token_hex(16)
    _set(people, webhook_id, nonce=nonce, previous_nonce=before.nonce, rotated_at=people.stamp())
    return secret(people, before, nonce)


def remove(people: People, webhook_id: str) -> None:
    """With what waits for it and its log."""
    one(people, webhook_id)
    with people.engine.begin() as connection:
        connection.execute(delete(webhook_deliveries).where(webhook_deliveries.c.webhook_id == webhook_id))
        connection.execute(delete(webhooks).where(webhooks.c.webhook_id == webhook_id))


def _set(people: People, webhook_id: str, **values: Any) -> None:
    one(people, webhook_id)
    with people.engine.begin() as connection:
        connection.execute(update(webhooks).where(webhooks.c.webhook_id == webhook_id).values(**values))


def secret(people: People, webhook: Webhook, nonce: str) -> str:
    """`whsec_` and 32 bytes in base64, as Standard Webhooks writes it."""
    key = bytes.fromhex(salted_hash(people, "webhook", f"{webhook.webhook_id}:{nonce}"))
    return f"whsec_{base64.b64encode(key).decode()}"


def secrets_now(people: People, webhook: Webhook) -> list[str]:
    """What a delivery is signed with: the newest first."""
    found = [secret(people, webhook, webhook.nonce)]
    if webhook.previous_nonce and (webhook.rotated_at or "") > people.stamp(-BOTH_SECRETS_FOR):
        found.append(secret(people, webhook, webhook.previous_nonce))
    return found
