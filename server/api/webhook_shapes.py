"""What requests and answers about webhooks look like."""

from __future__ import annotations

from marshmallow import RAISE, Schema, fields, validate

from server.api.shapes import CODE, Page, note
from server.webhooks.addresses import URL_LENGTH_MAX
from server.webhooks.events import EVENTS

DISABLED = ("", "failing", "gone", "too_many", "staff")
STATES = ("waiting", "delivered", "given_up")


class Strict(Schema):
    class Meta:
        unknown = RAISE


class MakeWebhook(Strict):
    url = fields.String(
        required=True,
        validate=validate.Length(min=1, max=URL_LENGTH_MAX),
        metadata=note("where to POST to: https, at a public address or a host of GRIDBOOK_WEBHOOK_HOSTS"),
    )
    label = fields.String(load_default="", validate=validate.Length(max=80), metadata=note("what it is for"))
    events = fields.List(
        fields.String(validate=validate.OneOf(list(EVENTS))),
        required=True,
        validate=validate.Length(min=1, max=len(EVENTS)),
    )
    areas = fields.List(
        fields.String(validate=CODE),
        load_default=list,
        validate=validate.Length(max=50),
        metadata=note("codes; your own area by default"),
    )


class Webhook(Schema):
    webhook_id = fields.String(required=True)
    url = fields.String(required=True)
    label = fields.String(required=True)
    events = fields.List(fields.String(), required=True)
    areas = fields.List(fields.String(), required=True)
    created_at = fields.String(required=True)
    disabled = fields.String(
        required=True,
        validate=validate.OneOf(DISABLED),
        metadata=note("why nothing is sent; empty while it is on"),
    )
    disabled_at = fields.String(allow_none=True)
    failures = fields.Integer(required=True, metadata=note("attempts in a row that failed"))
    failing_since = fields.String(allow_none=True)
    last_at = fields.String(allow_none=True, metadata=note("of the last attempt"))
    last_status = fields.Integer(allow_none=True, metadata=note("of HTTP; 0 when no answer came"))
    counts = fields.Dict(
        keys=fields.String(validate=validate.OneOf(STATES)),
        values=fields.Integer(),
        required=True,
        metadata=note("deliveries by state, of the last 7 days"),
    )


class WebhookList(Schema):
    items = fields.List(fields.Nested(Webhook), required=True)


class WebhookSecret(Schema):
    secret = fields.String(required=True, metadata=note("never shown again", example="whsec_…"))


class NewWebhook(Webhook, WebhookSecret):
    pass


class Switch(Strict):
    on = fields.Boolean(required=True, truthy={True}, falsy={False})


class Tested(Schema):
    event_id = fields.String(required=True, metadata=note("find it among the deliveries"))


class Delivery(Schema):
    event_id = fields.String(required=True, metadata=note("the header `webhook-id`"))
    type = fields.String(required=True)
    created_at = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    attempts = fields.Integer(required=True)
    next_at = fields.String(required=True, metadata=note("not before; of one that waits"))
    last_at = fields.String(allow_none=True)
    last_status = fields.Integer(allow_none=True, metadata=note("of HTTP; 0 when no answer came"))
    last_error = fields.String(required=True)


class DeliveryPage(Page):
    items = fields.List(fields.Nested(Delivery), required=True)
