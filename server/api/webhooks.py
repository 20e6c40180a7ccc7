"""Webhooks: subscriptions, their secrets, and the log of what was delivered."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from flask.views import MethodView

from server.api import shapes as common
from server.api import webhook_shapes as shapes
from server.api.access import allowed, own_area, staff_for
from server.api.blueprint import Blueprint
from server.api.bulletins import told
from server.api.freshness import tagged
from server.api.problems import Problem
from server.app import gridbook
from server.people.permissions import covers
from server.people.staff import Staff
from server.people.web import require_csrf
from server.readmodel.paging import BadCursor, Page
from server.webhooks import events, outbox, subscriptions
from server.webhooks.addresses import BadAddress, target
from server.webhooks.subscriptions import Webhook

log = logging.getLogger(__name__)
blp = Blueprint("webhooks", __name__, url_prefix="/api/v1", description="Webhooks: who is told what happened")

ACTION = "webhooks.manage"
WHY = {
    "form": {
        "zh": "应写成 https://主机/路径，不带用户名和 #",
        "en": "is to be written as https://host/path, without a user name and without #",
    },
    "https": {
        "zh": "必须是 https；本单位内网的主机请管理员写进 GRIDBOOK_WEBHOOK_HOSTS",
        "en": "has to be https, unless its host is one of GRIDBOOK_WEBHOOK_HOSTS",
    },
    "private": {
        "zh": "是内网地址；请管理员把主机写进 GRIDBOOK_WEBHOOK_HOSTS",
        "en": "lies in a private network; its host has to be one of GRIDBOOK_WEBHOOK_HOSTS",
    },
}


def listed(member: Staff) -> list[Webhook]:
    """The subscriptions whose areas all lie in the member's."""
    return [each for each in subscriptions.every(gridbook().people) if _theirs(member, each)]


def one(member: Staff, webhook_id: str) -> Webhook:
    """Raises Refused, also for one outside the member's area."""
    found = subscriptions.one(gridbook().people, webhook_id)
    if not _theirs(member, found):
        raise subscriptions.Refused("webhook-unknown")
    return found


def _theirs(member: Staff, webhook: Webhook) -> bool:
    return all(covers(member.area, code) for code in webhook.areas)


