"""Webhooks: who is told what happens, each with its deliveries, and the secret that is shown once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from flask import flash, redirect, render_template, request, url_for
from marshmallow import ValidationError
from werkzeug.wrappers import Response

from server.api import webhook_shapes as shapes
from server.api import webhooks as api
from server.api.beijing import local
from server.api.bulletins import told
from server.api.problems import Problem
from server.api.shapes import PageQuery
from server.app import gridbook
from server.people.web import require_csrf, require_staff
from server.readmodel import queries
from server.web.asking import area_choices, asked
from server.web.language import pick
from server.web.language import translate as t
from server.web.pages import blueprint
from server.webhooks import outbox
from server.webhooks.events import EVENTS, TEST
from server.webhooks.subscriptions import Webhook

ACTION = api.ACTION


@blueprint.get("/webhooks", endpoint="webhooks")
@require_staff(ACTION)
def list_page() -> str:
    member = api.staff_for(ACTION)
    counts = outbox.counts(gridbook().people)
    return render_template(
        "webhooks.html",
        items=[_item(each, counts) for each in api.listed(member)],
        kinds=[{"id": kind, "name": _kind(kind)} for kind in EVENTS],
        **area_choices(member),
    )


def _item(webhook: Webhook, counts: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    names = {area["code"]: area["name"] for area in queries.areas(gridbook().readmodel)}
    found = counts.get(webhook.webhook_id, {})
    return {
        "id": webhook.webhook_id,
        "url": webhook.url,
        "name": webhook.label or urlsplit(webhook.url).hostname,
        "events": [_kind(kind) for kind in webhook.events],
        "areas": "、".join(names.get(code, code) for code in webhook.areas),
        "disabled": webhook.disabled,
        "state": _state(webhook),
        "mood": "bad" if webhook.disabled else "warn" if webhook.failures else "good",
        "since": local(webhook.disabled_at or webhook.failing_since),
        "last": local(webhook.last_at),
        "last_status": webhook.last_status,
        "waiting": found.get("waiting", 0),
        "delivered": found.get("delivered", 0),
        "given_up": found.get("given_up", 0),
    }


def _state(webhook: Webhook) -> str:
    if webhook.disabled:
        return t(f"webhooks.off_{webhook.disabled}")
    return t("webhooks.failing") if webhook.failures else t("webhooks.on")


def _kind(kind: str) -> str:
    if kind == TEST:
        return t("webhooks.test_event")
    zh, en = EVENTS[kind]
    return pick({"zh": zh, "en": en})


@blueprint.post("/webhooks")
@require_staff(ACTION)
@require_csrf
@told
def make_webhook() -> str:
    """The secret is the answer itself: it is shown once and kept nowhere."""
    form, member = request.form, api.staff_for(ACTION)
    given = {name: form.get(name, "").strip() for name in ("url", "label")}
    area = form.get("village") or form.get("town")
    try:
        body = shapes.MakeWebhook().load(
            {**given, "events": form.getlist("events"), "areas": [area] if area else []}
        )
    except ValidationError as error:
        raise Problem("invalid", errors={"form": error.messages}) from None
    webhook, secret = api.create(member, body)
    return _shown_once(webhook, secret)


def _shown_once(webhook: Webhook, secret: str) -> str:
    return render_template("webhook_secret.html", item=_item(webhook, {}), secret=secret)


@blueprint.get("/webhooks/<webhook_id>", endpoint="webhook")
@require_staff(ACTION)
@told
def one_page(webhook_id: str) -> str:
    member, query = api.staff_for(ACTION), asked(PageQuery)
    webhook = api.one(member, webhook_id)
    page = api.deliveries(member, webhook_id, query.get("cursor"), query["limit"])
    return render_template(
        "webhook.html",
        item=_item(webhook, outbox.counts(gridbook().people)),
        deliveries=[_delivery(each) for each in page.items],
        next_cursor=page.next_cursor,
        first=not query.get("cursor"),
    )


def _delivery(row: Mapping[str, Any]) -> dict[str, Any]:
    state = str(row["state"])
    return {
        "id": row["event_id"],
        "kind": _kind(row["type"]),
        "created": local(row["created_at"]),
        "state": t(f"webhooks.state_{state}"),
        "mood": {"delivered": "good", "given_up": "bad"}.get(state, "warn"),
        "attempts": row["attempts"],
        "next": local(row["next_at"]) if state == "waiting" else "",
        "said": row["last_error"] or (f"HTTP {row['last_status']}" if row["last_status"] else ""),
    }


def _back(webhook_id: str, words: str) -> Response:
    flash(words, "good")
    return redirect(url_for("web.webhook", webhook_id=webhook_id), 303)


@blueprint.post("/webhooks/<webhook_id>/switch")
@require_staff(ACTION)
@require_csrf
@told
def switch_webhook(webhook_id: str) -> Response:
    on = request.form.get("on") == "1"
    api.switch(api.staff_for(ACTION), webhook_id, on)
    return _back(webhook_id, t("webhooks.switched_on" if on else "webhooks.switched_off"))


@blueprint.post("/webhooks/<webhook_id>/test")
@require_staff(ACTION)
@require_csrf
@told
def try_webhook(webhook_id: str) -> Response:
    api.try_it(api.staff_for(ACTION), webhook_id)
    return _back(webhook_id, t("webhooks.tested"))


@blueprint.post("/webhooks/<webhook_id>/secret")
@require_staff(ACTION)
@require_csrf
@told
def renew_webhook(webhook_id: str) -> str:
    member = api.staff_for(ACTION)
    secret = api.new_secret(member, webhook_id)
    return _shown_once(api.one(member, webhook_id), secret)


@blueprint.post("/webhooks/<webhook_id>/remove")
@require_staff(ACTION)
@require_csrf
@told
def remove_webhook(webhook_id: str) -> Response:
    api.remove(api.staff_for(ACTION), webhook_id)
    flash(t("webhooks.removed"), "good")
    return redirect(url_for("web.webhooks"), 303)
