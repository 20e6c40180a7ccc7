"""The outbox: what is to be told to whom, in which state it is, and for LOG_DAYS what became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from server.people.people import People
from server.people.tables import webhook_deliveries as table
from server.people.tables import webhooks
from server.readmodel.paging import Page, decode_cursor, page_of
from server.readmodel.upsert import upsert
from server.webhooks.events import Event
from server.webhooks.subscriptions import Webhook

WAITING_MAX = 50_000  # for one subscription; it is disabled when more wait
LOG_DAYS = 7
ERROR_LENGTH_MAX = 200


@dataclass(frozen=True, slots=True)
class Delivery:
    event_id: str
    body: str
    created_at: str
    attempts: int


def add(connection: Connection, subscribed: Sequence[Webhook], events: Iterable[Event], now: str) -> int:
    """Put each event into the outbox of whoever wants it, in the caller's transaction. An event that is
    there already is sent again under its id. Returns how many were put."""
    rows = [
        _row(webhook.webhook_id, event, now)
        for event in events
        for webhook in subscribed
        if webhook.wants(event.type, event.area)
    ]
    upsert(connection, table, rows)
    for webhook_id in Counter(row["webhook_id"] for row in rows):
        waiting = select(func.count()).where(table.c.webhook_id == webhook_id, table.c.state == "waiting")
        if connection.execute(waiting).scalar_one() > WAITING_MAX:
            too_many = update(webhooks).where(webhooks.c.webhook_id == webhook_id)
            connection.execute(too_many.values(disabled="too_many", disabled_at=now))
    return len(rows)


def add_one(people: People, webhook: Webhook, event: Event) -> None:
    """To one subscription, whatever it subscribed to."""
    with people.engine.begin() as connection:
        upsert(connection, table, [_row(webhook.webhook_id, event, people.stamp())])


def _row(webhook_id: str, event: Event, now: str) -> dict[str, Any]:
    return {
        "webhook_id": webhook_id,
        "event_id": event.event_id,
        "type": event.type,
        "body": event.body(),
        "created_at": now,
        "state": "waiting",
        "attempts": 0,
        "next_at": now,
        "last_at": None,
        "last_status": None,
        "last_error": "",
    }


def due(people: People, webhook_id: str, limit: int) -> list[Delivery]:
    """What is to be tried now; what was tried least comes first, so that one event that a receiver always
    refuses holds up no other."""
    wanted = (table.c.webhook_id == webhook_id) & (table.c.state == "waiting")
    query = (
        select(table.c.event_id, table.c.body, table.c.created_at, table.c.attempts)
        .where(wanted, table.c.next_at <= people.stamp())
        .order_by(table.c.attempts, table.c.created_at, table.c.event_id)
        .limit(limit)
    )
    with people.engine.connect() as connection:
        return [Delivery(*row) for row in connection.execute(query)]


def note(
    connection: Connection,
    webhook_id: str,
    delivery: Delivery,
    *,
    state: str,
    at: str,
    next_at: str,
    status: int,
    error: str,
) -> None:
    """What came of an attempt."""
    of = (table.c.webhook_id == webhook_id) & (table.c.event_id == delivery.event_id)
    values = {
        "state": state,
        "attempts": delivery.attempts + 1,
        "last_at": at,
        "next_at": next_at,
        "last_status": status,
        "last_error": error[:ERROR_LENGTH_MAX],
    }
    connection.execute(update(table).where(of).values(values))


def counts(people: People) -> dict[str, dict[str, int]]:
    """{subscription: {state: deliveries}}"""
    query = select(table.c.webhook_id, table.c.state, func.count()).group_by(
        table.c.webhook_id, table.c.state
    )
    found: dict[str, dict[str, int]] = {}
    with people.engine.connect() as connection:
        for webhook_id, state, count in connection.execute(query):
            found.setdefault(webhook_id, {})[state] = count
    return found


def log(people: People, webhook_id: str, cursor: str | None, limit: int) -> Page:
    """Deliveries of a subscription, newest first, without their bodies. Raises BadCursor."""
    name = f"deliveries:{webhook_id}"
    place = decode_cursor(name, cursor, 2)
    columns = [column for column in table.columns if column.name not in ("webhook_id", "body")]
    query = select(*columns).where(table.c.webhook_id == webhook_id)
    if place:
        created_at, event_id = place
        earlier = table.c.created_at < created_at
        query = query.where(earlier | ((table.c.created_at == created_at) & (table.c.event_id < event_id)))
    query = query.order_by(table.c.created_at.desc(), table.c.event_id.desc()).limit(limit + 1)
    with people.engine.connect() as connection:
        rows = [dict(row._mapping) for row in connection.execute(query)]
    return page_of(name, rows, limit, ("created_at", "event_id"))


def prune(people: People) -> None:
    """Forget what was delivered or given up LOG_DAYS ago."""
    old = (table.c.state != "waiting") & (table.c.created_at < people.stamp(-timedelta(days=LOG_DAYS)))
    with people.engine.begin() as connection:
        connection.execute(delete(table).where(old))