def shown(webhook: Webhook, counts: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    fields = {name: getattr(webhook, name) for name in Webhook.__slots__}
    return {**fields, "counts": dict(counts.get(webhook.webhook_id, {}))}


def create(member: Staff, body: Mapping[str, Any]) -> tuple[Webhook, str]:
    """The subscription and its secret. Raises Problem for an address or an area that it cannot have."""
    shared = gridbook()
    areas = [own_area(member, code)["code"] for code in body["areas"] or [member.area]]
    try:
        target(body["url"], shared.settings.webhook_hosts)
    except BadAddress as bad:
        why = WHY[bad.why]
        raise Problem("webhook-url", why=why) from None
    made = subscriptions.create(
        shared.people,
        url=body["url"],
        label=body["label"].strip(),
        events=body["events"],
        areas=areas,
        by=member.staff_id,
    )
    log.info("%s made webhook %s", member.writer, made[0].webhook_id)
    return made


def switch(member: Staff, webhook_id: str, on: bool) -> Webhook:
    people, webhook = gridbook().people, one(member, webhook_id)
    log.info("%s switched webhook %s %s", member.writer, webhook_id, "on" if on else "off")
    if on:
        return subscriptions.enable(people, webhook.webhook_id)
    return subscriptions.disable(people, webhook.webhook_id, "staff")


def new_secret(member: Staff, webhook_id: str) -> str:
    log.info("%s made a new secret of webhook %s", member.writer, webhook_id)
    return subscriptions.new_secret(gridbook().people, one(member, webhook_id).webhook_id)


def remove(member: Staff, webhook_id: str) -> None:
    subscriptions.remove(gridbook().people, one(member, webhook_id).webhook_id)
    log.info("%s removed webhook %s", member.writer, webhook_id)


def try_it(member: Staff, webhook_id: str) -> str:
    """The id of a test event, which is sent within seconds."""
    people, webhook = gridbook().people, one(member, webhook_id)
    if webhook.disabled:
        raise Problem("webhook-off")
    event = events.test(webhook_id, member.area, people.stamp())
    outbox.add_one(people, webhook, event)
    return event.event_id


def deliveries(member: Staff, webhook_id: str, cursor: str | None, limit: int) -> Page:
    webhook = one(member, webhook_id)
    try:
        return outbox.log(gridbook().people, webhook.webhook_id, cursor, limit)
    except BadCursor:
        raise Problem("bad-cursor") from None


@blp.route("/webhooks")
class Webhooks(MethodView):
    @allowed(ACTION)
    @blp.response(200, shapes.WebhookList)
    @tagged("webhooks")
    def get(self) -> dict[str, Any]:
        """Every subscription of your area, oldest first, and how its deliveries stand."""
        counts = outbox.counts(gridbook().people)
        return {"items": [shown(each, counts) for each in listed(staff_for(ACTION))]}

    @allowed(ACTION)
    @require_csrf
    @blp.arguments(shapes.MakeWebhook)
    @blp.response(201, shapes.NewWebhook)
    @told
    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        """Subscribe an address to events of some areas. The secret is shown once."""
        webhook, secret = create(staff_for(ACTION), body)
        return {**shown(webhook, {}), "secret": secret}


@blp.route("/webhooks/<string:webhook_id>")
class OneWebhook(MethodView):
    @allowed(ACTION)
    @blp.response(200, shapes.Webhook)
    @tagged("webhooks")
    @told
    def get(self, webhook_id: str) -> dict[str, Any]:
        """One subscription."""
        return shown(one(staff_for(ACTION), webhook_id), outbox.counts(gridbook().people))

    @allowed(ACTION)
    @require_csrf
    @blp.response(204, description="It is gone, with what waited for it and its log")
    @told
    def delete(self, webhook_id: str) -> None:
        """Remove a subscription."""
        remove(staff_for(ACTION), webhook_id)


@blp.route("/webhooks/<string:webhook_id>/switch")
class WebhookSwitch(MethodView):
    @allowed(ACTION)
    @require_csrf
    @blp.arguments(shapes.Switch)
    @blp.response(200, shapes.Webhook)
    @told
    def post(self, body: dict[str, bool], webhook_id: str) -> dict[str, Any]:
        """Switch it on or off. What waits is sent when it is on again; what happens while it is off is not
        told."""
        webhook = switch(staff_for(ACTION), webhook_id, body["on"])
        return shown(webhook, outbox.counts(gridbook().people))


@blp.route("/webhooks/<string:webhook_id>/secret")
class WebhookSecret(MethodView):
    @allowed(ACTION)
    @require_csrf
    @blp.response(201, shapes.WebhookSecret)
    @told
    def post(self, webhook_id: str) -> dict[str, str]:
        """Make another secret. For a day deliveries are signed with the former one too."""
        return {"secret": new_secret(staff_for(ACTION), webhook_id)}


@blp.route("/webhooks/<string:webhook_id>/test")
class WebhookTest(MethodView):
    @allowed(ACTION)
    @require_csrf
    @blp.response(202, shapes.Tested)
    @told
    def post(self, webhook_id: str) -> dict[str, str]:
        """Send a test event, within seconds."""
        return {"event_id": try_it(staff_for(ACTION), webhook_id)}


@blp.route("/webhooks/<string:webhook_id>/deliveries")
class WebhookDeliveries(MethodView):
    @allowed(ACTION)
    @blp.arguments(common.PageQuery, location="query")
    @blp.response(200, shapes.DeliveryPage)
    @tagged("webhooks")
    @told
    def get(self, query: dict[str, Any], webhook_id: str) -> dict[str, Any]:
        """What was sent and what waits, newest first; kept for 7 days."""
        found = deliveries(staff_for(ACTION), webhook_id, query.get("cursor"), query["limit"])
        return {"items": found.items, "next_cursor": found.next_cursor}
